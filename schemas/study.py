"""A study is a folder: where each file lies, and the readers that every stage shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import StudyConfig, parse_config, read_config
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import (
    iterate_appended,
    iterate_jsonl,
    parquet_records,
    read_jsonl,
    read_parquet,
)
from gainsift.schemas.fixed_checkpoints import FixedCheckpoints, read_fixed, with_fixed
from gainsift.schemas.held_once import HeldOnce
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Assignment, AutomaticLabel, Item, Link, Translation
from gainsift.schemas.taxonomy import Taxonomy, load_taxonomy

CONCEPTS_FORMAT = "concept/1"
PROMPTS_FORMAT = "prompts/1"
TRANSLATIONS_FORMAT = "translations/1"
ITEMS_FORMAT = "items/1"
LINKS_FORMAT = "links/2"
PRELABELS_FORMAT = "prelabels/1"
ASSIGNMENT_FORMAT = "assignment/1"
ANNOTATION_FORMAT = "annotation/2"

OTHER_CHECKPOINT = "outputs of checkpoints that study.yaml does not name"
OTHER_PAIR = "outputs of language pairs that study.yaml does not name"


@dataclass(frozen=True)
class Study:
    """An opened study folder."""

    folder: Path
    config: StudyConfig

    @classmethod
    def open(cls, folder: Path, fixed: FixedCheckpoints | None = None) -> Study:
        """Read and check study.yaml. Raises UserError.

        A series of checkpoints stands in the configuration as the list that it was resolved to: the one of
        checkpoints.json, or `fixed`.
        """
        if not folder.is_dir():
            raise UserError(str(folder), "no such study folder", "start one with `gainsift init FOLDER`")
        path = folder / "study.yaml"
        data = with_fixed(read_config(path), path, fixed or read_fixed(folder))
        return cls(folder, parse_config(data, path))

    @property
    def id(self) -> str:
        """Opaque id that goes into tasks and judgements; it names neither model nor checkpoint."""
        return fingerprint(["study", self.config.id or self.config.name], 12)

    @property
    def config_file(self) -> Path:
        return self.folder / "study.yaml"

    @property
    def concepts_file(self) -> Path:
        return self.folder / "concepts.jsonl"

    @property
    def reads_own_concepts(self) -> bool:
        """Whether the words of study.yaml are this very concepts.jsonl, which then is nobody's product."""
        file = self.config.words.file
        return file is not None and self.path(file) == self.concepts_file.resolve()

    @property
    def prompts_file(self) -> Path:
        return self.folder / "prompts.parquet"

    @property
    def translations_folder(self) -> Path:
        return self.folder / "translations"

    @property
    def float32_folder(self) -> Path:
        """Outputs that were made again in float32; they are no outputs of the study."""
        return self.folder / "float32_audit"

    @property
    def float32_file(self) -> Path:
        """Each of them beside the study's own."""
        return self.folder / "float32_audit.parquet"

    @property
    def items_file(self) -> Path:
        return self.folder / "items.parquet"

    @property
    def links_file(self) -> Path:
        return self.folder / "links.parquet"

    @property
    def prelabels_file(self) -> Path:
        """The automatic labels of the whole population's items."""
        return self.folder / "prelabels.parquet"

    @property
    def assignments_file(self) -> Path:
        return self.folder / "assignments.jsonl"

    @property
    def server_folder(self) -> Path:
        """Data folder of the study's own Label Studio."""
        return self.folder / "label-studio"

    @property
    def private_folder(self) -> Path:
        """Who is behind the pseudonyms. No export, task or report includes anything of it."""
        return self.folder / "private"

    @property
    def tasks_folder(self) -> Path:
        return self.folder / "tasks"

    @property
    def annotations_file(self) -> Path:
        return self.folder / "annotations.jsonl"

    @property
    def report_folder(self) -> Path:
        return self.folder / "report"

    def path(self, name: str) -> Path:
        """A file named in study.yaml: relative to the study unless absolute."""
        return (self.folder / name).resolve()

    @cached_property
    def taxonomy(self) -> Taxonomy:
        return load_taxonomy(self.path(self.config.taxonomy) if self.config.taxonomy else None)

    @cached_property
    def concepts(self) -> dict[str, Concept]:
        """The study's concepts by id, as generation wrote them."""
        rows = read_jsonl(self.concepts_file, Concept, CONCEPTS_FORMAT, f"gainsift generate {self.folder}")
        return {concept.id: concept for concept in rows}

    @cached_property
    def prompt_pairs(self) -> list[PromptPair]:
        return parquet_records(self.prompts_file, PromptPair, PROMPTS_FORMAT, f"gainsift generate {self.folder}")

    def translation_files(self) -> list[Path]:
        """The finished Parquet files under translations/, sorted."""
        return sorted(self.translations_folder.glob("**/*.parquet"))

    def run_records(self) -> list[Path]:
        """The run.json files of the study's products and of its outputs, sorted; a report's own is not among them."""
        return sorted([*self.folder.glob("*.run.json"), *self.translations_folder.glob("**/*run.json")])

    def translation_tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The output rows, file by file. Raises UserError if there are none or a file is of another format."""
        files = self.translation_files()
        made_by = f"gainsift generate {self.folder}"
        if not files:
            raise UserError(str(self.translations_folder), "no translations", f"run `{made_by}` first")
        for file in files:
            yield read_parquet(file, Translation, TRANSLATIONS_FORMAT, made_by, columns)

    def translations(self, columns: list[str] | None = None) -> pa.Table:
        """All output rows in one table, as `translation_tables` has them."""
        return pa.concat_tables(self.translation_tables(columns))

    def translations_of(self, row_ids: pa.Array, columns: list[str]) -> pa.Table:
        """The output rows with these ids; `columns` has row_id. One file is held whole at a time."""
        tables = self.translation_tables(columns)
        return pa.concat_tables(table.filter(pc.is_in(table["row_id"], value_set=row_ids)) for table in tables)

    def named(self, table: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """The output rows whose checkpoint and language pair stand in study.yaml, and how many others there are.

        Files of a checkpoint that was taken out of study.yaml may still lie in the folder; they are no part of the
        study.
        """
        checkpoints = pa.array([checkpoint.name for checkpoint in self.config.model.checkpoints], pa.string())
        pairs = pa.array(["|".join(pair) for pair in self.config.language_pairs], pa.string())
        named = pc.is_in(table["checkpoint"], value_set=checkpoints)
        listed = pc.is_in(pc.binary_join_element_wise(table["input_language"], table["output_language"], "|"), pairs)
        left: Counter[str] = Counter()
        left[OTHER_CHECKPOINT] = len(table) - (pc.sum(named).as_py() or 0)
        left[OTHER_PAIR] = pc.sum(pc.and_(named, pc.invert(listed))).as_py() or 0
        return table.filter(pc.and_(named, listed)), +left

    def items(self) -> list[Item]:
        return parquet_records(self.items_file, Item, ITEMS_FORMAT, f"gainsift annotate plan {self.folder}")

    def links(self) -> pa.Table:
        table = read_parquet(self.links_file, Link, LINKS_FORMAT, f"gainsift annotate plan {self.folder}")
        for name, value in (("audit_probability", 1.0), ("asked", True)):  # version 1 knew no audit
            if name not in table.column_names:
                table = table.append_column(name, pa.array([value] * len(table)))
        return table

    def prelabels(self) -> dict[str, str | None]:
        """Item -> its automatic label, None where the lexicon cannot tell; empty without prelabels.parquet."""
        if not self.prelabels_file.exists():
            return {}
        table = read_parquet(
            self.prelabels_file, AutomaticLabel, PRELABELS_FORMAT, f"gainsift annotate prelabel {self.folder}"
        )
        return dict(zip(table["item_id"].to_pylist(), table["label"].to_pylist(), strict=True))

    def assignments(self) -> list[Assignment]:
        """Every task that was ever given out, retired ones too; none before the first plan."""
        if not self.assignments_file.exists():
            return []
        once, made_by = HeldOnce(), f"gainsift annotate plan {self.folder}"
        lines = iterate_jsonl(self.assignments_file, Assignment, ASSIGNMENT_FORMAT, made_by)
        return [once(line) for _, line in lines]

    def last_lines(self) -> dict[str, Annotation]:
        """The last line of each judgement_id, withdrawn ones too. Raises UserError with file and line.

        An absent file is empty: nobody has judged yet.
        """
        if not self.annotations_file.exists():
            return {}
        once = HeldOnce()
        lines = iterate_appended(self.annotations_file, Annotation, ANNOTATION_FORMAT, "gainsift annotate import")
        return {line.judgement_id: once(line) for _, line in lines}

    def annotations(self) -> list[Annotation]:
        """The judgements in force: the last line of each judgement_id, withdrawn ones left out."""
        return [line for line in self.last_lines().values() if line.status != "withdrawn"]


def as_study(study: Study | Path | str) -> Study:
    """A study as it is, or opened from its folder. Raises UserError."""
    return study if isinstance(study, Study) else Study.open(Path(study))
