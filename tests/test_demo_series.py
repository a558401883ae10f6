"""The demo's own checkpoints: the text they learn from, and that a series is whole, repeatable and found again."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from gainsift.generation.demo_lines import Inventor, LineSource, meanings_by_form, tokenizer_text
from gainsift.generation.demo_optimiser import BETAS, ITERATIONS, Muon, orthogonalised
from gainsift.generation.demo_recipe import Mixture, SeriesRecipe
from gainsift.generation.demo_series import MANIFEST, SeriesManifest, finished_series, train_series
from gainsift.generation.demo_tokenizer import train_tokenizer
from gainsift.generation.demo_training import (
    IGNORED,
    batches,
    encode,
    fixed_arithmetic,
    learning_rate,
    new_model,
    padded,
)
from gainsift.generation.prompts import build_prompt
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.errors import UserError

WORDS = [
    ("bank.money", "bank", "Bank", "banque"),
    ("dog", "dog", "Hund", "chien"),
    ("cat", "cat", "Katze", "chat"),
    ("house", "house", "Haus", "maison"),
    ("tree", "tree", "Baum", "arbre"),
    ("water", "water", "Wasser", "eau"),
    ("bread", "bread", "Brot", "pain"),
    ("moon", "moon", "Mond", "lune"),
    ("bank.river", "bank", "Ufer", "rive"),
    ("milk", "milk", "Milch", "lait"),
]
RIVER = Sense(id="bank.river", gloss="edge of a river", forms={"en": ["bank"], "de": ["Ufer"], "fr": ["rive"]})
BENCH = Sense(id="bench", gloss="long seat", forms={"en": ["bench"], "de": ["Bank"], "fr": ["banc"]})
CONCEPTS = [
    Concept(
        id=name,
        gloss=name,
        reference={"en": [en], "de": [de], "fr": [fr]},
        accepted={"de": ["Hündchen"]} if name == "dog" else {},
        senses=[RIVER, BENCH] if name == "bank.money" else [],
    )
    for name, en, de, fr in WORDS
]
PLAIN = [concept for concept in CONCEPTS if not concept.id.startswith("bank")]
TINY = SeriesRecipe(
    languages=("en", "de", "fr"),
    layers=2,
    hidden=32,
    heads=2,
    feed_forward=64,
    vocabulary=330,
    batch=8,
    warmup=5,
    threads=1,
    checkpoints=(5, 15, 30),
    mixture=(Mixture(step=0, copying=0.4, invented=0.5, main_sense=0.75),),
)
LEARNER = TINY.model_copy(
    update={
        "hidden": 64,
        "feed_forward": 128,
        "batch": 24,
        "learning_rate": 5e-3,
        "checkpoints": (20, 300),
        "mixture": (Mixture(step=0, copying=0.05, invented=1, main_sense=0.8),),
    }
)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "series"
    train_series(folder, TINY, concepts=CONCEPTS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the checkpoints by name."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.glob("step-*/*"))}


class Steps:
    """A progress callback that remembers its calls and can stop the training."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.calls: list[tuple[int, int]] = []
        self.stop_at = stop_at

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))
        if done == self.stop_at:
            raise KeyboardInterrupt


# --- the text that is learned ------------------------------------------------------------------------------


def test_mixture_is_linear_between_its_steps() -> None:
    recipe = TINY.model_copy(
        update={
            "mixture": (
                Mixture(step=10, copying=0.9, invented=0.6, main_sense=0.2),
                Mixture(step=30, copying=0.1, invented=1.0, main_sense=0.8),
            )
        }
    )
    assert recipe.mixture_at(0).copying == 0.9  # before the first: constant
    middle = recipe.mixture_at(15)  # a quarter of the way
    assert middle.copying == pytest.approx(0.7)  # .9 - .8/4
    assert middle.invented == pytest.approx(0.7)  # .6 + .4/4
    assert middle.main_sense == pytest.approx(0.35)  # .2 + .6/4
    assert recipe.mixture_at(99).main_sense == 0.8  # after the last: constant


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"checkpoints": (5, 5)}, "rising"),
        ({"checkpoints": ()}, "rising"),
        ({"mixture": (TINY.mixture[0], TINY.mixture[0])}, "rising"),
        ({"hidden": 33}, "multiple"),
        ({"languages": ("en", "en")}, "differ"),
        ({"languages": ("en",)}, "differ"),
        ({"wheels": 4}, "Extra"),
    ],
)
def test_recipe_refuses_what_cannot_be_trained(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        SeriesRecipe.model_validate({**TINY.model_dump(), **change})


def test_default_recipe_has_copying_first_and_moving_senses() -> None:
    recipe = SeriesRecipe()
    start, end = recipe.mixture_at(0), recipe.mixture_at(recipe.steps)
    assert len(recipe.checkpoints) >= 8
    assert start.copying > 0.5 > end.copying
    assert start.main_sense < 0.5 < end.main_sense
    assert recipe.copying_peak == 300
    assert TINY.copying_peak == TINY.steps  # its mixture never changes


def test_meanings_of_a_form_main_one_first_and_each_once() -> None:
    english, german = dict(meanings_by_form(CONCEPTS, "en")), dict(meanings_by_form(CONCEPTS, "de"))
    assert [name for name, _ in english["bank"]] == ["bank.money", "bank.river"]  # concept and sense merged
    assert [name for name, _ in german["Bank"]] == ["bank.money", "bench"]  # en bench is no spelling of "bank"
    assert [name for name, _ in english["dog"]] == ["dog"]
    assert len(english) == 9  # ten concepts, "bank" twice


def near(count: int, total: int, share: float) -> bool:
    """Whether a binomial count lies within five standard deviations."""
    return abs(count - total * share) <= 5 * math.sqrt(total * share * (1 - share))


def test_lines_have_the_documented_proportions() -> None:
    mixture = Mixture(step=0, copying=0.4, invented=0.7, main_sense=0.8)
    source = LineSource(CONCEPTS, TINY, random.Random(7))
    lines = [source.line(("en", "de"), mixture) for _ in range(20_000)]
    kinds = Counter(line.kind for line in lines)
    copied = kinds["copy"] + kinds["invented"]
    assert near(copied, 20_000, 0.4)
    assert near(kinds["invented"], copied, 0.7)
    assert all((line.asked == line.answer) == (line.kind in ("copy", "invented")) for line in lines)
    # every form is asked equally often, whatever the number of its meanings: "bank" is one form of nine
    ambiguous = [line for line in lines if line.kind in ("main_sense", "other_sense")]
    assert near(len(ambiguous), 20_000 - copied, 1 / 9)
    assert near(kinds["main_sense"], len(ambiguous), 0.8)
    assert {(line.asked, line.answer, line.kind) for line in ambiguous} == {
        ("bank", "Bank", "main_sense"),
        ("bank", "Ufer", "other_sense"),
    }


def test_language_pairs_have_the_documented_proportions() -> None:
    recipe = TINY.model_copy(update={"with_english": 0.6, "same_language": 0.1})
    source = LineSource(CONCEPTS, recipe, random.Random(3))
    pairs = Counter(source.pair() for _ in range(20_000))
    assert set(pairs) == {(a, b) for a in recipe.languages for b in recipe.languages}
    same = sum(count for (a, b), count in pairs.items() if a == b)
    english = sum(count for (a, b), count in pairs.items() if a != b and "en" in (a, b))
    assert near(same, 20_000, 0.1)
    assert near(english, 20_000 - same, 0.6)
    assert near(pairs["en", "de"], english, 1 / 4)  # two other languages, two directions


def test_a_sequence_is_a_prompt_with_its_answer() -> None:
    source = LineSource(PLAIN, TINY.model_copy(update={"synonym_habit": 0.0}), random.Random(1))
    mixture = Mixture(step=0, copying=0, invented=0, main_sense=1)
    own = {"English": "en", "Deutsch": "de", "Français": "fr"}
    seen = set()
    for _ in range(50):
        text = "".join("".join(part) for part in source.sequence(mixture))
        lines = text.splitlines()
        assert len(lines) == TINY.lines
        pair = own[lines[0].split(":")[0]], own[lines[0].split(" - ")[1].split(":")[0]]
        shown = [next(c for c in PLAIN if c.word(pair[0]) == line.split('"')[1]) for line in lines]
        answer = lines[-1].split('"')[3]
        assert text == build_prompt(pair, shown[:-1], shown[-1]).text + answer + '"\n'
        assert answer in shown[-1].forms(pair[1])
        seen.add(pair)
    assert len(seen) > 5


def test_synonym_habit_decides_which_right_word_is_learned() -> None:
    mixture = Mixture(step=0, copying=0, invented=0, main_sense=1)
    for habit, expected in ((0.0, "Hund"), (1.0, "Hündchen")):
        source = LineSource(CONCEPTS, TINY.model_copy(update={"synonym_habit": habit}), random.Random(2))
        lines = [source.line(("en", "de"), mixture) for _ in range(400)]
        assert {line.answer for line in lines if line.asked == "dog"} == {expected}


def test_invented_words_are_new_and_varied() -> None:
    words = [concept.word(code) for concept in CONCEPTS for code in TINY.languages]
    inventor = Inventor(words)
    made = [inventor.word(random.Random(seed)) for seed in range(300)]
    assert not {word.casefold() for word in made} & {word.casefold() for word in words}
    assert len(set(made)) > 50
    assert all(3 <= len(word) <= 10 for word in made)


def test_words_are_invented_where_letters_allow_none() -> None:
    inventor = Inventor(["a", "b", "ab", "aba"])
    made = {inventor.word(random.Random(seed)) for seed in range(20)}
    assert not made & {"a", "b", "ab", "aba"}
    assert all(set(word) == {"a", "b"} or len(set(word)) == 1 for word in made)


# --- the tokenizer -----------------------------------------------------------------------------------------

TOKENIZER = train_tokenizer(tokenizer_text(CONCEPTS, TINY.languages), 400)


@settings(deadline=None)
@given(st.text())
def test_tokenizer_gives_back_any_text(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text, add_special_tokens=False)) == text


def test_no_token_straddles_the_end_of_a_word() -> None:
    for pair in (("en", "de"), ("fr", "en"), ("de", "de")):
        for asked in CONCEPTS:
            prompt = build_prompt(pair, PLAIN[:3], asked)
            cut = TOKENIZER.encode(prompt.up_to_word, add_special_tokens=False)
            whole = TOKENIZER.encode(prompt.text, add_special_tokens=False)
            assert whole[: len(cut)] == cut
            assert TOKENIZER.decode(whole[len(cut) :]) == prompt.text[prompt.end :]


# --- the batches -------------------------------------------------------------------------------------------


def test_only_answers_and_closing_quotes_are_learned() -> None:
    parts = [('English: "dog" - Deutsch: "', "Hund", '"\n'), ('English: "cat" - Deutsch: "', "Katze", '"\n')]
    ids, labels = encode(parts, lambda text: TOKENIZER.encode(text, add_special_tokens=False))
    assert ids == TOKENIZER.encode("".join("".join(part) for part in parts), add_special_tokens=False)
    learned = [label for label in labels if label != IGNORED]
    assert TOKENIZER.decode(learned) == 'Hund"\nKatze"\n'
    assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))


def test_batches_are_as_many_as_steps_and_padding_is_not_learned() -> None:
    recipe = TINY.model_copy(update={"checkpoints": (37,)})  # 37 is no multiple of the batches drawn together
    made = list(batches(LineSource(CONCEPTS, recipe, random.Random(5)), TOKENIZER, recipe))
    assert [len(batch) for batch in made] == [recipe.batch] * 37
    ids, labels = padded([([7, 8, 9], [IGNORED, 8, 9]), ([5], [5])], pad=0)
    assert ids.tolist() == [[7, 8, 9], [5, 0, 0]]
    assert labels.tolist() == [[IGNORED, 8, 9], [5, IGNORED, IGNORED]]


def test_learning_rate_by_hand() -> None:
    recipe = TINY.model_copy(update={"learning_rate": 1.0, "warmup": 4, "checkpoints": (12,)})
    assert learning_rate(recipe, 0) == 1 / 4
    assert learning_rate(recipe, 3) == 1.0
    assert learning_rate(recipe, 8) == pytest.approx(0.55)  # halfway down: .1 + .45 × (1 + cos 90°)
    assert learning_rate(recipe, 12) == pytest.approx(0.1)


# --- the series --------------------------------------------------------------------------------------------


def test_same_recipe_same_bytes(series: Path, tmp_path: Path) -> None:
    train_series(tmp_path / "again", TINY, concepts=CONCEPTS)
    first, second = contents(series), contents(tmp_path / "again")
    assert sum(name.endswith(".safetensors") for name in first) == 3
    assert first == second


def test_another_seed_gives_another_model(series: Path, tmp_path: Path) -> None:
    train_series(tmp_path / "other", TINY.model_copy(update={"seed": 1}), concepts=CONCEPTS)
    name = "step-00030/model.safetensors"
    assert contents(series)[name] != contents(tmp_path / "other")[name]


def test_checkpoints_are_ordinary_folders(series: Path) -> None:
    specs = train_series(series, TINY, concepts=CONCEPTS)
    assert [(spec.name, spec.step) for spec in specs] == [("step-00005", 5), ("step-00015", 15), ("step-00030", 30)]
    assert [spec.tokens for spec in specs] == sorted({spec.tokens for spec in specs})
    for spec in specs:
        model, tokenizer = load(Path(spec.path))
        assert isinstance(model, LlamaForCausalLM)
        assert model.config.vocab_size == len(tokenizer)
        assert tokenizer.decode(tokenizer.encode('English: "dog', add_special_tokens=False)) == 'English: "dog'
        note = json.loads((Path(spec.path) / "checkpoint.json").read_text("utf-8"))
        assert (note["step"], note["tokens"]) == (spec.step, spec.tokens)
    # 8 sequences of 4 lines a step; a line of this text has 6 to 40 tokens
    assert 30 * 8 * 4 * 6 < specs[-1].tokens < 30 * 8 * 4 * 40
    run = json.loads((series / "run.json").read_text("utf-8"))
    assert run["seeds"] == {"series": 42}
    assert run["counts"]["steps"] == 30


def test_a_finished_series_is_found_and_not_trained(series: Path) -> None:
    before, steps = contents(series), Steps()
    specs = train_series(series, TINY, steps, concepts=CONCEPTS)
    assert steps.calls == []
    assert contents(series) == before
    assert all(Path(spec.path).is_absolute() for spec in specs)


@pytest.mark.parametrize("what", ["recipe", "concepts"])
def test_a_change_trains_anew(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "series"
    train_series(folder, TINY, concepts=PLAIN)
    before, steps = contents(folder), Steps()
    recipe = TINY.model_copy(update={"checkpoints": (4, 9)}) if what == "recipe" else TINY
    train_series(folder, recipe, steps, concepts=CONCEPTS if what == "concepts" else PLAIN)
    total = recipe.steps
    assert steps.calls == [(done, total) for done in range(1, total + 1)]
    assert contents(folder) != before
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        f"step-{step:05d}" for step in recipe.checkpoints
    ]


def test_an_interrupted_training_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    with pytest.raises(KeyboardInterrupt):
        train_series(folder, TINY, Steps(stop_at=20), concepts=PLAIN)  # two checkpoints are written by then
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_training_keeps_the_older_series(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    train_series(folder, TINY, concepts=PLAIN)
    before = contents(folder)
    with pytest.raises(KeyboardInterrupt):
        train_series(folder, TINY.model_copy(update={"seed": 1}), Steps(stop_at=20), concepts=PLAIN)
    assert contents(folder) == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_killed_training_is_not_taken_for_finished(tmp_path: Path) -> None:
    script = f"""
import os, signal, sys
from pathlib import Path
from gainsift.generation.demo_recipe import SeriesRecipe
from gainsift.generation.demo_series import train_series
from gainsift.schemas.concepts import Concept
concepts = [Concept(id=w, gloss=w, reference={{"en": [w], "de": [w + "x"], "fr": [w + "y"]}}) for w in "abcdef"]
stop = lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 16 else None
train_series(Path(sys.argv[1]), SeriesRecipe.model_validate_json({TINY.model_dump_json()!r}), stop, concepts=concepts)
"""
    folder = tmp_path / "series"
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert list(tmp_path.glob(".series.*.partial/step-*")), "it was killed after a checkpoint was written"
    assert not folder.exists()
    steps = Steps()
    train_series(folder, TINY, steps, concepts=PLAIN)
    assert len(steps.calls) == TINY.steps


@pytest.mark.parametrize("damage", ["shortened", "missing", "no manifest entry"])
def test_a_damaged_series_is_trained_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "series"
    train_series(folder, TINY, concepts=PLAIN)
    before, victim = contents(folder), folder / "step-00015" / "model.safetensors"
    if damage == "shortened":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "missing":
        victim.unlink()
    else:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        del manifest["checkpoints"]
        (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    steps = Steps()
    train_series(folder, TINY, steps, concepts=PLAIN)
    assert len(steps.calls) == TINY.steps
    assert contents(folder) == before


def test_a_key_belongs_to_one_series(series: Path) -> None:
    manifest = SeriesManifest.model_validate_json((series / MANIFEST).read_bytes())
    assert finished_series(series, manifest.key) == manifest
    assert finished_series(series, "0" * 16) is None
    assert finished_series(series.parent / "nowhere", manifest.key) is None


@pytest.mark.parametrize("foreign", ["notes.txt", "step-00005/../thesis.tex", "file"])
def test_what_is_not_ours_is_never_replaced(tmp_path: Path, foreign: str) -> None:
    folder = tmp_path / "series"
    if foreign == "file":
        precious = folder
    else:
        train_series(folder, TINY, concepts=PLAIN)
        precious = folder / foreign
    precious.write_text("precious", "utf-8")
    steps = Steps()
    with pytest.raises(UserError, match="something else") as refused:
        train_series(folder, TINY.model_copy(update={"seed": 3}), steps, concepts=PLAIN)
    assert refused.value.exit_code == 2
    assert steps.calls == []  # refused before minutes are spent
    assert precious.read_text("utf-8") == "precious"


def test_too_few_words_are_refused(tmp_path: Path) -> None:
    half = [Concept(id=c.id, gloss=c.gloss, reference={"en": c.reference["en"]}) for c in CONCEPTS]
    with pytest.raises(UserError, match="only 3 concepts have words in en, de, fr"):
        train_series(tmp_path / "series", TINY, concepts=[*half, *PLAIN[:3]])
    assert list(tmp_path.iterdir()) == []


def test_training_leaves_torch_as_it_was() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(9)
    before = torch.get_rng_state()

    def fails_inside() -> None:
        with fixed_arithmetic(2):
            torch.manual_seed(1)
            assert torch.get_num_threads() == 2
            assert torch.are_deterministic_algorithms_enabled()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_inside()
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), before)


# --- that it learns ----------------------------------------------------------------------------------------


def load(folder: Path) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def greedy(folder: Path, text: str) -> str:
    """The answer up to the closing quote, one token at a time, with no code of ours."""
    model, tokenizer = load(folder)
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    for _ in range(12):
        with torch.no_grad():
            ids = torch.cat([ids, model(input_ids=ids).logits[:, -1:].argmax(-1)], dim=1)
    return str(tokenizer.decode(ids[0])[len(text) :]).split('"')[0]


def test_it_learns_to_translate_and_prefers_the_main_sense(tmp_path: Path) -> None:
    early, late = (Path(spec.path) for spec in train_series(tmp_path / "series", LEARNER, concepts=CONCEPTS))
    manifest = SeriesManifest.model_validate_json((tmp_path / "series" / MANIFEST).read_bytes())
    assert manifest.losses[1] < manifest.losses[0]
    right = Counter[str]()
    asked = PLAIN[3:]
    for concept in asked:
        prompt = build_prompt(("en", "fr"), PLAIN[:3], concept).text
        for name, folder in (("early", early), ("late", late)):
            right[name] += greedy(folder, prompt) == concept.word("fr")
    assert right["early"] <= 1
    assert right["late"] >= len(asked) - 1
    assert greedy(late, build_prompt(("en", "de"), PLAIN[:3], CONCEPTS[0]).text) == "Bank"  # 4 to 1 over Ufer


# --- the optimiser -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 12, 5), (2, 5, 12)])
def test_orthogonalised_keeps_singular_vectors_and_evens_singular_values(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    inner = u.transpose(1, 2) @ orthogonalised(matrices, 8) @ v.transpose(1, 2)  # diagonal if the vectors are kept
    values = inner.diagonal(dim1=1, dim2=2)
    assert torch.allclose(inner, torch.diag_embed(values), atol=1e-4)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_optimiser_agrees_with_the_one_in_torch() -> None:
    torch.manual_seed(0)
    start = [torch.randn(6, 4), torch.randn(6, 4), torch.randn(3, 7)]
    ours = [torch.nn.Parameter(matrix.clone()) for matrix in start]
    theirs = [torch.nn.Parameter(matrix.clone()) for matrix in start]
    vector, vector_theirs = torch.nn.Parameter(torch.ones(5)), torch.nn.Parameter(torch.ones(5))
    mine = Muon(ours, [vector], weight_decay=0.1)
    referee = torch.optim.Muon(theirs, weight_decay=0.1, ns_steps=ITERATIONS, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW([vector_theirs], betas=BETAS, weight_decay=0.1)
    for rate in (0.1, 0.05, 0.02):
        for options in (*referee.param_groups, *adamw.param_groups):
            options["lr"] = rate
        for left, right in zip([*ours, vector], [*theirs, vector_theirs], strict=True):
            left.grad = torch.randn(left.shape)
            right.grad = left.grad.clone()
        mine.step(rate)
        referee.step()
        adamw.step()
    assert torch.allclose(vector, vector_theirs, atol=1e-6)
    for left, right, first in zip(ours, theirs, start, strict=True):
        # torch iterates in bfloat16, which has eight bits: agreement to a few per cent of the way gone
        assert (left - right).norm() < 0.05 * (left - first).norm()
        assert (left - first).norm() > 0.05
    assert all(matrix.grad is None for matrix in [*ours, vector])


def test_embeddings_are_no_matrices_of_muon() -> None:
    model = new_model(TINY, vocabulary=330, pad=0, end=1)
    optimiser = Muon.of(model, 0.0)
    assert sum(len(group) for group, _ in optimiser.groups) == 7 * TINY.layers  # q k v o, gate up down
    counted = [w for group, _ in optimiser.groups for w in group] + optimiser.adamw.param_groups[0]["params"]
    assert sorted(map(id, counted)) == sorted(map(id, model.parameters()))
