from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.engines import Watch
from gainsift.generation.run import generate
from gainsift.schemas.concepts import PromptPair
from gainsift.schemas.errors import GainsiftError, UserError, WorkError
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.study import Study


def rows_of(study: Study) -> dict[str, dict[str, Any]]:
    """Every row by its id. Fails if an id comes twice."""
    rows = study.translations().to_pylist()
    by_id = {row["row_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def same(first: dict[str, dict[str, Any]], second: dict[str, dict[str, Any]]) -> bool:
    return sorted(first) == sorted(second) and all(
        first[name] == pytest.approx(second[name], abs=1e-5)
        if isinstance(first[name], float)
        else {k: v for k, v in first[name].items() if not k.endswith("mass") and not k.startswith("p_")}
        == {k: v for k, v in second[name].items() if not k.endswith("mass") and not k.startswith("p_")}
        for name in first
    )


def inside(study: Study) -> dict[str, bytes]:
    """Every file of the study folder but study.yaml."""
    files = [path for path in study.folder.rglob("*") if path.is_file() and path.name != "study.yaml"]
    return {str(path.relative_to(study.folder)): path.read_bytes() for path in files}


def test_a_study_from_words_to_rows(maker: Any) -> None:
    study = maker.study([maker.model("c1"), maker.model("c2", seed=5)])
    seen: list[Any] = []
    summary = generate(study, watch=Watch(total=lambda *n: seen.append(n), advance=seen.append))
    rows = rows_of(study)
    # 4 prompt pairs x (2 unpatched + 4 layers x 4 settings) for fr-en, 5 settings for en-fr; two checkpoints
    assert len(rows) == summary.rows == summary.rows_written == 2 * 4 * (18 + 22)
    assert seen[0] == (len(rows), 0)
    assert sum(seen[1:]) == len(rows)
    assert (summary.files, summary.files_written, summary.prompt_pairs, summary.concepts) == (4, 4, 4, 20)
    assert {(row["checkpoint"], row["step"], row["tokens"]) for row in rows.values()} == {
        ("c1", 10, 1000),
        ("c2", 20, 2000),
    }
    answers = [{row["raw"] for row in rows.values() if row["checkpoint"] == name} for name in ("c1", "c2")]
    assert answers[0] != answers[1]  # another model, other answers
    assert set(study.concepts) == {concept.id for concept in study.concepts.values()}
    assert all(isinstance(pair, PromptPair) for pair in study.prompt_pairs)
    pairs = {pair.pair_id for pair in study.prompt_pairs}
    assert {row["pair_id"] for row in rows.values()} == pairs


def test_the_files_say_what_they_hold(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    (path,) = (study.translations_folder / "c1").glob("fr-en.0000-0003.*.parquet")
    metadata = pq.read_schema(path).metadata
    assert json.loads(metadata[b"languages"]) == ["en", "fr", "de", "es"]
    record = json.loads((study.translations_folder / "run.json").read_text())
    assert record["inputs"]["study.yaml"] == file_hash(study.config_file)
    assert record["inputs"]["prompts.parquet"] == file_hash(study.prompts_file)
    assert record["seeds"] == {"prompts": 7}
    assert record["counts"]["rows"] == 160
    assert record["settings"]["checkpoints"]["c1"]["dtype"] == "float32"
    listed = json.loads((study.translations_folder / "c1" / "preparation.json").read_text())
    assert listed["refused"] == []


def test_explicit_layers_and_settings(maker: Any) -> None:
    study = maker.study(
        [maker.model("c1")],
        generation={"settings": ["tgt", "self"], "layers": [3, 1, 1], "max_new_tokens": 2},
        annotation={"rows": {"settings": ["tgt"]}},
    )
    generate(study)
    rows = rows_of(study).values()
    found = {(row["input_language"], row["setting"], row["layer"]) for row in rows}
    assert found == {("fr", "tgt", 1), ("fr", "tgt", 3), *(("en", s, j) for s in ("tgt", "self") for j in (1, 3))}
    assert len(rows) == 4 * len(found)


def test_a_second_run_keeps_every_byte(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    before = inside(study)
    summary = generate(study)
    assert (summary.rows, summary.rows_written, summary.files_written) == (160, 0, 0)
    assert inside(study) == before


def test_a_stopped_run_goes_on_with_the_missing_files(maker: Any) -> None:
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    whole = maker.study(models, "whole")
    generate(whole)
    study = maker.study(models, "stopped")

    class Stop(Exception):
        pass

    def stop_in_the_third_file(line: str) -> None:
        finished.append(line)

    def advance(rows: int) -> None:
        if len(finished) == 2:
            raise Stop

    finished: list[str] = []
    with pytest.raises(Stop):
        generate(study, watch=Watch(advance=advance, say=stop_in_the_third_file))
    there = {path: path.read_bytes() for path in study.translation_files()}
    assert len(there) == 2
    summary = generate(study)
    assert summary.files_written == 2
    assert summary.rows == 320
    for path, content in there.items():
        assert path.read_bytes() == content
    assert same(rows_of(study), rows_of(whole))


def test_a_killed_run_goes_on_too(maker: Any) -> None:
    """SIGKILL as soon as the first file stands: nothing half-written is ever read."""
    models = [maker.model(f"c{i}", seed=i) for i in range(1, 4)]
    whole = maker.study(models, "whole")
    generate(whole)
    study = maker.study(models, "killed")
    code = "import sys, pathlib; from gainsift.schemas.study import Study; from gainsift.generation.run import generate"
    code += "; generate(Study.open(pathlib.Path(sys.argv[1])), batch_size=1)"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", code, str(study.folder)], env=environment)
    try:
        deadline = time.monotonic() + 120
        while not study.translation_files() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = len(study.translation_files())
    assert 1 <= done < 6
    summary = generate(study)
    assert summary.files_written == 6 - done
    assert same(rows_of(study), rows_of(whole))


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"generation": {"max_new_tokens": 2}}, "max_new_tokens"),
    ({"generation": {"max_new_tokens": 4, "layers": [0]}}, "layers"),
    ({"generation": {"max_new_tokens": 4, "settings": ["unpatched", "tgt"]}}, "settings"),
    ({"prompts": {"pairs": 4, "shots": 3, "seed": 8}}, "prompt pairs"),
    ({"trained_languages": ["en", "fr", "es", "de"]}, "languages"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES)
def test_a_changed_request_is_refused_by_name_and_redone_on_demand(
    maker: Any, change: dict[str, Any], named: str
) -> None:
    model = maker.model("c1")
    generate(maker.study([model]))
    study = maker.study([model], **change)
    before = inside(study)
    with pytest.raises(
        UserError, match=rf"en.0000-0003.\w+.parquet: was generated with other .*{named}.*--redo to make 2 files anew"
    ):
        generate(study)
    assert inside(study) == before
    assert generate(study, redo=True).files_written == 2
    fresh = maker.study([model], "fresh", **change)
    generate(fresh)
    assert same(rows_of(study), rows_of(fresh))


def test_changed_words_and_weights_are_noticed(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    maker.model("c1", seed=9)
    with pytest.raises(UserError, match="other model files"):
        generate(study)
    maker.model("c1")
    assert generate(study).files_written == 0
    words = maker.root / "words.jsonl"
    changed = words.read_text("utf-8").replace('"chien"', '"clebs"')
    assert changed != words.read_text("utf-8")
    words.write_text(changed, "utf-8")
    with pytest.raises(UserError, match="other words"):
        generate(study)


def test_another_precision_is_noticed_and_comes_close(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    exact = rows_of(study)
    with pytest.raises(UserError, match="precision"):
        generate(study, dtype="bfloat16")
    generate(study, dtype="bfloat16", redo=True)
    coarse = rows_of(study)
    assert sorted(coarse) == sorted(exact)
    worst = max(abs(coarse[name]["p_source"] - exact[name]["p_source"]) for name in exact)
    assert 0 < worst < 0.1


def test_a_new_checkpoint_or_language_pair_adds_files_only(maker: Any) -> None:
    first = maker.model("c1")
    generate(maker.study([first], language_pairs=[["fr", "en"]]))
    more = maker.study([first, maker.model("c2", seed=5)])
    summary = generate(more)
    assert (summary.rows_written, summary.files_written) == (160 + 88, 3)


def test_files_of_no_job_are_refused_and_deleted_on_demand(maker: Any) -> None:
    first = maker.model("c1")
    generate(maker.study([first, maker.model("c2", seed=5)]))
    study = maker.study([first])
    with pytest.raises(
        UserError, match=r"c2/en-fr\.0000-0003\.\w+\.parquet: belongs to no checkpoint .* delete 2 files"
    ):
        generate(study)
    generate(study, redo=True)
    assert {row["checkpoint"] for row in rows_of(study).values()} == {"c1"}


def test_a_damaged_file_is_named(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    (path,) = (study.translations_folder / "c1").glob("en-fr.*")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match=r"en-fr\.\S+\.parquet: .*damaged"):
        generate(study)
    generate(study, redo=True)
    assert len(rows_of(study)) == 160


def test_concepts_without_a_word_in_some_language_are_left_out_and_counted(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    path = maker.root / "words.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    del lines[0]["reference"]["es"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    summary = generate(study)
    assert summary.concepts == 19
    assert summary.left_out == {"no word in some study language": 1}
    assert lines[0]["id"] not in study.concepts
    shorter = {"source": "concepts", "file": "../shorter.jsonl", "limit": 15}
    shutil.copy(path, maker.root / "shorter.jsonl")
    limited = maker.study([maker.root / "models" / "c1"], "limited", words=shorter)
    assert generate(limited).left_out == {"no word in some study language": 1, "beyond words.limit": 4}
    assert len(limited.concepts) == 15


def test_a_words_file_inside_the_study_is_never_rewritten(maker: Any) -> None:
    study = maker.study([maker.model("c1")], words={"source": "concepts", "file": "concepts.jsonl", "limit": 15})
    shutil.copy(maker.root / "words.jsonl", study.concepts_file)
    before = study.concepts_file.read_bytes()
    generate(study)
    assert study.concepts_file.read_bytes() == before


def test_refused_pairs_have_no_rows_and_are_listed(maker: Any) -> None:
    """Under this tokenizer one token joins a last letter g with the closing quote."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = ["<pad>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet()), 'g"']
    raw = Tokenizer(models.BPE({piece: i for i, piece in enumerate(alphabet)}, [("g", '"')]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    maker.tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<end>")
    study = maker.study(
        [maker.model("c1")],
        prompts={"pairs": 20, "shots": 1, "seed": 7},
        generation={"settings": ["unpatched", "tgt"], "layers": [1], "max_new_tokens": 2},
    )
    summary = generate(study)
    listed = json.loads((study.translations_folder / "c1" / "preparation.json").read_text())["refused"]
    # only *dog* and *king* end in g in English, and en-fr asks the English word; the examples' words do not count
    barred = {p.pair_id for p in study.prompt_pairs if {"dog", "king"} & {p.source_concept, p.target_concept}}
    assert 2 <= len(barred) <= 4  # each concept stands once as source and once as target
    found = {(entry["pair_id"], entry["input"], entry["output"]) for entry in listed}
    assert found == {(pair_id, "en", "fr") for pair_id in barred}
    assert all("reaches beyond the end of the word" in entry["reason"] for entry in listed)
    assert summary.refused == len(barred)
    rows = rows_of(study).values()
    assert not [row for row in rows if row["input_language"] == "en" and row["pair_id"] in barred]
    assert len(rows) == 3 * (20 + 20 - len(barred))


def wrong(study: Study, **options: Any) -> GainsiftError:
    """The error of a run that must leave nothing behind."""
    before = inside(study)
    with pytest.raises(GainsiftError) as caught:
        generate(study, **options)
    assert inside(study) == before
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_model_folder_without_tokenizer(maker: Any) -> None:
    error = wrong(maker.study([maker.model("good"), maker.model("c1", tokenizer=False)]))
    assert isinstance(error, UserError)
    assert "checkpoint c1" in str(error)
    assert "no tokenizer in the model folder" in str(error)


def test_a_layer_out_of_range(maker: Any) -> None:
    error = wrong(maker.study([maker.model("c1")], generation={"layers": [0, 4]}))
    assert isinstance(error, UserError)
    assert "layer 4 is out of range for checkpoint c1; its layers are 0 to 3" in str(error)


def test_an_unknown_setting(maker: Any) -> None:
    with pytest.raises(UserError, match=r"unknown setting 'sean'; did you mean seen\?"):
        maker.study([maker.model("c1")], generation={"settings": ["sean"]})


def test_a_language_pair_without_a_setting_has_no_rows(maker: Any) -> None:
    """`self`, copying in the output language, does not exist into English."""
    generation = {"settings": ["self"], "max_new_tokens": 2}
    study = maker.study([maker.model("c1")], generation=generation, annotation={"rows": {"settings": ["self"]}})
    assert generate(study).rows == 4 * 4  # prompt pairs × layers of en-fr alone
    assert set(study.translations()["output_language"].to_pylist()) == {"fr"}
    assert generate(study).rows_written == 0


def test_folders_that_hold_no_usable_model(maker: Any) -> None:
    model = maker.model("c1")
    assert "no such model folder" in str(wrong(maker.study([maker.root / "models" / "c9"])))
    pickled = maker.model("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "no *.safetensors weights" in str(wrong(maker.study([pickled])))
    broken = maker.model("broken")
    (broken / "config.json").write_text("{")
    assert "cannot load its configuration" in str(wrong(maker.study([broken])))
    on_a_gpu = Checkpoint(CheckpointSpec(name="broken", path=str(broken)), broken)
    for text in ("{", "[1]", "\ud800"):
        (broken / "config.json").write_text(text, "utf-8", "surrogatepass")
        with pytest.raises(UserError, match="cannot load its configuration"):
            on_a_gpu.dtype("auto", "cuda")  # looks for the precision of the weights there
    code = maker.model("code")
    data = json.loads((code / "config.json").read_text())
    data |= {"model_type": "mine", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (code / "config.json").write_text(json.dumps(data))
    (code / "evil.py").write_text(f"open({str(maker.root / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    assert "cannot load its configuration" in str(wrong(maker.study([code])))
    assert not (maker.root / "ran").exists()
    generate(maker.study([model]))


def test_weights_that_do_not_fill_the_model_are_refused(maker: Any) -> None:
    model = maker.model("c1")
    data = json.loads((model / "config.json").read_text())
    data["num_hidden_layers"] = 5
    data.pop("layer_types", None)
    (model / "config.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"checkpoint c1: .* weights are missing, the first is model.layers.4"):
        generate(maker.study([model]))


def test_a_model_too_short_for_the_prompts(maker: Any) -> None:
    model = maker.model("c1")
    data = json.loads((model / "config.json").read_text())
    data["max_position_embeddings"] = 40
    (model / "config.json").write_text(json.dumps(data))
    assert "the model has 40 positions" in str(wrong(maker.study([model])))


def test_outputs_that_are_no_numbers_are_failed_work(maker: Any) -> None:
    from safetensors.torch import load_file, save_file

    model = maker.model("c1")
    weights = load_file(model / "model.safetensors")
    weights["lm_head.weight"][:] = float("nan")
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(GainsiftError) as caught:
        generate(maker.study([model]))
    assert isinstance(caught.value, WorkError)
    assert "not finite" in str(caught.value)


def test_too_few_concepts(maker: Any) -> None:
    error = wrong(maker.study([maker.model("c1")], words={"source": "concepts", "file": "../words.jsonl", "limit": 7}))
    assert "7 concepts have words in all of en, fr, de, es; prompts with 3 examples need at least 8" in str(error)


def test_an_unreadable_words_file(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    words: Path = maker.root / "words.jsonl"
    words.write_bytes(words.read_bytes() + b'{"format": "concept/1", "id": "x"}\n')
    assert "words.jsonl:21: key 'gloss' is missing" in str(wrong(study))
