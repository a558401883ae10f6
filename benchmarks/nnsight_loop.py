"""The published way to patch: for every layer one traced forward and one patched `generate`, written with nnsight.

    python nnsight_loop.py JOB.json

Needs nnsight, torch and transformers; knows nothing of gainsift. JOB.json holds the model's folder, the number of
threads and of new tokens, and `runs`: each has the target prompts, for each of them the source prompts whose vectors
are averaged (none: unpatched), the place of the word's last token from the end, for each prompt the sets of token ids
whose next-token probability is reported, and, where not all are wanted, the layers to patch from. Prints JSON: seconds
of all runs, texts by run, layer and prompt, and probabilities by run, layer, prompt and set.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import nnsight
import torch
import transformers
from nnsight import LanguageModel


def collect(model: Any, prompts: list[str]) -> torch.Tensor:
    """[L, B, D]: every layer's output at the last token of prompts padded on the left."""
    found = []
    with model.trace(prompts):
        for layer in model.model.layers:
            found.append(layer.output[:, -1].to("cpu").save())
    return torch.stack(list(found))


def loop(model: Any, run: dict[str, Any], new_tokens: int) -> tuple[list[list[str]], list[list[list[float]]]]:
    """Texts and probabilities by layer and prompt of one run, all its prompts in one batch."""
    targets, at, count = run["targets"], run["word"], len(model.model.layers)
    hidden = None
    if run["sources"]:
        width = len(run["sources"][0])
        flat = [prompt for prompts in run["sources"] for prompt in prompts]
        parts = [collect(model, flat[i : i + len(targets)]) for i in range(0, len(flat), len(targets))]
        hidden = torch.cat(parts, dim=1).unflatten(1, (len(targets), width)).mean(2)  # [L, N, D]
    texts, probabilities = [], []
    for first in run.get("layers", range(count)):
        with model.trace(targets):
            if hidden is not None:
                for layer in range(first, count):
                    model.model.layers[layer].output[:, at] = hidden[layer]
            shares = model.output.logits[:, -1, :].softmax(-1).cpu().save()
        probabilities.append([[float(row[ids].sum()) for ids in sets]
                              for row, sets in zip(shares, run["watch"], strict=True)])  # fmt: skip
        tokenized = model.tokenizer(targets, return_tensors="pt", padding=True)
        with model.generate(tokenized, max_new_tokens=new_tokens, min_new_tokens=new_tokens, do_sample=False):
            if hidden is not None:
                for layer in range(first, count):
                    model.model.layers[layer].output[:, at] = hidden[layer]
            ids = model.generator.output.save()
        texts.append(model.tokenizer.batch_decode(ids[:, -new_tokens:], skip_special_tokens=False))
    return texts, probabilities


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    torch.set_num_threads(job["threads"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(job["model"], padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    model = LanguageModel(job["model"], tokenizer=tokenizer, dispatch=True, dtype=torch.float32)
    model.eval()
    with torch.no_grad():
        one_prompt = {name: job["runs"][0][name][:1] for name in ("targets", "watch", "sources")}
        loop(model, {**job["runs"][0], **one_prompt, "layers": [0]}, 2)  # warm-up
        start, processor = time.perf_counter(), time.process_time()
        results = [loop(model, run, job["new_tokens"]) for run in job["runs"]]
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
    versions = {"nnsight": nnsight.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    json.dump({"seconds": seconds, "processor": processor, "versions": versions,
               "texts": [texts for texts, _ in results],
               "probabilities": [shares for _, shares in results]}, sys.stdout)  # fmt: skip


if __name__ == "__main__":
    main()
