"""Checkpoints on disk: a Hugging Face folder with safetensors weights, or a GGUF file. Nothing is downloaded.

Code that comes with a model is never run, and pickled weights are never opened.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from gainsift.schemas.config import CheckpointSpec
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.record import fingerprint

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
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


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of the study and the folder where it lies."""

    spec: CheckpointSpec
    folder: Path

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def weight_files(self) -> list[Path]:
        if self.spec.gguf_file:
            return [self.folder / self.spec.gguf_file]
        return sorted(self.folder.glob("*.safetensors"))

    def check(self) -> None:
        """Raises UserError if the folder lacks weights, configuration or tokenizer. Opens nothing large."""
        where = f"checkpoint {self.name}: {self.folder}"
        if not self.folder.is_dir():
            raise UserError(where, "no such model folder", "correct model.checkpoints in study.yaml")
        if self.spec.gguf_file:
            if not self.weight_files[0].is_file():
                raise UserError(where, f"no file {self.spec.gguf_file}", "correct gguf_file in study.yaml")
            return
        if not (self.folder / "config.json").is_file():
            raise UserError(where, "no config.json", "give a Hugging Face model folder, or name a gguf_file")
        if not self.weight_files:
            raise UserError(
                where, "no *.safetensors weights", "save it with model.save_pretrained(...); pickles are not read"
            )
        if not any((self.folder / name).is_file() for name in TOKENIZER_FILES):
            raise UserError(
                where, "no tokenizer in the model folder", "save it there with tokenizer.save_pretrained(...)"
            )

    @cached_property
    def fingerprint(self) -> str:
        """Changes with configuration, tokenizer or weights; of weight files, size, first and last MiB are read."""
        small = [path for name in ("config.json", *TOKENIZER_FILES, "merges.txt", "tokenizer_config.json")
                 if (path := self.folder / name).is_file()]  # fmt: skip
        parts = [[path.name, _sample(path, whole=True)] for path in small]
        return fingerprint(parts + [[path.name, _sample(path, whole=False)] for path in self.weight_files])

    @cached_property
    def tokenizer_fingerprint(self) -> str:
        """Checkpoints with the same one share their tokenized prompts."""
        if self.spec.gguf_file:
            return self.fingerprint
        names = (*TOKENIZER_FILES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
        files = [path for name in names if (path := self.folder / name).is_file()]
        return fingerprint([[path.name, _sample(path, whole=True)] for path in files])

    def dtype(self, asked: Dtype, device: str) -> str:
        """`auto`: float32 on the CPU; elsewhere the precision that the weights are stored in."""
        if asked != "auto":
            return asked
        if device == "cpu":
            return "float32"
        if self.spec.gguf_file:
            return "bfloat16"
        data = json.loads((self.folder / "config.json").read_text("utf-8"))
        stored = str(data.get("dtype") or data.get("torch_dtype") or "float32")
        return stored if stored in ("bfloat16", "float16") else "float32"

    def load_config(self) -> Any:
        """The model's transformers configuration."""
        from transformers import AutoConfig

        with self._loading("configuration"):
            return AutoConfig.from_pretrained(self.folder, **self._source())

    def load_tokenizer(self) -> Any:
        """The tokenizer, which must know character offsets."""
        from transformers import AutoTokenizer

        with self._loading("tokenizer"):
            tokenizer = AutoTokenizer.from_pretrained(self.folder, **self._source())
        if not tokenizer.is_fast:
            raise UserError(
                f"checkpoint {self.name}: {self.folder}", "its tokenizer gives no character offsets",
                "save it as a fast tokenizer (tokenizer.json)",
            )  # fmt: skip
        return tokenizer

    def load_model(self, device: str, dtype: str) -> Any:
        """The causal language model in evaluation mode. Refuses weights that do not fill it."""
        import torch
        from transformers import AutoModelForCausalLM

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
                f"checkpoint {self.name}: {self.folder}",
                f"{len(missing)} weights are missing, the first is {missing[0]}",
                "copy the whole checkpoint",
            )
        return model.to(device).eval().requires_grad_(False)

    def _source(self) -> dict[str, Any]:
        common = {"local_files_only": True, "trust_remote_code": False}
        return {**common, "gguf_file": self.spec.gguf_file} if self.spec.gguf_file else common

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
                f"checkpoint {self.name}: {self.folder}",
                f"cannot load its {part}: {line}",
                "check that the folder is a complete causal language model that this transformers version knows",
            ) from error


def _sample(path: Path, whole: bool) -> str:
    """Hash of a file, or of its size, first and last MiB."""
    with path.open("rb") as file:
        if whole:
            return hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
        return digest.hexdigest()
