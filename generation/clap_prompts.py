"""The prompts behind results of the published patching code, from a csv: their cache is a pickle, which is not read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from gainsift.generation.csv_rows import csv_rows
from gainsift.generation.word_table import parse_forms
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import LanguagePair, Prompt

COLUMNS = ("kind", "input", "output", "index", "concept", "examples", "prompt")


@dataclass(frozen=True)
class ClapPrompt:
    """One prompt: the concept that it asks for, those of its example lines, and its text."""

    concept: str
    examples: tuple[str, ...]
    text: str
    where: str


@dataclass(frozen=True)
class ClapPrompts:
    """Prompts by kind and language pair, in the order in which they were run."""

    path: Path
    prompts: dict[tuple[Prompt, LanguagePair], list[ClapPrompt]]

    def of(self, kind: Prompt, pair: LanguagePair) -> list[ClapPrompt]:
        """Raises UserError if the csv lacks them."""
        if (kind, pair) not in self.prompts:
            raise UserError(str(self.path), f"no {kind} prompts of {pair[0]}-{pair[1]}", "write all prompts to the csv")
        return self.prompts[kind, pair]


def read_clap_prompts(path: Path) -> ClapPrompts:
    """A csv with the columns kind (source, target), input, output, index (from 0), concept, examples, prompt.

    `concept` and the list `examples` hold the English words that the published code names concepts by. Raises
    UserError with file and line, also if a kind and language pair lack an index, or if an index is about other
    concepts in one language pair than in another.
    """
    columns, rows = csv_rows(path, "a csv of prompts")
    for name in COLUMNS:
        if name not in columns:
            raise UserError(f"{path}:1", f"column {name!r} is missing", f"expected {', '.join(COLUMNS)}")
    found: dict[tuple[Prompt, LanguagePair], dict[int, ClapPrompt]] = {}
    kinds: dict[str, Prompt] = {name: name for name in get_args(Prompt)}
    about: dict[tuple[str, int], ClapPrompt] = {}
    for line, row in rows:
        where = f"{path}:{line}"
        if row["kind"] not in kinds or not row["index"].isdecimal():
            found_here = f"kind {row['kind']!r}, index {row['index']!r}"
            raise UserError(where, found_here, "expected source or target, and 0, 1, 2 …")
        index = int(row["index"])
        examples = tuple(parse_forms(row["examples"], f"{where}: column examples"))
        prompt = ClapPrompt(row["concept"].strip(), examples, row["prompt"], where)
        group = found.setdefault((kinds[row["kind"]], (row["input"], row["output"])), {})
        if index in group:
            raise UserError(where, f"prompt {index} of {row['kind']} {row['input']}-{row['output']} stands twice")
        group[index] = prompt
        first = about.setdefault((row["kind"], index), prompt)
        if (first.concept, first.examples) != (prompt.concept, prompt.examples):
            raise UserError(
                where, f"concept or examples of index {index} differ from {first.where}", "were rows sorted?"
            )
    for (kind, pair), group in found.items():
        missing = next((index for index in range(len(group)) if index not in group), None)
        if missing is not None:
            raise UserError(str(path), f"{kind} prompt {missing} of {pair[0]}-{pair[1]} is missing", "add its row")
    return ClapPrompts(path, {key: [group[i] for i in range(len(group))] for key, group in found.items()})
