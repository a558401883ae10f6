"""`gainsift import clap` on results in the published layout, with the faults of the published code in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gainsift.cli.main import app
from gainsift.generation.clap_tails import trim_batch
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import source_pairs
from gainsift.schemas.study import Study

RUN = CliRunner()
PAIR = ("fr", "de")
SETTINGS = ["tgt", "seen", "en_en", "self", "tgt_tgt"]
Scene = Callable[..., tuple[Any, Path, Path]]


@pytest.fixture
def scene(published: ModuleType, tmp_path: Path) -> Scene:
    """(writer of runs, study folder, prompts csv) of a study of fr-de; nothing was run yet."""

    def make(say: Callable[..., str] | None = None, **more: Any) -> tuple[Any, Path, Path]:
        def told(setting: str, kind: str, layer: int, index: int) -> str:
            return f'{setting}{kind}{layer}x{index}"\nFrançais: "a" - Deutsch: "b"'

        folder = tmp_path / "study"
        folder.mkdir()
        published.write_words(folder / "words.csv")
        published.write_prompts(tmp_path / "prompts.csv", [PAIR, ("es", "it")])
        data = {
            "name": "s",
            "model": {"name": "m", "checkpoints": [{"name": "step1000", "path": "none", "step": 1000, "tokens": 5}]},
            "trained_languages": published.LANGUAGES,
            "language_pairs": [list(PAIR)],
            "words": {"source": "csv", "file": "words.csv"},
            **more,
        }
        (folder / "study.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        return published.Published(tmp_path / "results", PAIR, say or told), folder, tmp_path / "prompts.csv"

    return make


def run_all(runs: Any, languages: list[str]) -> None:
    runs.unpatched()
    for setting in SETTINGS:
        pairs = [PAIR] if setting == "tgt_tgt" else source_pairs(setting, PAIR, languages)
        runs.run(setting, pairs[::-1])


def bring(runs: Any, study: Path, prompts: Path) -> dict[str, Any]:
    done = RUN.invoke(app, ["import", "clap", str(runs.folder), str(study), "--prompts", str(prompts), "--json"])
    if done.exception:
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows_of(study: Path) -> list[dict[str, Any]]:
    return Study.open(study).translations().to_pylist()


def test_every_output_that_can_be_trusted_comes_in_with_its_identity(scene: Scene, published: ModuleType) -> None:
    runs, folder, prompts = scene()
    run_all(runs, published.LANGUAGES)
    done = bring(runs, folder, prompts)
    rows = rows_of(folder)
    # five prompt pairs in batches of two: unpatched 2 x 5; patched five settings x three layers x the first two
    assert done["rows"] == len(rows) == 10 + 5 * 3 * 2
    assert done["left_out"] == {
        "outputs of patched runs beyond the first batch (patched with other prompts' source concepts)": 5 * 3 * 3
    }
    pairs = {pair.pair_id: pair for pair in Study.open(folder).prompt_pairs}
    assert [(p.source_concept, p.target_concept) for p in pairs.values()] == published.PAIRS
    for row in rows:
        index = pairs[row["pair_id"]].index
        # the fixture lets every output tell which one it is
        assert row["answer"] == f"{row['setting']}{row['prompt']}{row['layer'] or 0}x{index}"
        assert row["closed"]
        about_source = row["prompt"] == "source" or row["setting"] in ("tgt", "seen", "en_en", "self")
        assert row["intended_concept"] == published.PAIRS[index][0 if about_source else 1]
        assert row["shown_word"] == published.WORDS[row["intended_concept"]]["fr"]
        assert (row["checkpoint"], row["step"], row["tokens"]) == ("step1000", 1000, 5)
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert {row["layer"] for row in rows if row["setting"] == "unpatched"} == {None}


def test_masses_are_those_of_the_file(scene: Scene, published: ModuleType) -> None:
    runs, folder, prompts = scene()
    run_all(runs, published.LANGUAGES)
    bring(runs, folder, prompts)
    index_of = {pair.pair_id: pair.index for pair in Study.open(folder).prompt_pairs}
    languages = Study.open(folder).config.languages()
    german = languages.index("de")
    for row in rows_of(folder):
        place = (row["layer"] or 0) / 10 + index_of[row["pair_id"]] / 100
        on_source = [(20 + n + place) / 100 for n in range(5)]
        on_target = [((2 if code == "de" else 3 + n) + place) / 100 for n, code in enumerate(published.LANGUAGES)]
        np.testing.assert_allclose(row["source_mass"], on_source, rtol=1e-6)
        assert row["p_source"] == pytest.approx(on_source[german])
        if row["prompt"] == "source":  # the published code measures only the source prompt's own concept there
            assert np.isnan(row["target_mass"]).all()
            assert np.isnan(row["p_target"])
        else:
            np.testing.assert_allclose(row["target_mass"], on_target, rtol=1e-6)
            assert row["p_target"] == pytest.approx(0.02 + place / 100)


def test_the_study_can_be_planned_and_analysed(scene: Scene, published: ModuleType) -> None:
    plain = {"checkpoint": "step1000", "setting": "unpatched"}
    patched = {"checkpoint": "step1000", "setting": "tgt", "layer": 1}
    asked = {"settings": ["unpatched", "tgt"], "layers": [1]}
    runs, folder, prompts = scene(
        annotation={"annotators": [{"name": "a1"}], "overlap": "all", "rows": asked},
        contrasts=[{"name": "patching", "from": plain, "to": patched}],
        analysis={"bootstrap": 50},
    )
    run_all(runs, published.LANGUAGES)
    bring(runs, folder, prompts)
    assert RUN.invoke(app, ["annotate", "plan", str(folder)]).exit_code == 0
    assert len(Study.open(folder).items()) == 5 + 2  # unpatched source prompts, and two of the first batch
    done = RUN.invoke(app, ["annotate", "simulate", str(folder)])
    assert done.exit_code == 0, done.exception
    done = RUN.invoke(app, ["analyze", str(folder)])
    assert done.exit_code == 0, done.exception
    assert (folder / "report" / "report.html").is_file()


def test_prompt_text_in_front_of_answers_is_taken_off(scene: Scene) -> None:
    def short(setting: str, kind: str, layer: int, index: int) -> str:
        return 'Hund"' if layer == 1 else 'ein Hund "\nFrançais: "x" - Deutsch'

    runs, folder, prompts = scene(short)
    path = runs.run("tgt", [PAIR])
    stored = json.loads((path / f"{path.name}.json").read_text())["generated_answers"]
    assert stored[0][1][0] == ' - Deutsch: "Hund"'  # three new ids with the end: seven are the prompt's
    done = bring(runs, folder, prompts)
    assert done["cut"] == 2
    assert {(row["layer"], row["answer"], row["raw"][:5]) for row in rows_of(folder)} == {
        (0, "ein Hund ", "ein H"), (1, "Hund", 'Hund"'), (2, "ein Hund ", "ein H"),
    }  # fmt: skip


def test_what_may_be_prompt_or_answer_is_refused(scene: Scene) -> None:
    def nine(setting: str, kind: str, layer: int, index: int) -> str:
        return 'a b c d"' if layer == 2 else 'a b c d e"'  # eight and ten tokens, then the end

    runs, folder, prompts = scene(nine)
    path = runs.run("tgt", [PAIR])
    assert json.loads((path / f"{path.name}.json").read_text())["generated_answers"][0][2][0] == '"a b c d"'
    done = bring(runs, folder, prompts)
    assert done["left_out"]["outputs that begin with what may be prompt text or an answer"] == 2
    assert {row["layer"] for row in rows_of(folder)} == {0, 1}


FRENCH = ['Français: "chien" - Deutsch: "', 'Français: "eau" - Deutsch: "']


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (['Hund"', 'Wasser"'], ['Hund"', 'Wasser"']),
        (['Deutsch: "Hund"', 'Deutsch: "Wasser"'], ['Hund"', 'Wasser"']),
        (['en" - Deutsch: "Hund', 'au" - Deutsch: "Wasser'], ["Hund", "Wasser"]),  # words cut at different places
        (['�n" - Deutsch: "Hund', '�u" - Deutsch: "Wasser'], ["Hund", "Wasser"]),  # half a character
        (['- Deutsch: "Hund', "Wasser"], ['- Deutsch: "Hund', "Wasser"]),  # one of them is the model's own
        (['"\nFrançais', '"Hund'], [None, None]),  # the first may have closed an empty answer
        (['"\nFrançais', 'Hund"'], ['"\nFrançais', 'Hund"']),
        (['"', '"'], ['"', '"']),
        (['"Hund"', '"Wasser"'], [None, None]),
        ([': "Hund"', ': "Wasser"'], [None, None]),
        (["", ""], ["", ""]),
    ],
)
def test_a_batch_is_looked_at_as_one(texts: list[str], kept: list[str | None]) -> None:
    assert trim_batch(texts, FRENCH).texts == kept


ENDING = st.text(st.sampled_from('ab "-:\n'), max_size=30)


@given(said=st.lists(ENDING, min_size=2, max_size=4), word=st.sampled_from(["eau", "chien", "aa"]))
def test_whatever_the_model_says_is_kept_as_said_or_refused(published: ModuleType, said: list[str], word: str) -> None:
    prompts = [f'Français: "{word * (n + 1)}" - Deutsch: "' for n in range(len(said))]
    new = ["".join(published.tokens(text)[: published.KEPT]) for text in said]
    trimmed = trim_batch(published.decoded(prompts, said), prompts)
    assert all(text in (None, as_said) for text, as_said in zip(trimmed.texts, new, strict=True))


def test_a_single_text_cannot_tell() -> None:
    assert trim_batch(['Deutsch: "Hund'], FRENCH[:1]).texts == [None]
    assert trim_batch(['"'], FRENCH[:1]).texts == ['"']
    assert trim_batch(["Hund"], FRENCH[:1]).texts == ["Hund"]


def test_unpatched_layers_are_repeats_and_differences_are_counted(scene: Scene) -> None:
    def unsteady(setting: str, kind: str, layer: int, index: int) -> str:
        return f'{"anders" if (kind, layer, index) == ("source", 2, 4) else "gleich"} und noch vieles mehr davon"'

    runs, folder, prompts = scene(unsteady)
    runs.unpatched()
    done = bring(runs, folder, prompts)
    assert (done["rows"], done["unlike"]) == (10, 1)
    assert {row["answer"].split()[0] for row in rows_of(folder)} == {"gleich"}


def test_runs_that_are_no_part_of_the_study_are_counted(scene: Scene, published: ModuleType) -> None:
    runs, folder, prompts = scene(generation={"settings": ["unpatched", "tgt"], "layers": [2]})
    runs.unpatched()
    runs.run("tgt", [PAIR])
    runs.run("en_en", [("en", "en")])
    runs.run("tgt", [PAIR], revision="step2000")
    (runs.unpatched(revision="step3000") / "exp_args.json").unlink()
    stopped = runs.run("self", [("de", "de")])
    (stopped / f"{stopped.name}.json").write_text("")
    published.Published(runs.folder, ("es", "it"), runs.say).unpatched()
    done = bring(runs, folder, prompts)
    assert done["left_out"] == {
        "runs without result, or of another experiment": 1,
        "runs of settings that generation.settings leaves out": 1,
        "runs of checkpoints that study.yaml does not name": 1,
        "runs of language pairs that study.yaml does not name": 1,
        "outputs of patched runs beyond the first batch (patched with other prompts' source concepts)": 3,
    }
    assert Counter(row["layer"] for row in rows_of(folder)) == {None: 10, 2: 2}


def test_a_local_checkpoint_is_known_by_its_folder(scene: Scene) -> None:
    where = {"name": "late", "path": "../models/phase_one/iter_20", "step": 20}
    runs, folder, prompts = scene(model={"name": "m", "checkpoints": [where]})
    runs.run("tgt", [PAIR], revision="phase_one/iter_20", model="/data/phase_one/iter_20", unpatched_langs={"a_b": []})
    arguments = next(runs.folder.rglob("exp_args.json"))
    arguments.write_text(json.dumps({**json.loads(arguments.read_text()), "revision": None}))
    bring(runs, folder, prompts)
    assert {row["checkpoint"] for row in rows_of(folder)} == {"late"}


def test_a_checkpoint_of_the_hub_is_known_by_repository_and_revision(scene: Scene) -> None:
    named = [
        {"name": "a", "repo": "other/model", "revision": "step1000"},
        {"name": "b", "repo": "owner/model", "revision": "step1000"},
        {"name": "step1000", "path": "none"},
        {"name": "last", "repo": "owner/model"},
    ]
    runs, folder, prompts = scene(model={"name": "m", "checkpoints": named})
    runs.unpatched()
    arguments = runs.unpatched(revision="main") / "exp_args.json"
    arguments.write_text(json.dumps({**json.loads(arguments.read_text()), "revision": None}))
    bring(runs, folder, prompts)
    assert {row["checkpoint"] for row in rows_of(folder)} == {"b", "last"}


def test_prompts_that_ask_for_another_word_are_left_out(scene: Scene, published: ModuleType) -> None:
    runs, folder, prompts = scene()
    runs.unpatched()

    def change(row: list[Any]) -> None:
        if row[:4] == ["source", "fr", "de", 0]:
            row[6] = row[6].replace('"chien" - Deutsch: "', '"cabot" - Deutsch: "')

    published.write_prompts(prompts, [PAIR], change)
    done = bring(runs, folder, prompts)
    assert done["rows"] == 9
    assert done["left_out"]["outputs whose prompt asks for another word than the study's list"] == 1


def damage(path: Path, change: Callable[[Any], Any], name: str = "") -> None:
    file = path / (name or f"{path.name}.json")
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda data: {name: value for name, value in data.items() if name != key}


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        (
            without("generated_answers"),
            "",
            r"generated_answers: expected 3 batches × layers × up to 2 texts",
        ),
        (
            lambda data: {**data, "generated_answers": [[["a"]]]},
            "",
            r"\(5 prompts\); are these the prompts",
        ),
        (lambda data: {**data, "src_en": [[0.5]]}, "", r"_tgt\.json: src_en: expected 5 prompts × 3 layers of numbers"),
        (lambda data: {**data, "src_en": ["a"]}, "", r"src_en: expected 5 prompts × 3 layers of numbers"),
        (lambda data: {**data, "src_en": [10**400]}, "", r"src_en: expected 5 prompts × 3 layers of numbers"),
        (lambda data: [data], "", r"_tgt\.json: expected a JSON object"),
        (without("batch_size"), "exp_args.json", r"exp_args\.json: key 'batch_size' is missing"),
        (
            lambda data: {**data, "obj_patching_langs": [[["es", "it"]], "fr", "de"]},
            "exp_args.json",
            r"exp_args\.json: tgt took its vectors from 1 language pairs, .* differ in de, es, fr, it\)",
        ),
    ],
)
def test_files_of_another_form_are_refused_by_name(
    scene: Scene, change: Callable[[Any], Any], name: str, message: str
) -> None:
    runs, folder, prompts = scene()
    damage(runs.run("tgt", [PAIR]), change, name)
    refused(message, runs, folder, prompts)


def refused(message: str, runs: Any, folder: Path, prompts: Path) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(UserError) as error:
        bring(runs, folder, prompts)
    assert re.search(message, str(error.value)), error.value
    assert sorted(folder.rglob("*")) == before  # nothing half-written


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: row.__setitem__(0, "soruce"),
            r"prompts\.csv:2: kind 'soruce', index '0'; expected",
        ),
        (lambda row: row.__setitem__(3, "one"), r"prompts\.csv:2: kind 'source', index 'one'"),
        (lambda row: row.__setitem__(3, 0), r"prompts\.csv:\d+: prompt 0 of source fr-de stands twice"),
        (lambda row: row.__setitem__(3, row[3] + 1), r"prompts\.csv: source prompt 0 of fr-de is missing"),
        (
            lambda row: row.__setitem__(4, "unicorn"),
            r"prompts\.csv:2: no concept 'unicorn' in the words",
        ),
        (
            lambda row: row.__setitem__(5, ["dog", "tree"]),
            r"prompts\.csv:\d+: few-shot words must exclude both",
        ),
        (lambda row: row.__setitem__(1, "it"), "no source prompts of fr-de; write all prompts to the csv"),
    ],
)
def test_prompts_that_do_not_fit_are_refused_with_their_line(
    scene: Scene, published: ModuleType, change: Callable[[list[Any]], None], message: str
) -> None:
    runs, folder, prompts = scene()
    runs.unpatched()
    published.write_prompts(prompts, [PAIR], change)
    refused(message, runs, folder, prompts)


def test_a_pickle_is_not_read(scene: Scene, tmp_path: Path) -> None:
    runs, folder, _ = scene()
    runs.unpatched()
    cache = tmp_path / "prompts.pkl"
    cache.write_bytes(b"\x80\x04\x95\x0b\x00\x00\x00")
    refused(r"prompts\.pkl:1: not UTF-8", runs, folder, cache)


def test_nothing_is_overwritten_and_no_run_counts_twice(scene: Scene, tmp_path: Path) -> None:
    runs, folder, prompts = scene()
    first = runs.unpatched()
    bring(runs, folder, prompts)
    refused(r"fr-de\.parquet: is there already; move it away", runs, folder, prompts)
    runs.clock += 1
    runs.unpatched()
    refused(f"the same run as .*{first.name}", runs, folder, prompts)
    empty = tmp_path / "empty"
    empty.mkdir()
    runs.folder = empty
    refused(r"empty: no exp_args\.json under it", runs, folder, prompts)


def test_further_checkpoints_come_in_later_but_not_beside_generated_outputs(scene: Scene) -> None:
    both = [{"name": name, "path": "none"} for name in ("step1000", "step2000")]
    runs, folder, prompts = scene(model={"name": "m", "checkpoints": both})
    first = runs.unpatched()
    bring(runs, folder, prompts)
    later = Path(runs.folder.parent / "later")
    runs.folder = later
    second = runs.unpatched(revision="step2000")
    assert bring(runs, folder, prompts)["rows"] == 10
    assert {row["checkpoint"] for row in rows_of(folder)} == {"step1000", "step2000"}
    record = folder / "translations" / "run.json"
    stored = json.loads(record.read_text())
    assert [Path(name).name for name in stored["settings"]["results"]] == [f"{first.name}.json", f"{second.name}.json"]
    record.write_text(json.dumps({**stored, "settings": {"device": "cpu"}}))
    refused(r"run\.json: these outputs were generated here; import into a new study", runs, folder, prompts)


def test_no_run_of_the_study_tells_what_there_is(scene: Scene) -> None:
    runs, folder, prompts = scene()
    runs.unpatched(revision="step7")
    refused("no run belongs to this study; results are of checkpoints such as step7", runs, folder, prompts)
