"""A checkpoint of a study: a Hugging Face folder with safetensors weights or a GGUF file, here or on the hub.

Pickled weights are never opened, and code that comes with a model runs only where study.yaml asks for it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from gainsift.generation.hub import ALL_TOKENIZER_FILES, SMALL_FILES, TOKENIZER_FILES, Hub, require_hub
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.model import CheckpointSpec, StoredDtype
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.record import fingerprint
from gainsift.schemas.study import Study

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
PICKLES = "save it with model.save_pretrained(...); pickles are not read"
_SAMPLE = 1 << 20


def require_generation() -> None:
    """Raises UserError with the install line if torch or transformers is missing."""
    for package in ("torch", "transformers", "tokenizers", "safetensors"):
        try:
            __import__(package)
        except ImportError:
            raise UserError(
                "gainsift generate", f"{package} is not installed", "run: pip install 'gainsift[generation]'"
            ) from None


def resolve_device(device: Device) -> str:
    """`auto` is cuda where there is one. Raises UserError if cuda is asked for and absent."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda", "torch sees no CUDA device", "use --device cpu, or install a CUDA build")
    return device


def open_checkpoints(study: Study, hub: Hub | None = None) -> list[Checkpoint]:
    """The checkpoints of a study in training order. Local ones are checked; hub ones must have their commit.

    Raises UserError.
    """
    hub = hub or Hub()
    opened = []
    for spec in study.config.model.checkpoints:
        tokenizer = spec.tokenizer
        if spec.repo or (tokenizer and tokenizer.repo):
            require_hub()
        if any(place and place.repo and not place.commit for place in (spec, tokenizer)):
            raise UserError(
                f"checkpoint {spec.name}", "its revision is not resolved to a commit yet",
                f"run `gainsift checkpoints {study.folder}`",
            )  # fmt: skip
        folder = study.path(spec.path) if spec.path else hub.folder(spec.repo, spec.commit)
        own = None
        if tokenizer:
            own = study.path(tokenizer.path) if tokenizer.path else hub.folder(tokenizer.repo, tokenizer.commit)
        checkpoint = Checkpoint(spec, folder, own, study.config.model.trust_remote_code, hub)
        if not checkpoint.remote:
            checkpoint.check()
        opened.append(checkpoint)
    return opened


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of the study and the folder where it lies, or will lie once it is fetched.

    `tokenizer_from` is the folder of a tokenizer that is not beside the weights.
    """

    spec: CheckpointSpec
    folder: Path
    tokenizer_from: Path | None = None
    trust_code: bool = False
    hub: Hub = field(default_factory=Hub)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def where(self) -> str:
        """How errors call it: its name, and its folder or its revision."""
        place = f"{self.spec.repo}@{self.spec.asked_revision()}" if self.remote else str(self.folder)
        return f"checkpoint {self.name}: {place}"

    @property
    def remote(self) -> bool:
        """Whether it is a revision of a hub repository."""
        return bool(self.spec.repo)

    @property
    def tokenizer_folder(self) -> Path:
        return self.tokenizer_from or self.folder

    @property
    def weight_files(self) -> list[Path]:
        if self.spec.gguf_file:
            return [self.folder / self.spec.gguf_file]
        return sorted(self.folder.glob("*.safetensors"))

    def fetch_description(self) -> None:
        """Bring configuration and tokenizer here, not the weights. Raises UserError or WorkError."""
        spec, tokenizer = self.spec, self.spec.tokenizer
        if spec.repo:
            names = [spec.gguf_file] if spec.gguf_file else [*SMALL_FILES, *(["*.py"] if self.trust_code else [])]
            self.hub.fetch(self.where, spec.repo, spec.commit, names)
        if tokenizer and tokenizer.repo:
            self.hub.fetch(f"{self.where}: tokenizer", tokenizer.repo, tokenizer.commit, ALL_TOKENIZER_FILES)
        self._check_description()

    def check(self) -> None:
        """Raises UserError if weights, configuration or tokenizer are missing. Opens nothing large."""
        if not self.folder.is_dir():
            raise UserError(self.where, "no such model folder", "correct model.checkpoints in study.yaml")
        if not self.spec.gguf_file:
            self._check_configuration()
            if not self.weight_files:
                raise UserError(self.where, "no *.safetensors weights", PICKLES)
        if not (self.spec.tokenizer and self.spec.tokenizer.repo):
            self._check_description()

    def _check_configuration(self) -> None:
        if not (self.folder / "config.json").is_file():
            raise UserError(self.where, "no config.json", "give a Hugging Face model folder, or name a gguf_file")

    def _check_description(self) -> None:
        if self.spec.gguf_file:
            if not self.weight_files[0].is_file():
                raise UserError(self.where, f"no file {self.spec.gguf_file}", "correct gguf_file in study.yaml")
            if self.tokenizer_from is None:
                return
        else:
            self._check_configuration()
        if not any((self.tokenizer_folder / name).is_file() for name in TOKENIZER_FILES):
            place = self.tokenizer_from or "the model folder"
            raise UserError(
                self.where, f"no tokenizer in {place}",
                "save it there with tokenizer.save_pretrained(...), or name another place with the key tokenizer",
            )  # fmt: skip

    @cached_property
    def fingerprint(self) -> str:
        """Changes with configuration, tokenizer or weights; of weight files, size, first and last MiB are read.

        On the hub the commits say it all.
        """
        if self.remote:
            parts: list[Any] = [self.spec.repo, self.spec.commit, self.spec.gguf_file]
        else:
            small = [path for name in ("config.json", *TOKENIZER_FILES, "merges.txt", "tokenizer_config.json")
                     if (path := self.folder / name).is_file()]  # fmt: skip
            small += sorted(self.folder.glob("*.py")) if self.trust_code else []
            parts = [[path.name, file_hash(path)] for path in small]
            parts += [[path.name, _sample(path)] for path in self.weight_files]
        tokenizer = self.spec.tokenizer
        if tokenizer:
            parts.append(["tokenizer", tokenizer.repo, tokenizer.commit or self.tokenizer_fingerprint])
        return fingerprint([*parts, "own code runs"] if self.trust_code else parts)

    @cached_property
    def tokenizer_fingerprint(self) -> str:
        """Checkpoints with the same one share their tokenized prompts. Its files must be here."""
        if self.spec.gguf_file and self.tokenizer_from is None:
            return self.fingerprint
        names = (*TOKENIZER_FILES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
        files = [path for name in names if (path := self.tokenizer_folder / name).is_file()]
        return fingerprint([[path.name, file_hash(path)] for path in files])

    def dtype(self, asked: Dtype, device: str) -> str:
        """`auto`: float32 on the CPU; elsewhere the precision that the weights are stored in."""
        if asked != "auto":
            return asked
        if device == "cpu":
            return "float32"
        if self.spec.gguf_file:
            return "bfloat16"
        if self.spec.dtype:
            return self.spec.dtype
        return stored_dtype(self._configuration())

    def recorded(self, dtype: Dtype, device: str) -> dict[str, str]:
        """What run.json says of it: content, precision, and of a hub revision its commit."""
        told = {"fingerprint": self.fingerprint, "dtype": self.dtype(dtype, device)}
        if self.remote:
            told |= {"repo": self.spec.repo, "revision": self.spec.asked_revision(), "commit": self.spec.commit}
        return told

    def _configuration(self) -> dict[str, Any]:
        with self._loading("configuration"):
            return dict(json.loads((self.folder / "config.json").read_text("utf-8")))

    def load_config(self) -> Any:
        """The model's transformers configuration."""
        from transformers import AutoConfig

        with self._loading("configuration"):
            return AutoConfig.from_pretrained(self.folder, **self._source())

    def load_tokenizer(self) -> Any:
        """The tokenizer, which must know character offsets."""
        from transformers import AutoTokenizer

        with self._loading("tokenizer"):
            source = self._common() if self.tokenizer_from else self._source()
            tokenizer = AutoTokenizer.from_pretrained(self.tokenizer_folder, **source)
        if not tokenizer.is_fast:
            raise UserError(
                self.where, "its tokenizer gives no character offsets",
                "save it as a fast tokenizer (tokenizer.json)",
            )  # fmt: skip
        return tokenizer

    def load_model(self, device: str, dtype: str) -> Any:
        """The causal language model in evaluation mode. Refuses weights that do not fill it."""
        import torch
        from transformers import AutoModelForCausalLM

        from gainsift.generation.packed_linear import pack_linears

        with self._loading("weights"):
            model, report = AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                output_loading_info=True,
                **self._source(),
            )
        if report["missing_keys"]:
            missing = sorted(report["missing_keys"])
            raise UserError(
                self.where,
                f"{len(missing)} weights are missing, the first is {missing[0]}",
                "copy the whole checkpoint",
            )
        model = model.to(device).eval().requires_grad_(False)
        pack_linears(model)
        return model

    def _source(self) -> dict[str, Any]:
        common = self._common()
        return {**common, "gguf_file": self.spec.gguf_file} if self.spec.gguf_file else common

    def _common(self) -> dict[str, Any]:
        return {"local_files_only": True, "trust_remote_code": self.trust_code}

    @contextmanager
    def _loading(self, part: str) -> Iterator[None]:
        """Quiet libraries; their errors become one line."""
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            with redirect_stderr(io.StringIO()):  # the GGUF reader draws its own progress bar
                yield
        except MemoryError as error:
            raise WorkError(f"checkpoint {self.name}", f"not enough memory for its {part} ({error})") from None
        except Exception as error:
            line = " ".join(str(error).split())[:200]
            raise UserError(
                self.where,
                f"cannot load its {part}: {line}",
                "check that the folder is a complete causal language model that this transformers version knows",
            ) from error


def stored_dtype(config: dict[str, Any]) -> StoredDtype:
    """The precision that config.json names for the weights; float32 where it names none of ours."""
    stored = config.get("dtype") or config.get("torch_dtype")
    return "bfloat16" if stored == "bfloat16" else "float16" if stored == "float16" else "float32"


def _sample(path: Path) -> str:
    """Hash of a file's size, first and last MiB."""
    with path.open("rb") as file:
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
        return digest.hexdigest()
