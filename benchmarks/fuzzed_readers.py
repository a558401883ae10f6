"""Every reader of gainsift with the folder that it is fuzzed in: which file is made bad, and what reads it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import fuzz_seeds
import pyarrow as pa
import pyarrow.parquet as pq

from gainsift.analysis.long_table import Further, read_long_table
from gainsift.analysis.tidy_analysis import analyse_table
from gainsift.analysis.tidy_table import read_tidy_table
from gainsift.annotation.accounts import accounts
from gainsift.annotation.foreign import long_table, to_csv
from gainsift.annotation.label_studio_export import import_exports
from gainsift.annotation.label_studio_json import read_tasks
from gainsift.generation.clap_import import import_clap
from gainsift.generation.word_check import check_words
from gainsift.generation.word_files import read_word_list
from gainsift.generation.wordnet_words import WordNets
from gainsift.generation.wordnets import read_wordnets
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import json_line, read_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.lock import read_lock
from gainsift.schemas.study import CONCEPTS_FORMAT, Study
from gainsift.schemas.taxonomy import load_taxonomy
from gainsift.schemas.word_source import WordnetSpec

TAXONOMY = load_taxonomy()
FEW = AnalysisSpec(bootstrap=5)


@dataclass(frozen=True)
class Reader:
    """`build` makes a valid folder once; `open` what `read` needs of it, once; `read` runs on every changed `file`.

    `form` is that of mutations.CHANGES, or parquet. `share`: of all inputs. `writes`: whether it may change other files
    of the folder where it accepts the input.
    """

    name: str
    file: str
    form: str
    share: float
    build: Callable[[Path], object]
    read: Callable[[Path, Any], object]
    open: Callable[[Path], Any] = lambda folder: None
    writes: bool = False


def _fresh(study: Study) -> Study:
    """The study without what it remembers of its files."""
    return Study(study.folder, study.config)


def _study_reader(name: str, file: str, form: str, share: float, read: Callable[[Study], object]) -> Reader:
    return Reader(name, file, form, share, fuzz_seeds.study, lambda _, study: read(_fresh(study)), Study.open)


def _word_reader(name: str, file: str, form: str, share: float, text: Callable[[], str]) -> Reader:
    """Reads a list of words in whatever form it has, and checks it as `gainsift concepts check` does."""

    def build(folder: Path) -> None:
        (folder / file).write_text(text(), "utf-8")

    def read(folder: Path, _: Any) -> None:
        found = read_word_list([folder / file])
        check_words(found.concepts, found.languages, found.left_out)

    return Reader(f"concept list: {name}", file, form, share, build, read)


def _table() -> str:
    rows = [
        ["word_original", "en", "de", "gloss", "PoS"],
        ["bank", "['bank', 'shore']", '["Ufer"]', "edge of a river", "nouns"],
        ["gift", "gift", "['Geschenk', \"Gabe\"]", "thing given", "noun"],
        ["run", "run", "laufen", "", "verb"],
        ["house", "house", "Haus ", "building", "n"],
    ]
    return fuzz_seeds.csv_text(rows)


def _simlex() -> str:
    head = "ID,PoS,ENG 1,ENG 2,FRA 1,FRA 2,erratum FRA 1,erratum FRA 2\n"
    return (
        head
        + "1,nouns,bank,seat,rive,siège,0,0\n2,nouns,money,bank,argent,banque,0,0\n3,verbs,go,run,aller,courir,0,1\n"
    )


def _lexicon() -> str:
    lines = resources.files("gainsift.generation").joinpath("lexicon.tsv").read_text("utf-8").split("\n")
    return "\n".join([*lines[:12], ""])


def _concepts() -> str:
    return b"".join(json_line(concept, CONCEPTS_FORMAT) for concept in fuzz_seeds.CONCEPTS).decode()


def _build_taxonomy(folder: Path) -> None:
    text = resources.files("gainsift.schemas").joinpath("taxonomy.yaml").read_text("utf-8")
    (folder / "taxonomy.yaml").write_text(text, "utf-8")


def _build_export(folder: Path) -> None:
    fuzz_seeds.export(fuzz_seeds.study(folder), folder / "export.json")
    (folder / "annotations.jsonl").unlink()


def _read_foreign(folder: Path, _: Any) -> None:
    to_csv(long_table(list(read_tasks(folder / "export.json")), from_name="label", path="leaf", multiple="leave-out"))


def _build_tidy(folder: Path) -> None:
    (folder / "table.csv").write_text(fuzz_seeds.csv_text(fuzz_seeds.tidy()), "utf-8")


def _build_tidy_parquet(folder: Path) -> None:
    head, *rows = fuzz_seeds.tidy()
    pq.write_table(pa.table({name: [row[n] for row in rows] for n, name in enumerate(head)}), folder / "table.parquet")


def _analyse(folder: Path, _: Any) -> None:
    analyse_table(read_tidy_table(folder / "table.csv", TAXONOMY), TAXONOMY, (), FEW)


def _build_labels(folder: Path) -> None:
    rows = [["item", "annotator", "label", "weight", "condition", "repeat"]]
    rows += [[f"i{n}", who, str((n + (who == "b")) % 3), "1.5", f"c{n % 2}", "0"] for n in range(6) for who in "ab"]
    (folder / "labels.csv").write_text(fuzz_seeds.csv_text(rows), "utf-8")


def _read_labels(folder: Path, _: Any) -> None:
    read_long_table(folder / "labels.csv", "interval", Further("weight", "condition", "repeat"), missing=("unsure",))


def _build_clap(folder: Path) -> None:
    """One patched run and an unpatched one of five prompts, at fixed places."""
    fixture = fuzz_seeds.clap_fixture()
    fixture.write_words(folder / "words.csv")
    fixture.write_prompts(folder / "prompts.csv", [("fr", "de")])
    published = fixture.Published(folder / "results", ("fr", "de"), lambda setting, kind, layer, index: f'Wort{index}"')
    published.run("tgt_tgt", [("fr", "de")])
    published.unpatched()
    for number, path in enumerate(sorted((folder / "results").rglob("exp_args.json"))):
        place = folder / "flat" / ("1700000000_tgt_tgt" if "tgt_tgt" in path.parent.name else "1700000001_brave-otter")
        shutil.copytree(path.parent, place)
        (place / f"{path.parent.name}.json").rename(place / f"{place.name}.json")
        assert number < 2
    shutil.rmtree(folder / "results")
    config = {
        "name": "imported", "model": {"name": "m", "checkpoints": [{"name": "step1000", "path": "x"}]},
        "trained_languages": ["en", "fr", "de"], "language_pairs": [["fr", "de"]],
        "words": {"source": "csv", "file": "../words.csv"},
        "generation": {"settings": ["unpatched", "tgt_tgt"]},
    }  # fmt: skip
    (folder / "study").mkdir()
    fuzz_seeds.write_yaml(folder / "study" / "study.yaml", config)


def _read_clap(folder: Path, _: Any) -> None:
    import_clap(folder / "flat", Study.open(folder / "study"), folder / "prompts.csv", "fuzz")


def _clap(name: str, file: str, form: str, share: float) -> Reader:
    return Reader(f"import clap: {name}", file, form, share, _build_clap, _read_clap, writes=True)


def _build_lmf(folder: Path) -> None:
    """A WordNet, and wn's database without any, which takes a second to make."""
    (folder / "en.xml").write_text(fuzz_seeds.lmf(), "utf-8")
    (folder / "none.xml").write_text("", "utf-8")
    with contextlib.suppress(UserError):
        read_wordnets(WordnetSpec(lexicons={"en": "none.xml"}, data="wn"), ["en"], folder)
    (folder / "none.xml").unlink()


def _read_lmf(folder: Path, _: Any) -> None:
    """wn keeps its connections by place, so each input gets a place of its own."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as data:
        shutil.copy(folder / "wn" / "wn.db", data)
        found = read_wordnets(WordnetSpec(lexicons={"en": "en.xml"}, data=data), ["en"], folder)
        WordNets(found).concepts(["en"], "noun")


def _series(folder: Path) -> None:
    """A study whose checkpoints are resolved."""
    fuzz_seeds.study(folder)
    fixed = {"format": "checkpoints/1", "fixed": "2026-01-01T00:00:00+00:00",
             "series": {"repo": "owner/name", "family": "mine"}, "checkpoints": [
        {"name": "a", "repo": "owner/name", "revision": "step1", "commit": "a" * 40, "step": 1},
        {"name": "b", "repo": "owner/name", "revision": "step2", "commit": "b" * 40, "step": 2, "dtype": "float32"},
    ]}  # fmt: skip
    (folder / "checkpoints.json").write_text(json.dumps(fixed), "utf-8")
    model = {"name": "m", "series": {"repo": "owner/name", "family": "mine"}}
    fuzz_seeds.write_yaml(folder / "study.yaml", fuzz_seeds.config(model=model, contrasts=[], annotation={}))


READERS = [
    Reader("study.yaml", "study.yaml", "yaml", 5, fuzz_seeds.study, lambda folder, _: Study.open(folder)),
    Reader("taxonomy", "taxonomy.yaml", "yaml", 2, _build_taxonomy,
           lambda folder, _: load_taxonomy(folder / "taxonomy.yaml")),
    _study_reader("private/annotators.yaml", "private/annotators.yaml", "yaml", 4, accounts),
    Reader("checkpoints.json", "checkpoints.json", "json", 3, _series, lambda folder, _: Study.open(folder)),
    _study_reader("lock.json", "lock.json", "json", 3, read_lock),
    _word_reader("concepts.jsonl", "words.jsonl", "jsonl", 9, _concepts),
    _word_reader("csv", "words.csv", "csv", 9, _table),
    _word_reader("Multi-SimLex", "words.csv", "csv", 9, _simlex),
    _word_reader("lexicon", "words.tsv", "csv", 3, _lexicon),
    Reader("concept list: WordNet LMF", "en.xml", "xml", 2, _build_lmf, _read_lmf),
    _study_reader("prompts.parquet", "prompts.parquet", "parquet", 5, lambda study: study.prompt_pairs),
    _study_reader("translations (Parquet)", "translations/one/part.parquet", "parquet", 5,
                  lambda study: study.named(study.translations())),
    _study_reader("items.parquet", "items.parquet", "parquet", 5, lambda study: study.items()),
    _study_reader("links.parquet", "links.parquet", "parquet", 4, lambda study: study.links()),
    _study_reader("float32_audit.parquet", "float32_audit.parquet", "parquet", 4,
                  lambda study: read_parquet(study.float32_file, Float32Audit, FLOAT32_FORMAT, "x")),
    _study_reader("annotations.jsonl", "annotations.jsonl", "jsonl", 8, lambda study: study.annotations()),
    _study_reader("assignments.jsonl", "assignments.jsonl", "jsonl", 8, lambda study: study.assignments()),
    replace(_study_reader("annotate import", "export.json", "json", 6,
                          lambda study: import_exports(study, [study.folder / "export.json"])),
            build=_build_export, writes=True),
    Reader("annotate table", "export.json", "json", 8, _build_export, _read_foreign),
    Reader("tidy table (csv)", "table.csv", "csv", 3, _build_tidy,
           lambda folder, _: read_tidy_table(folder / "table.csv", TAXONOMY)),
    Reader("tidy table (Parquet)", "table.parquet", "parquet", 2, _build_tidy_parquet,
           lambda folder, _: read_tidy_table(folder / "table.parquet", TAXONOMY)),
    Reader("analyze --table, all of it", "table.csv", "csv", 0.05, _build_tidy, _analyse),
    _clap("exp_args.json", "flat/1700000000_tgt_tgt/exp_args.json", "json", 0.7),
    _clap("outputs", "flat/1700000001_brave-otter/1700000001_brave-otter.json", "json", 0.7),
    _clap("prompts", "prompts.csv", "csv", 0.7),
    Reader("labels of agreement", "labels.csv", "csv", 9, _build_labels, _read_labels),
]  # fmt: skip
