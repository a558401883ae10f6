"""The sweep against patching that others wrote: every layer of SmolLM2-135M by nnsight, one generation after the other.

What runs nnsight is benchmarks/nnsight_loop.py, in a process of its own that cannot ask the hub.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from gainsift.schemas.rows import Translation

PAIR = ("en", "fr")
PROMPT_PAIRS, SHOTS, NEW_TOKENS = 3, 2, 4
# written by hand from the definitions; `tgt_tgt` takes the target prompts' own vectors
SEEN = [("de", "es"), ("de", "it"), ("es", "de"), ("es", "it"), ("it", "de"), ("it", "es")]
SOURCES = {
    "seen": [("source", pair) for pair in SEEN],
    "self": [("source", ("fr", "fr"))],
    "tgt_tgt": [("target", PAIR)],
}
LAYERS = {"seen": list(range(30)), "self": [0, 9, 19, 29], "tgt_tgt": [0, 19]}
"""Of 30. nnsight takes half a second for each."""
CLOSE, SHIFTED = 1e-5, 1e-3
Key = tuple[str, str, int | None, int]
"""Setting, prompt, layer, prompt pair."""


@pytest.fixture(scope="module")
def asked(benchmark: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The prompts of both: for the product, and as texts for nnsight."""
    folder = benchmark("sweep_models").small_model(tmp_path_factory.mktemp("model"))
    generation = {"max_new_tokens": NEW_TOKENS, "settings": ["unpatched", *SOURCES]}
    return benchmark("sweep_request").Request(folder, [PAIR], PROMPT_PAIRS, SHOTS, **generation)


@pytest.fixture(scope="module")
def expected(
    asked: Any, benchmark: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> dict[Key, tuple[str, list[float]]]:
    """nnsight's next tokens, and its probabilities of both concepts' first tokens in every language."""
    runs: dict[tuple[str, str], dict[str, Any]] = {
        ("unpatched", kind): {**asked.unpatched(PAIR, kind), "layers": [0]} for kind in ("source", "target")
    }
    for setting, keys in SOURCES.items():
        runs[setting, "target"] = {**asked.run(PAIR, keys), "layers": LAYERS[setting]}
    layer_sweep = benchmark("layer_sweep")
    job = layer_sweep.write_job(tmp_path_factory.mktemp("job"), asked, 1, list(runs.values()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        told = layer_sweep.ask(sys.executable, job)
    return {
        (setting, kind, None if setting == "unpatched" else layer, pair): (text, shares)
        for (setting, kind), run, texts, probabilities in zip(
            runs, runs.values(), told["texts"], told["probabilities"], strict=True
        )
        for layer, texts_of_layer, shares_of_layer in zip(run["layers"], texts, probabilities, strict=True)
        for pair, (text, shares) in enumerate(zip(texts_of_layer, shares_of_layer, strict=True))
    }


@pytest.fixture(scope="module")
def rows(asked: Any) -> dict[Key, Translation]:
    """The product's rows, all 30 layers of every setting."""
    translator = asked.translator(asked.model(), to_the_end=False)
    places = {pair.pair_id: place for place, pair in enumerate(translator.pairs)}
    table = translator.table(PAIR, range(PROMPT_PAIRS), lambda rows: None)
    found = {
        (row.setting, row.prompt, row.layer, places[row.pair_id]): row
        for row in map(Translation.model_validate, table.to_pylist())
    }
    assert len(found) == len(table) == PROMPT_PAIRS * (2 + len(SOURCES) * 30)
    return found


def test_nnsight_says_the_same_of_every_row(
    rows: dict[Key, Translation], expected: dict[Key, tuple[str, list[float]]]
) -> None:
    assert len(expected) == PROMPT_PAIRS * (2 + 30 + 4 + 2)
    for key, (text, probabilities) in expected.items():
        answer, quote, _ = text.partition('"')
        row = rows[key]
        assert (row.answer, row.closed) == (answer, bool(quote)), key
        assert [*row.source_mass, *row.target_mass] == pytest.approx(probabilities, abs=CLOSE), key


def test_one_layer_or_one_prompt_pair_off_would_be_noticed(expected: dict[Key, tuple[str, list[float]]]) -> None:
    """In every prompt pair nnsight's own probabilities move with the layer by far more than what is held equal."""

    def moved(one: Key, other: Key) -> float:
        return max(abs(a - b) for a, b in zip(expected[one][1], expected[other][1], strict=True))

    for pair in range(PROMPT_PAIRS):
        assert max(moved(("seen", "target", n, pair), ("seen", "target", n + 1, pair)) for n in range(29)) > SHIFTED
        following = (pair + 1) % PROMPT_PAIRS
        assert moved(("seen", "target", 0, pair), ("seen", "target", 0, following)) > SHIFTED
        assert moved(("seen", "target", 0, pair), ("unpatched", "target", None, pair)) > SHIFTED
        assert moved(("tgt_tgt", "target", 0, pair), ("unpatched", "target", None, pair)) < CLOSE
