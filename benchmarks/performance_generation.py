"""docs/performance.md: what the benchmarks of generation found."""

from __future__ import annotations

from typing import Any

from machine import machine_in_words
from markdown import grid
from performance_part import Part

DEVICE_DTYPES = ("bfloat16", "float16", "float32")


def layer_sweep(found: dict[str, Any]) -> Part:
    """Of the measures that were run."""
    answers, lines = [], ["## Generation: the layer sweep", ""]
    for name, make in {"pair": _pair, "study": _study, "growth": _growth, "memory": _memory}.items():
        if name in found:
            part = make(found[name], found["targets"])
            answers, lines = [*answers, *part.answers], [*lines, *part.lines]
    return Part(answers, lines)


def _pair(pair: dict[str, Any], asked: dict[str, float]) -> Part:
    versions = list(pair["times nnsight"])
    plain, plain_floor = pair["times nnsight, torch's products"], pair["ours / floor, torch's products"]
    return Part(
        [
            ("one language pair, one setting, 30 layers, beside the published loop",
             f"≥ {asked['pair']:.0f} times as fast", f"{_span(pair['times nnsight'].values())} times",
             min(pair["times nnsight"].values()) >= asked["pair"]),
            ("the sweep, beside the floor", f"≤ {asked['floor']} times its seconds",
             f"{pair['ours / floor']:.2f} times", pair["ours / floor"] <= asked["floor"]),
        ],
        [
            f"`python benchmarks/layer_sweep.py`, on {machine_in_words(pair['machine'])}. SmolLM2-135M in float32 on"
            f" the CPU, {pair['threads']} threads, 16 prompt pairs, ten new tokens by all; the median of"
            f" {pair['rounds']} alternating rounds, loading not counted. The peer is the published loop, written with"
            " nnsight: for every layer one forward and one patched `generate`. The floor is one clean forward over all"
            " prompts and the batched decoding of the same new tokens by transformers; it is no bound, since the sweep"
            f" shares layers between cut-offs. Of {_agreement(pair)}.", "",
            *grid(
                ["", "seconds", *(f"times nnsight {version}" for version in versions)],
                [[name, f"{seconds:.1f}", *_times(pair, name, versions)] for name, seconds in pair["seconds"].items()],
            ),
            "As installed, torch multiplies float32 matrices on x86 with MKL, which leaves AVX-512 unused on processors"
            " of other makers than its own. `gainsift generate` multiplies through oneDNN there, which torch brings"
            " along. The rows *torch's products* do without: what the sweep alone gains is"
            f" {_span(plain.values())} times, at {plain_floor:.2f} of the floor. Stopping at the closing quote takes"
            f" {pair['to the quote / ten tokens']:.2f} of the time of ten tokens.", "",
        ],
    )  # fmt: skip


def _study(study: dict[str, Any], asked: dict[str, float]) -> Part:
    times = study["times nnsight, by the processor"].values()
    return Part(
        [("a whole study of 20 language pairs, beside the published loop", f"≥ {asked['study']:.0f} times as fast",
          f"{_span(times)} times", min(times) >= asked["study"])],
        [
            "The whole study: five languages, all 20 target pairs, all settings, a random Llama of eight layers and"
            f" width 256, {study['rows']:,} rows, threads: {study['threads']}. Unpatched prompts are run once by the"
            " peer as well. What is asked is asked of the processor's seconds, since other work on the machine changes"
            " them less.", "",
            *grid(
                ["", "of the processor, s", "times ours", "by the clock, s", "times ours"],
                [[name, *(cell for kind in ("processor", "seconds") for cell in _beside_ours(study[kind], name))]
                 for name in study["processor"]],
            ),
        ],
    )  # fmt: skip


def _beside_ours(seconds: dict[str, float], name: str) -> tuple[str, str]:
    return f"{seconds[name]:,.0f}", f"{seconds[name] / seconds['ours']:.1f}"


def _growth(growth: dict[str, Any], asked: dict[str, float]) -> Part:
    linear = ("cut-offs", "prompt pairs", "target pairs")
    rows = [
        [name, *(f"{count}: {seconds:.1f} s" for count, seconds in growth[name].items())] for name in (*linear, "depth")
    ]
    worst = growth["growth / proportion"]
    per_layer = [1000 * seconds / int(count) ** 2 for count, seconds in growth["depth"].items()]
    return Part(
        [("the same study with more cut-offs, prompt pairs or target pairs", "no more than in proportion",
          f"at most {worst:.2f} of it", worst <= asked["growth"])],
        [
            "How our seconds grow, of the same study with ten target pairs, eight layers, each of them a cut-off, and"
            f" 16 prompt pairs where nothing else is said (of the processor, threads: {growth['threads']}):", "",
            *grid(["by", "", "", ""], rows),
            "A model of twice the depth has twice the cut-offs, and each of them twice the layers to run: fourfold work"
            " for whoever runs each cut-off, the published loop included. Ours falls from"
            f" {per_layer[0]:.0f} to {per_layer[-1]:.0f} ms for each cut-off and layer, since what is below a cut-off"
            " is shared and the head is the same.", "",
        ],
    )  # fmt: skip


def _memory(memory: dict[str, Any], asked: dict[str, float]) -> Part:
    ratio = memory["ours / one clean batched generate"]
    return Part(
        [("its peak memory, beside one clean `generate` of the same rows", f"≤ {asked['memory']} times",
          f"{ratio:.2f} times", ratio <= asked["memory"])],
        ["Memory at its highest while the rows of one language pair and setting are made, the model in it:"
         f" {memory['gb']['ours']['peak']:.2f} GB, beside {memory['gb']['generate']['peak']:.2f} GB for one clean"
         " `generate`.", ""],
    )  # fmt: skip


def _span(values: Any) -> str:
    low, high = min(values), max(values)
    return f"{low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f}"


def _times(pair: dict[str, Any], name: str, versions: list[str]) -> list[str]:
    return [f"{pair['seconds'][f'nnsight {version}'] / pair['seconds'][name]:.1f}" for version in versions]


def _agreement(pair: dict[str, Any]) -> str:
    told = [
        f"{one['texts']} texts {one['same']} are those of nnsight {version}, probabilities within"
        f" {one['largest difference']:.0e}"
        for version, one in pair["agreement"].items()
    ]
    return ", and of ".join(told)


def device_sweep(found: dict[str, Any]) -> Part:
    by_dtype = {name: found[name] for name in DEVICE_DTYPES}
    times = [one["times published"] for one in by_dtype.values()]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return Part(
        [(f"one setting on one {found['device']}, beside the published way", "", f"{_span(times)} times", None)],
        [
            "## Generation on a GPU", "",
            f"`python benchmarks/device_sweep.py TOKENIZER`, on one {found['device']}, {versions}. A model of the shape"
            " of EuroLLM-1.7B with random weights, ten tokens for every answer. *One setting* has three source"
            " languages and all 24 layers; the published way (for every layer a forward and a `generate`, with plain"
            " hooks) and the floor make the same rows. Rows a second are of a whole language pair, all settings;"
            " *share* is what that reaches of the operations a second of a large matrix product, which stands beside.",
            "",
            *grid(
                ["precision", "prompt pairs", "rounds", "one setting, s", "times published", "of the floor",
                 "rows a second", "product, TFLOP/s", "share", "peak, GB"],
                [[name, str(one["prompts"]), str(one["rounds"]), f"{one['one setting, s']['ours']:.2f}",
                  f"{one['times published']:.1f}", f"{one['ours / floor']:.2f}", f"{one['rows a second']:,}",
                  f"{one['product, TFLOP/s']:.0f}", f"{one['share']:.2f}", f"{one['peak GB']:.1f}"]
                 for name, one in by_dtype.items()],
            ),
        ],
    )  # fmt: skip


def pairing(found: list[dict[str, Any]]) -> Part:
    most = next(one for one in found if one["concepts"] == 2000)
    return Part(
        [(f"{most['pairs']} prompt pairs of 2,000 concepts in {most['languages']} languages", "< 10 s",
          f"{most['seconds']:.2f} s", most["seconds"] < 10)],
        [
            "## Pairing concepts", "",
            f"`python benchmarks/pairing.py`: {most['pairs']} prompt pairs with five examples each, beside a plain loop"
            " that looks at every concept for every choice. Seconds of the processor.", "",
            *grid(["concepts", "seconds", "plain loop, s", "times", "a concept is source"], [
                [f"{one['concepts']:,}", f"{one['seconds']:.2f}",
                 f"{one['plain_loop_seconds']:.1f}" if one["plain_loop_seconds"] else "",
                 f"{one['ratio']:.0f}" if one["ratio"] else "", f"{one['used_least']} to {one['used_most']} times"]
                for one in found
            ]),
        ],
    )  # fmt: skip
