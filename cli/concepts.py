"""`gainsift concepts`: looks at a list of words before a study rests on it, and turns lists into concepts.jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import print_json, say

if TYPE_CHECKING:
    from gainsift.generation.word_check import WordCheck
    from gainsift.generation.word_files import WordList

SHOWN = 10

app = typer.Typer(name="concepts", help="Check and convert lists of words.", no_args_is_help=True)


class Format(StrEnum):
    study = "study"
    concepts = "concepts"
    csv = "csv"
    multi_simlex = "multi_simlex"
    wordnet = "wordnet"
    lexicon = "lexicon"


Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE", help="A list of words, or a study folder; WN-LMF files, one for each language."),
]
FormatOption = Annotated[Format | None, typer.Option("--format", help="Default: by its name and first line.")]
Languages = Annotated[str, typer.Option("--languages", help="Codes such as en,de; default: all of the list.")]
Part = Annotated[str, typer.Option("--part-of-speech", help="noun, verb, adjective or adverb.")]


@app.command("check")
def check(
    files: Files,
    form: FormatOption = None,
    languages: Languages = "",
    part_of_speech: Part = "noun",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Coverage by language, ambiguous forms, homographs, doubles and odd forms of a list of words.

    Exit status 2 if something in it keeps `generate` from using the list.
    """
    from gainsift.generation.word_check import check_words

    found = _read(files, form, languages, part_of_speech)
    report = check_words(found.concepts, found.languages, found.left_out)
    if as_json:
        print_json(report.as_dict())
    else:
        _show(report)
    if report.unusable:
        raise typer.Exit(2)


@app.command("convert")
def convert(
    files: Files,
    out: Annotated[Path, typer.Option("--out", help="The file to write: words.source concepts reads it.")],
    form: FormatOption = None,
    languages: Languages = "",
    part_of_speech: Part = "noun",
) -> None:
    """Write any list as concepts.jsonl, the format that holds senses and look-alikes, to be mended by hand."""
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.files import write_jsonl
    from gainsift.schemas.study import CONCEPTS_FORMAT

    found = _read(files, form, languages, part_of_speech)
    if out.exists():
        raise UserError(str(out), "is there already", "name another file, or move it away")
    write_jsonl(out, found.concepts, CONCEPTS_FORMAT)
    say(f"{len(found.concepts)} concepts in {', '.join(found.languages)} -> {out}")
    for reason, number in found.left_out.items():
        say(f"  {number} {reason}")


def _read(files: list[Path], form: Format | None, languages: str, part_of_speech: str) -> WordList:
    from typing import get_args

    from gainsift.generation.word_files import read_word_list
    from gainsift.schemas.errors import UserError, did_you_mean
    from gainsift.schemas.languages import language
    from gainsift.schemas.word_source import PartOfSpeech

    parts: dict[str, PartOfSpeech] = {name: name for name in get_args(PartOfSpeech)}
    if part_of_speech not in parts:
        raise UserError("--part-of-speech", f"unknown {part_of_speech!r}", did_you_mean(part_of_speech, parts))
    codes = [language(code.strip(), "--languages").code for code in languages.split(",") if code.strip()]
    return read_word_list(files, form.value if form else None, list(dict.fromkeys(codes)), parts[part_of_speech])


def _show(report: WordCheck) -> None:
    from rich.table import Table

    from gainsift.cli.terminal import Console

    table = Table("language", title=f"{report.concepts} concepts, {report.complete} in every language")
    for name in ("concepts", "share", "forms", "of several words"):
        table.add_column(name, justify="right")
    for code, row in report.coverage.items():
        share = f"{100 * row.concepts / report.concepts:.1f} %" if report.concepts else ""
        table.add_row(code, str(row.concepts), share, str(row.forms), str(row.several_words))
    Console(highlight=False, markup=False).print(table)
    say(f"\nconcepts with other senses: {report.senses}, with look-alikes: {report.lookalikes}")
    _list("forms with several meanings", [f"{p.form} ({p.language}): {', '.join(p.rows)}" for p in report.polysemous])
    _list(
        "interlingual homographs",
        [f"{h.form}: {h.concept} ({h.language}), {h.other} ({h.other_language})" for h in report.homographs],
    )
    _list(
        "language pairs with words spelled alike (what copying alone is credited with)",
        [f"{pair}: {100 * share:.1f} %" for pair, share in report.identical.items()],
    )
    _list("doubles", [", ".join(ids) for ids in report.duplicates])
    _list("forms to look at", [f"{s.form!r} ({s.language}, {s.concept}): {s.reason}" for s in report.suspicious])
    _list("left out or changed while reading", [f"{number} {reason}" for reason, number in report.left_out.items()])
    _list("to be mended before the list can be used", report.unusable)


def _list(title: str, lines: Sequence[str]) -> None:
    if not lines:
        say(f"{title}: none")
        return
    say(f"{title}: {len(lines)}")
    for line in lines[:SHOWN]:
        shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
        say(f"  {shown}")  # a list may hold what a terminal would obey
    if len(lines) > SHOWN:
        say(f"  and {len(lines) - SHOWN} more; --json lists all")
