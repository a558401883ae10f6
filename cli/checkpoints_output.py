"""How `gainsift checkpoints` shows series, studies and families: tables, JSON, and YAML for study.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from gainsift.cli.terminal import print_json, say
from gainsift.generation.checkpoint_families import FAMILIES
from gainsift.generation.disk import size_word
from gainsift.generation.schedules import METHODS
from gainsift.generation.store import is_here
from gainsift.schemas.errors import some_of

if TYPE_CHECKING:
    from gainsift.generation.checkpoints import Checkpoint
    from gainsift.generation.resolution import News
    from gainsift.generation.series import Listing
    from gainsift.schemas.errors import GainsiftError
    from gainsift.schemas.fixed_checkpoints import FixedCheckpoints
    from gainsift.schemas.model import CheckpointSpec
    from gainsift.schemas.study import Study

LONG = 60
"""A longer series is listed whole on demand only."""
KEYS = ("name", "path", "repo", "revision", "commit", "gguf_file", "tokenizer", "step", "tokens", "dtype")


def tokens_word(tokens: int) -> str:
    """`48 B`, `5.2 M`; a dash where nobody knows."""
    for unit, sign in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if tokens >= unit:
            return f"{tokens / unit:.4g} {sign}"
    return str(tokens) if tokens else "–"


def show_listing(listing: Listing, everything: bool, each: int = 0) -> None:
    """The checkpoints of a series; of a long one only those that are taken, unless all are asked for.

    `each`: bytes of one checkpoint's weights on the hub, 0 if unknown.
    """
    taken = set(listing.taken())
    short = len(listing.found) > LONG and not everything
    phases = any(one.phase for one in listing.found)
    columns = ["", "checkpoint", *(["phase"] if phases else []), "step", "tokens"]
    rows = [
        ["●" if at in taken else "", one.name, *([str(one.phase)] if phases else []), f"{one.step:,}",
         tokens_word(one.tokens)]
        for at, one in enumerate(listing.found) if at in taken or not short
    ]  # fmt: skip
    _print_table(columns, rows, right=("phase", "step", "tokens"))
    say(
        f"{listing.source.where}: {len(listing.found)} checkpoints of family {listing.family.name}; "
        f"{_policy_words(listing)} takes {len(taken)} (●)"
    )
    if each:
        in_all = size_word(len(taken) * each)
        say(f"  {size_word(each)} each, {in_all} in all; with model.evict two at a time")
    if short:
        say("  --all lists the others too")
    if listing.others:
        say(f"  not of this family: {some_of(listing.others)}")
    say("  --yaml prints them for study.yaml")


def _policy_words(listing: Listing) -> str:
    policy = listing.source.policy
    if not isinstance(policy, str):
        return "the list of names"
    if policy == "published":
        return f"the published schedule ({listing.family.schedule})"
    return f"policy {policy}"


def listing_data(listing: Listing) -> dict[str, Any]:
    """The whole series as plain data."""
    taken = set(listing.taken())
    return {
        "model": listing.source.where,
        "family": listing.family.name,
        "policy": listing.source.policy,
        "checkpoints": [
            {
                "name": one.name, "label": one.label, "phase": one.phase, "step": one.step, "tokens": one.tokens,
                "commit": listing.commits.get(one.name), "taken": at in taken,
            }
            for at, one in enumerate(listing.found)
        ],
        "others": listing.others,
    }  # fmt: skip


def model_section(listing: Listing, specs: Sequence[CheckpointSpec]) -> str:
    """The section `model` of study.yaml, one line a checkpoint."""
    name = json.dumps(listing.source.where.rstrip("/").rsplit("/", 1)[-1], ensure_ascii=False)
    lines = [f"model:\n  name: {name}\n  checkpoints:\n"]
    for spec in specs:
        data = spec.model_dump(mode="json", exclude_defaults=True)
        ordered = {key: data[key] for key in KEYS if key in data}
        text = yaml.safe_dump(ordered, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
        lines.append(f"    - {text}")
    return "".join(lines)


def show_study(
    study: Study,
    opened: Sequence[Checkpoint],
    fixed: FixedCheckpoints | None,
    news: News | None,
    unasked: GainsiftError | None,
    new: bool,
) -> None:
    """The checkpoints of a study in training order, and what has changed on the hub since they were fixed."""
    repos = {one.spec.repo for one in opened}
    rows = [
        [one.name, f"{one.spec.step:,}", tokens_word(one.spec.tokens), _place(one, len(repos) == 1), _here(one)]
        for one in opened
    ]
    _print_table(["checkpoint", "step", "tokens", "from", "where"], rows, right=("step", "tokens"))
    if len(repos) == 1 and any(repos):
        say(f"from {repos.pop()} on the hub, by commit")
    if fixed is not None:
        verb = "resolved now, and kept" if new else f"as resolved on {fixed.fixed[:10]}"
        say(f"{len(opened)} checkpoints, {verb} in {study.folder / 'checkpoints.json'}")
    if study.config.model.trust_remote_code:
        say("code that comes with the model is run (model.trust_remote_code)")
    if unasked is not None:
        say(f"not compared with the hub: {unasked.problem}")
    if news is not None:
        show_news(news, study)


def show_news(news: News, study: Study) -> None:
    """What the hub has that the study has not, in sentences."""
    if not news:
        say("nothing has changed there since")
        return
    if news.later:
        say(f"there now, later than the last one: {some_of(news.later)}")
    if news.policy_adds:
        say(f"the policy would now take: {some_of(news.policy_adds)}")
    if news.moved:
        say(f"changed there, the study keeps its own: {some_of(news.moved)}")
    if news.gone:
        say(f"no longer there: {some_of(news.gone)}")
    say(f"`gainsift checkpoints {study.folder} --update` takes what there is today")


def study_data(
    study: Study,
    opened: Sequence[Checkpoint],
    fixed: FixedCheckpoints | None,
    news: News | None,
    unasked: GainsiftError | None,
) -> dict[str, Any]:
    """The same as plain data; `news` is null where nobody was asked."""
    listed = [{**one.spec.model_dump(mode="json"), "here": not one.remote or is_here(one)} for one in opened]
    return {
        "study": str(study.folder),
        "fixed": fixed.fixed if fixed else None,
        "checkpoints": listed,
        "news": vars(news) if news is not None else None,
        "not_compared": unasked.problem if unasked is not None else None,
    }


def show_families(as_json: bool) -> None:
    """The table of families, and what policies there are."""
    if as_json:
        rows = [family.model_dump(mode="json") for family in FAMILIES]
        policies = {name: words for name, (_, words) in METHODS.items()}
        print_json({"families": rows, "policies": policies})
        return
    columns = ["family", "for example", "tokens a step", "published", "tokenizer where there is none"]
    _print_table(
        columns,
        [
            [family.name, family.example, tokens_word(family.tokens_per_step), family.schedule, family.tokenizer or "–"]
            for family in FAMILIES
        ],
        right=("tokens a step",),
    )
    say("policies: published, the family's own schedule; explicit:A,B,C names checkpoints or steps;")
    for name, (_, words) in METHODS.items():
        say(f"  {name}: {words}")


def _place(one: Checkpoint, one_repo: bool) -> str:
    commit = one.spec.commit[:12]
    return one.spec.path if not one.remote else commit if one_repo else f"{one.spec.repo}@{commit}"


def _here(one: Checkpoint) -> str:
    return "local" if not one.remote else "in the cache" if is_here(one) else "on the hub"


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    from rich.table import Table
    from rich.text import Text

    from gainsift.cli.terminal import Console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False, markup=False).print(table)
