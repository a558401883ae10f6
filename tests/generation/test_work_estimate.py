"""What a dry run foretells is what a run does: rows to the row, token-forwards counted where tokens enter layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gainsift.generation.forecast import forecast
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.plan import make_plan
from gainsift.generation.ready import prepare
from gainsift.generation.run import generate
from gainsift.generation.translate import Translator
from gainsift.generation.work_estimate import Size, Work, shared, size_of
from gainsift.schemas.study import Study


@pytest.fixture
def counting(benchmark: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Any:
    """counting(): counts token-forwards; not what is run once after loading, to see whether a model can be swept."""
    monkeypatch.setattr("gainsift.generation.translate.check_exactness", lambda *_: None)
    return benchmark("token_forwards").counting


def foretold(study: Study, shard_rows: int = 20_000) -> Any:
    engine = LocalEngine()
    plan = make_plan(study, engine.device("cpu"), "auto")
    return forecast(plan, prepare(plan, shard_rows), engine, "auto")


@pytest.mark.parametrize(
    "generation",
    [
        {},
        {"settings": ["tgt", "self"], "layers": [0, 2]},
        {"settings": ["unpatched", "seen"], "layers": [3]},
        {"settings": ["unpatched"]},
        {"settings": ["tgt_tgt"]},
    ],
)
def test_token_forwards_are_those_of_the_run(maker: Any, counting: Any, generation: dict[str, Any]) -> None:
    """With one new token nothing is decoded beyond what the prompts give; a batch is one prompt with all its rows."""
    study = maker.study([maker.model("c1")], generation={"max_new_tokens": 1, **generation},
                        annotation={"rows": {"settings": generation.get("settings", ["tgt"])[:1]}})  # fmt: skip
    found = foretold(study)
    most_rows = 1 + 5 * 4
    with counting() as counted:
        summary = generate(study, batch_size=most_rows)
    assert found.total("rows") == summary.rows
    assert found.total("files") == summary.files_written
    assert found.total("token_forwards") == pytest.approx(counted.forwards, abs=0.51)
    assert found.total("token_forwards") == found.total("token_forwards_at_most")


def test_decoding_stays_below_what_is_foretold_at_most(maker: Any, counting: Any) -> None:
    study = maker.study([maker.model("c1"), maker.model("c2", seed=5)])
    found = foretold(study)
    with counting() as counted:
        generate(study, batch_size=21)
    assert found.total("token_forwards_at_most") >= counted.forwards
    assert found.total("token_forwards_at_most") > found.total("token_forwards")
    again = foretold(study)
    assert (again.total("files"), again.total("files_done"), again.seconds) == (0, 4, 0)


def test_cuts_change_neither_rows_nor_forwards(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    whole, cut = foretold(study), foretold(study, 1)
    assert (cut.total("files"), whole.total("files")) == (8, 2)
    for name in ("rows", "prompts", "token_forwards", "token_forwards_at_most"):
        assert whole.total(name) == cut.total(name)
    assert whole.total("source_vector_bytes") == 4 * cut.total("source_vector_bytes")


@pytest.mark.parametrize(("part", "shard_rows"), [(4, 20_000), (1, 1)])
@pytest.mark.parametrize(
    ("settings", "prompts"),
    [
        # vectors of source prompts: fr-en and en-fr; de-es and es-de, which both share; en-en; fr-fr
        (["unpatched"], 2),
        (["unpatched", "tgt"], 2),
        (["unpatched", "tgt", "seen", "en_en", "self", "tgt_tgt"], 6),
        (["seen", "tgt_tgt"], 2),
        (["tgt_tgt"], 0),
    ],
)
def test_vectors_are_those_that_the_bank_holds(
    maker: Any, monkeypatch: pytest.MonkeyPatch, settings: list[str], prompts: int, part: int, shard_rows: int
) -> None:
    table, banks = Translator.table, []

    def watched(translator: Translator, *arguments: Any) -> Any:
        made = table(translator, *arguments)
        vectors = [one for held in translator.bank._held.values() for one in held.values()]
        parts = {part.data_ptr(): part.nbytes() for part in (one.untyped_storage() for one in vectors)}
        banks.append(sum(parts.values()))
        return made

    monkeypatch.setattr(Translator, "table", watched)
    study = maker.study([maker.model("c1")], generation={"max_new_tokens": 1, "settings": settings},
                        annotation={"rows": {"settings": settings[:1]}})  # fmt: skip
    found = foretold(study, shard_rows).total("source_vector_bytes")
    generate(study, shard_rows=shard_rows)
    # the prompt pairs of a shard, four layers of width 32 in float32
    assert found == prompts * part * 4 * 32 * 4 == max(banks)


def test_bytes_are_near_those_of_the_files(maker: Any) -> None:
    """A file's own share weighs most here; rows of real outputs are in docs/scale.md."""
    study = maker.study([maker.model("c1")])
    found = foretold(study).total("disk_bytes")
    generate(study)
    assert 0.5 < sum(path.stat().st_size for path in study.translation_files()) / found < 2


def test_what_layers_compute_of_what_follows_the_word() -> None:
    """By hand: 4 layers, 2 sources, every cut-off: layer l has 1 shared row and 2 l of their own: 1, 3, 5, 7."""
    assert shared([0, 1, 2, 3], 2, True, 4) == 4
    assert shared([3], 1, False, 4) == 1  # nothing reaches beyond the last layer
    assert shared([0], 1, False, 4) == 1  # one row: shared with itself in layer 0, alone above
    assert shared([], 0, True, 4) == 1


def test_the_size_of_a_model_is_that_of_its_weights(maker: Any) -> None:
    from safetensors import safe_open
    from transformers import AutoConfig

    folder: Path = maker.model("c1")
    with safe_open(folder / "model.safetensors", "pt") as file:
        sizes = {name: file.get_tensor(name).numel() for name in file.keys()}  # noqa: SIM118
    size = size_of(AutoConfig.from_pretrained(folder))
    inside = sum(number for name, number in sizes.items() if "embed" not in name and "lm_head" not in name)
    assert (size.weights, size.body, size.layers, size.width) == (sum(sizes.values()), inside, 4, 32)
    assert size.head == sizes["lm_head.weight"]


def test_operations_by_hand() -> None:
    assert Size(10, 5, 20, 2, 3).flops(Work(forwards=100, heads=7)) == 2 * (10 * 100 + 5 * 7)
