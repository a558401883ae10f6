"""A study's checkpoints, resolved once: series into lists, hub revisions into commits, kept in checkpoints.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gainsift.generation.hub import Hub
from gainsift.generation.series import Listing, fixed_spec, list_series, specs_of
from gainsift.schemas.config import read_config
from gainsift.schemas.fixed_checkpoints import (
    FixedCheckpoints,
    asked_series,
    model_of,
    read_fixed,
    same_as_fixed,
    write_fixed,
)
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import now
from gainsift.schemas.study import Study


def open_study(folder: Path, write: bool = True, hub: Hub | None = None, update: bool = False) -> Study:
    """Open a study, and resolve its series and revisions if that was not done yet. Raises UserError or WorkError.

    With `write` off nothing is kept in the folder; `update` resolves them anew, as of today.
    """
    if not folder.is_dir():
        return Study.open(folder)  # says that there is none
    fixed = resolve(folder, hub or Hub(), update)
    if fixed is not None and write and (update or fixed != read_fixed(folder)):
        Study.open(folder, fixed)  # the whole of study.yaml must hold before anything is kept
        write_fixed(folder, fixed)
    return Study.open(folder, fixed)


def resolve(folder: Path, hub: Hub, update: bool = False) -> FixedCheckpoints | None:
    """The fixed checkpoints of a study; None if all lie in local folders that study.yaml names.

    What was fixed before stays, unless `update` asks for what there is today. Writes nothing.
    """
    path = folder / "study.yaml"
    model = model_of(read_config(path), path)
    before = None if update else read_fixed(folder)
    if model.series is not None:
        if before is not None:  # Study.open refuses it if it is of another series
            return before
        listing = list_series(model.series, model.families, folder, hub)
        return FixedCheckpoints(fixed=now(), series=asked_series(model), checkpoints=specs_of(listing, hub))
    if not any(_on_hub(spec) for spec in model.checkpoints):
        return None
    listed = [same_as_fixed(spec, before) if before else spec for spec in model.checkpoints]
    if before is not None and all(_is_fixed(spec) for spec in listed) and listed == before.checkpoints:
        return before
    resolved = [spec if _is_fixed(spec) else fixed_spec(spec, hub) for spec in listed]
    return FixedCheckpoints(fixed=now(), checkpoints=resolved)


def _on_hub(spec: CheckpointSpec) -> bool:
    return bool(spec.repo or (spec.tokenizer and spec.tokenizer.repo))


def _is_fixed(spec: CheckpointSpec) -> bool:
    """Whether nothing of an entry depends on what the hub says today."""
    own = not spec.repo or (spec.commit and (spec.dtype or spec.gguf_file))
    return bool(own and not (spec.tokenizer and spec.tokenizer.repo and not spec.tokenizer.commit))


@dataclass
class News:
    """What the hub or the folder has today that the fixed list has not. Names as the series calls them."""

    later: list[str] = field(default_factory=list)
    """After the last checkpoint of the study."""
    policy_adds: list[str] = field(default_factory=list)
    """Taken by the policy today, absent from the list."""
    moved: list[str] = field(default_factory=list)
    """Revisions that are another commit today; the study keeps the one that it fixed."""
    gone: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.later or self.policy_adds or self.moved or self.gone)


def news_of(fixed: FixedCheckpoints, listing: Listing) -> News:
    """Compare a study's fixed series with what there is today."""
    had = {_name_in_series(spec, listing): spec for spec in fixed.checkpoints}
    positions = [at for at, one in enumerate(listing.found) if one.name in had]
    return News(
        later=[one.name for one in listing.found[max(positions, default=-1) + 1 :]],
        policy_adds=[listing.found[at].name for at in listing.taken() if listing.found[at].name not in had],
        moved=[
            name for name, spec in had.items() if spec.commit and listing.commits.get(name, spec.commit) != spec.commit
        ],
        gone=[name for name in had if name not in {one.name for one in listing.found}],
    )


def news_of_list(fixed: FixedCheckpoints, hub: Hub) -> News:
    """What became of the hub revisions of an explicit list. Raises UserError or WorkError."""
    news = News()
    refs: dict[str, dict[str, str]] = {}
    for spec in fixed.checkpoints:
        if not spec.repo or spec.revision == spec.commit:  # a commit cannot move
            continue
        if spec.repo not in refs:
            refs[spec.repo] = hub.refs(spec.repo)
        today = refs[spec.repo].get(spec.revision)
        if today is None:
            news.gone.append(spec.revision)
        elif today != spec.commit:
            news.moved.append(spec.revision)
    return news


def _name_in_series(spec: CheckpointSpec, listing: Listing) -> str:
    if spec.repo:
        return spec.revision
    path = Path(spec.path) / (spec.gguf_file or "").removesuffix(".gguf")
    return path.relative_to(listing.source.folder).as_posix()
