"""A bundle to publish: the study as a folder that opens again, with a datasheet and hashes, and nothing private in it.

What goes in is listed here, file by file; private/, label-studio/, tasks/ and report/ never do. People stand under
the pseudonyms of study.yaml. Before anything is written, every text is searched for addresses and private names.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import yaml

from gainsift.analysis.datasheet import Contents, datasheet
from gainsift.analysis.private_words import Finding, findings, private_names, private_words, without_paths
from gainsift.schemas.atomic import atomic, hidden_folder, remove_hidden_folders
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_parquet, write_jsonl, write_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.lock import lock_file
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.record import Record
from gainsift.schemas.rows import Annotation, Translation
from gainsift.schemas.study import ANNOTATION_FORMAT, TRANSLATIONS_FORMAT, Study

SUMS = "SHA256SUMS"
README = "README.md"


class Private(UserError):
    """The study holds what must not be published; `findings` lists it all."""

    def __init__(self, where: str, found: list[Finding]) -> None:
        self.findings = found
        first = f"{found[0].where}: {found[0].what}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
        super().__init__(
            where, f"not released: {first}", "mend it in the study; --no-comments leaves out what annotators wrote"
        )


@dataclass(frozen=True)
class Release:
    """What was written: files by name, and the counts of the datasheet."""

    path: Path
    contents: Contents


def release(
    study: Study, out: Path, comments: bool = True, progress: Callable[[str], None] = lambda step: None
) -> Release:
    """Write the bundle into the new folder `out`, or into one zip file if it ends in `.zip`.

    Raises UserError if `out` exists, and `Private` with all findings if an address or a private name is in a text;
    nothing is written then. Without `comments` the comments and free text of annotators are left out.
    """
    remove_hidden_folders(out)
    if out.exists() and (out.suffix == ".zip" or not out.is_dir() or any(out.iterdir())):
        raise UserError(str(out), "it exists already", "name a new folder or zip file")
    with hidden_folder(out) as place:
        folder = place / "bundle"
        folder.mkdir()
        contents = _fill(study, folder, comments, progress)
        progress("searching for what is private")
        found = search(study, folder, contents)
        if found:
            raise Private(str(study.folder), found)
        _sums(folder)
        progress("writing")
        if out.suffix == ".zip":
            _zipped(folder, out)
        else:
            if out.exists():
                out.rmdir()
            os.replace(folder, out)
    return Release(out, contents)


# --- what goes in ----------------------------------------------------------------------------------------


def _fill(study: Study, folder: Path, comments: bool, progress: Callable[[str], None]) -> Contents:
    _write_yaml(folder / "study.yaml", public_config(study))
    _write_yaml(folder / "taxonomy.yaml", study.taxonomy.model_dump(mode="json"))
    items = study.items()
    lines = public_lines(study, comments)
    if lines:
        write_jsonl(folder / "annotations.jsonl", lines, ANNOTATION_FORMAT)
    for file in (study.concepts_file, study.prompts_file, study.items_file, study.links_file, study.prelabels_file,
                 study.assignments_file,
                 study.folder / "guidelines.html", study.folder / "label_config.xml", lock_file(study)):  # fmt: skip
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    outputs: Counter[str] = Counter()
    for file in study.translation_files():
        progress(f"outputs: {file.parent.name}/{file.name}")
        outputs += _outputs(study, file, folder / file.relative_to(study.folder))
    if study.float32_file.is_file():
        _outputs(study, study.float32_file, folder / study.float32_file.name, Float32Audit, FLOAT32_FORMAT)
    for file in study.run_records():
        target = folder / file.relative_to(study.folder)
        product = target.with_name(target.name.removesuffix(".run.json"))
        if target.name == "run.json" or any(product.parent.glob(f"{product.name}*")):
            _write_run(file, target)
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    contents = Contents(study, names, outputs, items, lines, comments)
    (folder / README).write_text(datasheet(contents), "utf-8")
    return contents


def public_config(study: Study) -> dict[str, Any]:
    """study.yaml as plain data: what was set there, no path outside the bundle, the taxonomy beside it.

    A series of checkpoints stands as the list that it was resolved to.
    """
    data: dict[str, Any] = study.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for name in ("series", "families"):
        data["model"].pop(name, None)
    for checkpoint in data["model"]["checkpoints"]:
        for place in (checkpoint, checkpoint.get("tokenizer") or {}):
            if place.get("path"):
                place["path"] = _inside(place["path"])
    if data.get("words", {}).get("file"):
        data["words"]["file"] = _inside(data["words"]["file"])
    return {"format": study.config.format, **data, "taxonomy": "taxonomy.yaml"}


def _inside(path: str) -> str:
    """A path that leads out of the study is cut to its last part."""
    parts = PurePath(path.replace("\\", "/"))
    return parts.name if parts.is_absolute() or ".." in parts.parts or path.startswith("~") or ":" in path else path


def public_lines(study: Study, comments: bool) -> list[Annotation]:
    """The lines in force that belong to this study, in the order of the file; none that was withdrawn."""
    own = [line for line in study.annotations() if line.study == study.id]
    if comments:
        return own
    return [line.model_copy(update={"comment": "", "sense_text": "", "problems": []}) for line in own]


def _outputs(
    study: Study, file: Path, target: Path, record: type[Record] = Translation, format_name: str = TRANSLATIONS_FORMAT
) -> Counter[str]:
    """Write the rows of the checkpoints and language pairs that study.yaml names; returns them by checkpoint."""
    table = read_parquet(file, record, format_name, f"gainsift generate {study.folder}")
    named, left_out = study.named(table)
    if not len(named):
        return Counter()
    target.parent.mkdir(parents=True, exist_ok=True)
    if left_out:
        write_parquet(target, record, named, format_name)
    else:
        shutil.copyfile(file, target)
    counts = named["checkpoint"].value_counts().to_pylist()
    return Counter({one["values"]: one["counts"] for one in counts})


def _write_yaml(path: Path, data: dict[str, Any]) -> None:
    path.write_text(_dumped(data), "utf-8")


def _dumped(data: dict[str, Any]) -> str:
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=4096))


def _write_run(file: Path, target: Path) -> None:
    """A run record without the paths of the machine that it was made on."""
    try:
        data = json.loads(file.read_text("utf-8"))
    except ValueError:
        raise UserError(str(file), "not JSON", "make its product again, or remove it") from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(_plain(data), ensure_ascii=False, indent=2) + "\n", "utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {without_paths(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return without_paths(value) if isinstance(value, str) else value


# --- what must not ---------------------------------------------------------------------------------------


def search(study: Study, folder: Path, contents: Contents) -> list[Finding]:
    """Addresses in any text but the model's own, and private names in what people wrote or are called by.

    In the files around it whole names are looked for: parts of them may be words that mean something else there.
    """
    found = findings(_written(study, contents), private_words(study))
    found += findings(_files(folder), private_names(study))
    return found + findings(_authors(study), [])


def _written(study: Study, contents: Contents) -> Iterator[tuple[str, str]]:
    for line in contents.lines:
        for key, text in (("comment", line.comment), ("sense_text", line.sense_text), *_faults(line)):
            if text:
                yield f"annotations.jsonl, judgement {line.judgement_id} of {line.annotator}, {key}", text
    names = {one.name for one in study.config.annotation.annotators}
    names |= {line.annotator for line in contents.lines} | {task.annotator for task in study.assignments()}
    for name in sorted(names):
        yield f"the pseudonym {name!r}", name
    yield "study.yaml, description", study.config.description


def _faults(line: Annotation) -> Iterator[tuple[str, str]]:
    """What the checks quote of a judgement that they refused."""
    return (("problems", text) for text in line.problems)


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """The text files; outputs are the model's words, and judgements are searched one by one."""
    for file in sorted(folder.rglob("*")):
        where = file.relative_to(folder).as_posix()
        if where == "study.yaml":  # the description is searched as what people wrote
            config = yaml.safe_load(file.read_text("utf-8"))
            yield where, _dumped({key: config[key] for key in config if key not in ("description", "release")})
        elif where == "concepts.jsonl" or (where != README and file.suffix in (".yaml", ".json", ".html", ".xml")):
            yield where, file.read_text("utf-8")


def _authors(study: Study) -> Iterator[tuple[str, str]]:
    """The words of the datasheet. Authors stand there by their names, which may be in private/ too."""
    spec = study.config.release
    yield "study.yaml, release", _dumped(spec.model_dump(mode="json"))


# --- the files -------------------------------------------------------------------------------------------


def _sums(folder: Path) -> None:
    """SHA256SUMS as `sha256sum -c` reads it."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    lines = [f"{file_hash(folder / name)}  {name}\n" for name in files]
    (folder / SUMS).write_text("".join(lines), "utf-8")


def _zipped(folder: Path, out: Path) -> None:
    """One zip, files in order and undated, so that the same bundle gives the same bytes."""
    with atomic(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                info = zipfile.ZipInfo(f"{out.stem}/{one.relative_to(folder).as_posix()}")
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                with archive.open(info, "w", force_zip64=True) as target, one.open("rb") as source:
                    shutil.copyfileobj(source, target)
