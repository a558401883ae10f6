"""README.md of a released study: what is in it, how it was made, its limits and licences, counted from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from gainsift.analysis.wording import counted
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.study import Study
from gainsift.schemas.visible_text import visible

NOT_DECLARED = "**not declared** (`release.licences.{}` in study.yaml)"
LICENCES = {
    "outputs": "outputs of the model (translations/)",
    "judgements": "items, judgements, guidelines, taxonomy",
    "words": "concepts with their glosses and senses (concepts.jsonl)",
}
FILES = {
    "study.yaml": "what was asked; paths of checkpoints are cut to their names",
    "taxonomy.yaml": "the categories with definition, kind and bucket",
    "concepts.jsonl": "the concepts: forms, gloss, senses",
    "prompts.parquet": "the prompt pairs",
    "translations/": "the outputs, one row each",
    "float32_audit.parquet": "a share of the outputs, each beside what float32 makes of the same prompt",
    "items.parquet": "what was judged: one row for each distinct answer",
    "links.parquet": "which output is which item, and the probabilities of the draw",
    "prelabels.parquet": "what the word list alone says of every item, judged or not",
    "assignments.jsonl": "who was asked what, controls and repeats with their role",
    "annotations.jsonl": "the judgements, each with the item as it was shown",
    "guidelines.html": "what annotators read",
    "label_config.xml": "their page in Label Studio",
    "lock.json": "the plan of the analysis as it was frozen",
    "SHA256SUMS": "hashes of all files: `sha256sum -c SHA256SUMS`",
}
"""In the order of the table; `*.run.json` beside a file says how it came about."""


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle. `outputs`: rows by checkpoint; `comments`: whether those of annotators are in it."""

    study: Study
    files: Sequence[str]
    outputs: Counter[str]
    items: Sequence[Item]
    lines: Sequence[Annotation]
    comments: bool


def datasheet(contents: Contents) -> str:
    """The text, Markdown."""
    study = contents.study
    spec = study.config.release
    by = ", ".join(spec.authors)
    parts = [
        f"# {visible(study.config.name)}: outputs, items and judgements",
        *([f"By {visible(by)}."] if by else []),
        *([visible(study.config.description)] if study.config.description else []),
        f"Study `{study.id}`, bundled by gainsift {metadata.version('gainsift')}. The bundle is a study folder:"
        " `gainsift analyze FOLDER` makes its tables, figures and report again, to the same numbers.",
        "## What is in it", _counts(contents), _files(contents),
        "## How it was made", _made(contents),
        "## Who judged", _judged(contents),
        "## Known limits", _limits(contents),
        "## Licences", "\n".join(f"- {name}: {_licence(study, key)}" for key, name in LICENCES.items()),
        *(["## How to cite", visible(spec.citation)] if spec.citation else []),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def undeclared(study: Study) -> list[str]:
    """The parts without a licence."""
    return [key for key in LICENCES if not getattr(study.config.release.licences, key)]


def _licence(study: Study, part: str) -> str:
    declared: str = getattr(study.config.release.licences, part)
    return visible(declared) if declared else NOT_DECLARED.format(part)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(visible(cell).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def _counts(contents: Contents) -> str:
    study, config = contents.study, contents.study.config
    judged = {line.item_id for line in contents.lines if line.status == "judged" and line.source != "auto"}
    rows = [
        ("checkpoints", len(config.model.checkpoints)),
        ("prompt pairs", len(study.prompt_pairs)),
        ("concepts", len(study.concepts)),
        ("outputs", contents.outputs.total()),
        ("items (distinct answers to judge)", len(contents.items)),
        ("items with a judgement", len(judged & {item.item_id for item in contents.items})),
        *(
            (f"judgements: {role}, {source}", count)
            for (role, source), count in sorted(
                Counter((line.role, line.source) for line in contents.lines if line.status == "judged").items()
            )
        ),
        *(
            (f"lines of annotations.jsonl without a judgement: {status}", count)
            for status, count in sorted(Counter(line.status for line in contents.lines).items())
            if status != "judged"
        ),
    ]
    pairs = Counter((item.input_language, item.output_language) for item in contents.items)
    languages = [(f"{a} → {b}", pairs[a, b]) for a, b in config.language_pairs]
    checkpoints = [(one.name, one.step, one.tokens or "unknown", contents.outputs[one.name])
                   for one in config.model.checkpoints]  # fmt: skip
    return "\n\n".join([
        _table(("what", "number"), [(name, f"{count:,}") for name, count in rows]),
        _table(("languages", "items"), languages),
        _table(("checkpoint", "step", "tokens seen", "outputs"), checkpoints),
    ])  # fmt: skip


def _files(contents: Contents) -> str:
    rows = [
        (f"`{name}`", meaning)
        for name, meaning in FILES.items()
        if name == "SHA256SUMS" or any(file == name or file.startswith(name) for file in contents.files)
    ]
    return _table(("file", "what it holds"), [*rows, ("`*.run.json`", "how the file beside it came about")])


def _made(contents: Contents) -> str:
    config, rows = contents.study.config, contents.study.config.annotation.rows
    drawn = "all trajectories"
    if rows.trajectories:
        drawn = f"a random draw of {rows.trajectories:,} of the trajectories (prompt pair × language pair)"
    return (
        f"The model is {visible(config.model.name)}. Each output continues a few-shot prompt that asks for the"
        f" translation of one word ({config.prompts.shots} example lines, prompt seed {config.prompts.seed},"
        f" words: {config.words.source}); answers are decoded greedily, at most {config.generation.max_new_tokens}"
        f" tokens. Settings: {', '.join(config.generation.settings)}; `unpatched` outputs are the model's own, for the"
        " others a concept vector was patched in. Equal answers to equal questions are one item; items show neither"
        f" model, checkpoint nor setting. Judged: settings {', '.join(rows.settings)}, {drawn} (seed {rows.seed});"
        " links.parquet holds the probabilities, which every estimate needs as weights."
    )


def _judged(contents: Contents) -> str:
    people = [line for line in contents.lines if line.status == "judged" and line.source in ("human", "adjudicated")]
    made_up = [line for line in contents.lines if line.status == "judged" and line.source == "simulated"]
    told = []
    if people:
        names = sorted({line.annotator for line in people})
        each = Counter(line.annotator for line in people)
        told.append(f"{counted(len(names), 'person').replace('persons', 'people')}, under pseudonyms:"
                    f" {', '.join(f'{name} ({each[name]:,} judgements)' for name in names)}.")  # fmt: skip
        told.append(
            "They judged on the page of label_config.xml by guidelines.html; annotations.jsonl says when, and how long"
            " each page was open."
        )
    if made_up:
        told.append(
            f"**{counted(len(made_up), 'judgement')} {'is' if len(made_up) == 1 else 'are'} simulated**: automatic"
            " labels with noise. They say nothing of what people think."
        )
    told.append(
        "Left at home: who is behind a pseudonym, the labelling server's data, task files and reports. Before this"
        " bundle was written, its texts were searched for addresses and for the names of the study's private map."
    )
    return " ".join(told if people or made_up else ["Nobody yet.", *told])


def _limits(contents: Contents) -> str:
    study = contents.study
    split = sum("sense_split" in concept.flags for concept in study.concepts.values())
    told = [
        "An isolated word has several right translations; *correct* means the intended sense of this word list.",
        "Success is a match with the list's reference forms: unlisted right answers miss it, and copies may hit it.",
        "Figures speak of these words, languages and this one training run, not of other seeds.",
    ]
    if split:
        told.append(
            f"The references of {counted(split, 'concept')} disagree in sense between languages (`sense_split`)."
        )
    if study.config.annotation.prelabels != "off":
        told.append("Automatic labels were used in the annotation (`annotation.prelabels`), and may have led people.")
    if not contents.comments:
        told.append("Comments and free text of annotators were left out.")
    if study.config.release.limits:
        told.append(visible(study.config.release.limits))
    return "\n".join(f"- {sentence}" for sentence in told)
