"""A model's series of checkpoints: what there is on the hub or in a folder, and what a policy takes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gainsift.generation.checkpoint_families import Found, family_of, in_training_order, table_of
from gainsift.generation.checkpoints import stored_dtype
from gainsift.generation.hub import TOKENIZER_FILES, Hub, require_hub, weight_files
from gainsift.generation.hub_errors import Gone, NoConnection
from gainsift.generation.schedules import choose
from gainsift.schemas.errors import UserError, did_you_mean, some_of
from gainsift.schemas.model import CheckpointSpec, FamilySpec, SeriesSpec, TokenizerSpec

LEAVE_OUT = "pickles are not read: leave it out, with a policy that names the others"
DEPTH = 3
"""How many folders deep checkpoints are looked for below a series' folder."""


@dataclass(frozen=True)
class Listing:
    """What there is: checkpoints in training order, and the names of everything that is none of the family."""

    source: SeriesSpec
    family: FamilySpec
    found: list[Found]
    others: list[str]
    commits: dict[str, str]
    base: Path

    def taken(self) -> list[int]:
        """Positions that the series' policy takes. Raises UserError."""
        return choose(self.source.policy, self.found, self.family.schedule)


def list_series(source: SeriesSpec, own: Sequence[FamilySpec], base: Path, hub: Hub) -> Listing:
    """Look at the hub, or into the folder (relative to `base`). Raises UserError or WorkError."""
    commits: dict[str, str] = {}
    if source.repo:
        commits = _refs(source.repo, hub)
        names = list(commits)
    else:
        names = _model_names(base / source.folder)
    family = family_of(names, source.repo, table_of(own), source.family)
    found, others = in_training_order(names, family)
    if not found:
        known = some_of(sorted(names), 5)
        raise UserError(
            source.where, f"no checkpoint of family {family.name!r}; there are: {known or 'none'}",
            "name another family, or add one to model.families in study.yaml",
        )  # fmt: skip
    return Listing(source, family, found, others, commits, base)


def _refs(repo: str, hub: Hub) -> dict[str, str]:
    """The revisions of a repository. Without the hub the error names what lies in the cache."""
    require_hub()
    try:
        return hub.refs(repo)
    except NoConnection as error:
        here = sorted(commit[:12] for commit in hub.cached_commits(repo))
        held = f"in the cache are whole: {', '.join(here)}" if here else "nothing of it is in the cache"
        raise NoConnection(error.where, error.problem, f"{error.remedy}; {held}") from None


def size_of_one(listing: Listing, hub: Hub) -> int:
    """Bytes of the weights of the last checkpoint that is taken; 0 for folders, and where it has no safetensors."""
    taken = listing.taken()
    if not listing.source.repo or not taken:
        return 0
    files = hub.files(listing.source.repo, listing.source.repo, listing.commits[listing.found[taken[-1]].name])
    return sum(files[name] for name in weight_files(files))


def _model_names(folder: Path) -> list[str]:
    """Model folders below a folder, and GGUF files, by their path from there."""
    if not folder.is_dir():
        raise UserError(str(folder), "no such folder", "give a folder of model folders, or a repository as owner/name")
    names = []
    for depth in range(1, DEPTH + 1):
        level = "/".join("*" * depth)
        names += [path.parent.relative_to(folder).as_posix() for path in folder.glob(f"{level}/config.json")]
        names += [path.relative_to(folder).as_posix() for path in folder.glob(f"{'*/' * (depth - 1)}*.gguf")]
    return sorted(name.removesuffix(".gguf") for name in names)


def specs_of(listing: Listing, hub: Hub) -> list[CheckpointSpec]:
    """Entries of study.yaml for the checkpoints that the policy takes; hub revisions fixed.

    Each revision is looked at: weights must be there as safetensors. Raises UserError or WorkError.
    """
    chosen = [listing.found[at] for at in listing.taken()]
    make = _on_the_hub if listing.source.repo else _in_a_folder
    made: list[CheckpointSpec] = []
    unusable: list[UserError] = []
    for one in chosen:
        try:
            made.append(make(one, listing, hub))
        except UserError as error:
            unusable.append(error)
    if unusable:
        first, more = unusable[0], f" (and {len(unusable) - 1} more like it)" if len(unusable) > 1 else ""
        raise UserError(first.where, first.problem + more, first.remedy)
    return made


def _on_the_hub(one: Found, listing: Listing, hub: Hub) -> CheckpointSpec:
    repo = listing.source.repo
    commit = listing.commits[one.name]
    spec = CheckpointSpec(
        name=one.label, repo=repo, revision=one.name, commit=commit, step=one.step, tokens=one.tokens,
        tokenizer=listing.source.tokenizer,
    )  # fmt: skip
    return fixed_spec(spec, hub, listing.family)


def fixed_spec(spec: CheckpointSpec, hub: Hub, family: FamilySpec | None = None) -> CheckpointSpec:
    """An entry with its commits, stored precision and tokenizer. Local entries come back with their tokenizer fixed."""
    tokenizer = spec.tokenizer
    found: dict[str, object] = {}
    if spec.repo:
        where = f"{spec.repo}@{spec.asked_revision()}"
        commit = spec.commit or commit_of(spec.repo, spec.asked_revision(), hub)
        files = hub.files(where, spec.repo, commit)
        if spec.gguf_file is None:
            if not weight_files(files):
                raise UserError(where, "no *.safetensors weights at this revision", LEAVE_OUT)
            folder = hub.fetch(where, spec.repo, commit, ["config.json"])
            found["dtype"] = _stored(folder / "config.json", where)
            if tokenizer is None and not set(TOKENIZER_FILES) & set(files):
                tokenizer = _familys_tokenizer(family, spec.repo)
        elif spec.gguf_file not in files:
            raise UserError(where, f"no file {spec.gguf_file}", did_you_mean(spec.gguf_file, _gguf(files)))
        found |= {"revision": spec.asked_revision(), "commit": commit}
    if tokenizer is not None and tokenizer.repo and not tokenizer.commit:
        tokenizer = tokenizer.model_copy(update={"commit": commit_of(tokenizer.repo, tokenizer.asked_revision(), hub)})
    return spec.model_copy(update={**found, "tokenizer": tokenizer})


def _gguf(files: dict[str, int]) -> list[str]:
    return [name for name in files if name.endswith(".gguf")] or ["none"]


def commit_of(repo: str, revision: str, hub: Hub) -> str:
    """The commit of a branch or tag, with near names in the error if there is none. Raises UserError, WorkError."""
    require_hub()
    try:
        return hub.commit(repo, revision)
    except Gone:
        raise UserError(
            f"{repo}@{revision}", "no such revision on the hub", did_you_mean(revision, list(hub.refs(repo))[:2000])
        ) from None


def _stored(config: Path, where: str) -> str:
    try:
        return stored_dtype(json.loads(config.read_text("utf-8")))
    except (OSError, ValueError, AttributeError):
        raise UserError(
            where, "no config.json that can be read at this revision", "leave this checkpoint out"
        ) from None


def _in_a_folder(one: Found, listing: Listing, hub: Hub) -> CheckpointSpec:
    path = Path(listing.source.folder) / one.name
    folder = listing.base / path
    gguf = None
    if not folder.is_dir():  # a GGUF file
        gguf, path = f"{path.name}.gguf", path.parent
    tokenizer = listing.source.tokenizer
    if gguf is None and tokenizer is None and not any((folder / name).is_file() for name in TOKENIZER_FILES):
        tokenizer = _familys_tokenizer(listing.family, "")
    spec = CheckpointSpec(
        name=one.label, path=path.as_posix(), gguf_file=gguf, tokenizer=tokenizer, step=one.step, tokens=one.tokens
    )
    return fixed_spec(spec, hub)


def _familys_tokenizer(family: FamilySpec | None, repo: str) -> TokenizerSpec | None:
    """The tokenizer that the family's row names for checkpoints without one."""
    named = family.tokenizer if family else ""
    if named == "main":
        return TokenizerSpec(repo=repo, revision="main") if repo else None
    place, _, revision = named.partition("@")
    return TokenizerSpec(repo=place, revision=revision or "main") if place else None
