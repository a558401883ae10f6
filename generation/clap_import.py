"""Brings results of the published patching code into a study: prompt pairs, and rows as `generate` writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from gainsift.generation.clap_prompts import ClapPrompt, ClapPrompts, read_clap_prompts
from gainsift.generation.clap_results import Run, find_runs
from gainsift.generation.clap_rows import Imported, RowMaker
from gainsift.generation.words import Words, load_words
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import problems
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import arrow_schema, write_jsonl, write_parquet
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import file_hash, now, write_run
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import LanguagePair, source_pairs
from gainsift.schemas.study import CONCEPTS_FORMAT, PROMPTS_FORMAT, TRANSLATIONS_FORMAT, Study

OTHER_CHECKPOINT = "runs of checkpoints that study.yaml does not name"
OTHER_PAIR = "runs of language pairs that study.yaml does not name"
OTHER_SETTING = "runs of settings that generation.settings leaves out"
ORIGIN = "results of the published patching code"
UNFINISHED = "runs without result, or of another experiment"


def import_clap(folder: Path, study: Study, prompts_file: Path, command: str) -> Imported:
    """Write concepts.jsonl, prompts.parquet and translations/ of a study from a folder of published results.

    study.yaml names the checkpoints (by revision, or by folder), language pairs and words; `prompts_file` is read by
    `read_clap_prompts`. Nothing is written unless everything can be read, and nothing is overwritten. Raises
    UserError.
    """
    started = now()
    words, prompts = load_words(study), read_clap_prompts(prompts_file)
    done = Imported()
    runs, done.left_out[UNFINISHED] = find_runs(folder)
    chosen = _chosen(runs, study, done)
    pairs = _prompt_pairs(prompts, words, {run.pair for _, run in chosen}, chosen[0][1].arguments.seed)
    work = RowMaker(study.config, {concept.id: concept for concept in words.concepts}, prompts, pairs, done)
    before = _results_before(study)
    files = _tables(study, work, chosen)
    if not files:
        raise UserError(str(folder), "no output can be used", f"left out: {_reasons(done)}")
    _refuse_overwriting(study, pairs, files)
    _write(study, words, pairs, files)
    done.rows, done.files, done.runs = sum(map(len, files.values())), len(files), len(chosen)
    done.prompt_pairs = len(pairs)
    done.left_out = +done.left_out
    results = {str(run.file.relative_to(folder)): file_hash(run.file) for _, run in chosen}
    write_run(
        study.translations_folder / "run.json", "translations", command, started,
        {"study.yaml": study.config_file, "prompts.csv": prompts_file},
        seeds={"prompts": chosen[0][1].arguments.seed},
        settings={"origin": ORIGIN, "results": {**before, **results}},
        counts={"rows": done.rows, "prompt_pairs": len(pairs), "cut": done.cut, **done.left_out},
    )  # fmt: skip
    return done


def _results_before(study: Study) -> dict[str, str]:
    """The results that were imported earlier, by hash. Raises UserError if the outputs there were generated."""
    path = study.translations_folder / "run.json"
    if not path.exists():
        return {}
    settings = json.loads(path.read_text("utf-8")).get("settings", {})
    if settings.get("origin") != ORIGIN:
        raise UserError(str(path), "these outputs were generated here", "import into a new study")
    return dict(settings["results"])


def _tables(study: Study, work: RowMaker, chosen: list[tuple[CheckpointSpec, Run]]) -> dict[Path, pa.Table]:
    """The rows by file. Tables take a tenth of the memory of records, and all are held until everything was read."""
    runs_of: dict[Path, list[tuple[CheckpointSpec, Run]]] = {}
    for checkpoint, run in chosen:
        path = study.translations_folder / checkpoint.name / f"{run.pair[0]}-{run.pair[1]}.parquet"
        runs_of.setdefault(path, []).append((checkpoint, run))
    schema = arrow_schema(Translation, TRANSLATIONS_FORMAT)
    files = {}
    for path, runs in runs_of.items():
        rows = [row.model_dump() for checkpoint, run in runs for row in work.rows(run, checkpoint)]
        if rows:
            files[path] = pa.Table.from_pylist(rows, schema=schema)
    return files


def _reasons(done: Imported) -> str:
    return "; ".join(f"{number} {reason}" for reason, number in (+done.left_out).items()) or "nothing"


def _chosen(runs: Sequence[Run], study: Study, done: Imported) -> list[tuple[CheckpointSpec, Run]]:
    """The runs that are part of the study, each with its checkpoint. Raises UserError if one is there twice."""
    config = study.config
    chosen: dict[tuple[str, str, LanguagePair], tuple[CheckpointSpec, Run]] = {}
    missing: dict[str, None] = {}
    for run in runs:
        checkpoint = _checkpoint(run, config.model.checkpoints)
        if checkpoint is None:
            done.left_out[OTHER_CHECKPOINT] += 1
            missing[run.checkpoint_names[0]] = None
        elif run.pair not in config.language_pairs:
            done.left_out[OTHER_PAIR] += 1
        elif run.setting not in config.generation.settings:
            done.left_out[OTHER_SETTING] += 1
        else:
            _check_sources(run, config.trained_languages)
            key = checkpoint.name, run.setting, run.pair
            if key in chosen:
                where = chosen[key][1].folder
                raise UserError(str(run.folder), f"the same run as {where}", "move the one that does not count away")
            chosen[key] = checkpoint, run
    if not chosen:
        hint = f"results are of checkpoints such as {', '.join(list(missing)[:3])}" if missing else _reasons(done)
        raise UserError(str(study.config_file), "no run belongs to this study", hint)
    return list(chosen.values())


def _checkpoint(run: Run, known: Sequence[CheckpointSpec]) -> CheckpointSpec | None:
    """The checkpoint of study.yaml whose repository and revision, name or folder the run names; the surest first."""
    asked = run.arguments.model, run.arguments.revision or "main"
    for one in known:
        if (one.repo, one.asked_revision()) == asked:
            return one
    for name in run.checkpoint_names:
        for one in known:
            folder = Path(one.path).parts[-2:] if one.path else ()
            if not one.repo and (name in (one.name, one.path) or folder == Path(name).parts):
                return one
    return None


def _check_sources(run: Run, trained: Sequence[str]) -> None:
    """Raise UserError if the source pairs are not those that the setting has in this study."""
    expected = {run.pair} if run.setting == "tgt_tgt" else set(source_pairs(run.setting, run.pair, trained))
    if run.source_pairs != expected:
        codes = sorted({code for pair in run.source_pairs ^ expected for code in pair})
        raise UserError(
            str(run.folder / "exp_args.json"),
            f"{run.setting} took its vectors from {len(run.source_pairs)} language pairs, in study.yaml it means "
            f"{len(expected)} (they differ in {', '.join(codes)})",
            "set trained_languages to those of the model",
        )


def _prompt_pairs(prompts: ClapPrompts, words: Words, used: set[LanguagePair], seed: int) -> list[PromptPair]:
    """One prompt pair for each index. Raises UserError for words that the study's list does not have."""
    names = _names(words.concepts)
    pair = sorted(used)[0]
    sources, targets = prompts.of("source", pair), prompts.of("target", pair)
    if len(sources) != len(targets):
        raise UserError(str(prompts.path), f"{len(sources)} source and {len(targets)} target prompts", "they are pairs")
    found = []
    for index, (source, target) in enumerate(zip(sources, targets, strict=True)):
        ids = _id(source.concept, names, source), _id(target.concept, names, target)
        shots = [[_id(word, names, prompt) for word in prompt.examples] for prompt in (source, target)]
        try:
            found.append(PromptPair.of(ids, shots[0], shots[1], index, seed))
        except ValidationError as error:
            raise UserError(target.where, problems(error), "were rows of several caches mixed?") from None
    return found


def _names(concepts: Sequence[Concept]) -> dict[str, str]:
    """Concept ids by the English word that the published code names a concept by."""
    by_word = {concept.word("en"): concept.id for concept in reversed(concepts) if "en" in concept.reference}
    return {**by_word, **{name: c.id for c in concepts for name in (c.id.rpartition(":")[2], c.id)}}


def _id(word: str, names: dict[str, str], prompt: ClapPrompt) -> str:
    if word not in names:
        raise UserError(prompt.where, f"no concept {word!r} in the words of study.yaml", "use the list of the prompts")
    return names[word]


def _refuse_overwriting(study: Study, pairs: list[PromptPair], files: dict[Path, pa.Table]) -> None:
    for path in files:
        if path.exists():
            raise UserError(str(path), "is there already", "move it away, or import into a new study")
    if study.prompts_file.exists() and study.prompt_pairs != pairs:
        raise UserError(str(study.prompts_file), "holds other prompt pairs", "import into a new study")


def _write(study: Study, words: Words, pairs: list[PromptPair], files: dict[Path, pa.Table]) -> None:
    if not study.reads_own_concepts:
        write_jsonl(study.concepts_file, words.concepts, CONCEPTS_FORMAT)
    write_parquet(study.prompts_file, PromptPair, pairs, PROMPTS_FORMAT)
    extra = {"languages": json.dumps(study.config.languages())}
    for path, table in files.items():
        write_parquet(path, Translation, table, TRANSLATIONS_FORMAT, extra)
