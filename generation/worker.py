"""A worker: holds one checkpoint at a time on one device, and makes its shards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gainsift.generation.checkpoints import Checkpoint, Dtype
from gainsift.generation.preparation import Preparation
from gainsift.generation.shards import Shard
from gainsift.generation.store import CheckpointStore
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import GainsiftError, UserError, WorkError

if TYPE_CHECKING:
    from gainsift.generation.translate import Translator

SMALL_WIDTH = 256


@dataclass(frozen=True)
class Request:
    """What a worker has to know beside its shards.

    `checkpoints` are those that have shards, in the order of the study; `layers` are the cut-offs of each;
    `preparations` are prompts that were tokenized before, by the fingerprint of the tokenizer.
    """

    config: StudyConfig
    pairs: Sequence[PromptPair]
    concepts: dict[str, Concept]
    checkpoints: Sequence[Checkpoint]
    layers: dict[str, list[int]]
    dtype: Dtype
    batch_size: int | None
    preparations: dict[str, Preparation] = field(default_factory=dict)

    def to_send(self) -> Request:
        """For another process: without what it can make itself."""
        return replace(self, preparations={})


@dataclass(frozen=True)
class Made:
    """A shard's rows."""

    shard: Shard
    rows: pa.Table


@dataclass(frozen=True)
class Failed:
    """Why a shard has no rows, in the parts of an error; `whole`: nor will any other shard of its checkpoint."""

    shard: Shard
    where: str
    problem: str
    remedy: str
    whole: bool
    users: bool = False

    def error(self) -> GainsiftError:
        return (UserError if self.users else WorkError)(self.where, self.problem, self.remedy)


Outcome = Made | Failed


class Worker:
    """Makes shards on `device`, loading a checkpoint when the first of its shards comes.

    `order` holds the checkpoints that are known to come, in that order: they are downloaded one ahead of use.
    Use it in a `with` block.
    """

    def __init__(
        self,
        request: Request,
        device: str,
        order: Sequence[Checkpoint] = (),
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._request, self._device = request, device
        self._preparations = dict(request.preparations)
        self._store = CheckpointStore(order, request.config.model.evict, say)
        self._held: Checkpoint | None = None
        self._translator: Translator | None = None
        self._use = ExitStack()
        self._failed: GainsiftError | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._release(error)
        self._store.__exit__(kind, error, trace)

    def make(self, shard: Shard, advance: Callable[[int], None] = lambda rows: None) -> Outcome:
        """The shard's rows, or why there are none."""
        whole = True
        try:
            translator = self._translator_of(shard.checkpoint)
            whole = False
            return Made(shard, translator.table(shard.pair, shard.part, advance))
        except Exception as error:
            self._failed = told = in_one_line(error, shard)
            users = isinstance(told, UserError)
            return Failed(shard, told.where, told.problem, told.remedy, whole, users)

    def _translator_of(self, checkpoint: Checkpoint) -> Translator:
        if self._translator is None or self._held is None or self._held.name != checkpoint.name:
            self._release(self._failed)
            self._load(checkpoint)
        assert self._translator is not None
        return self._translator

    def _load(self, checkpoint: Checkpoint) -> None:
        from gainsift.generation.translate import Translator

        request = self._request
        self._use.enter_context(self._store.local(checkpoint))
        preparation = self._preparation(checkpoint)
        model = checkpoint.load_model(self._device, checkpoint.dtype(request.dtype, self._device))
        self._use.enter_context(_threads_for(model, self._device))
        layers, wanted = request.layers[checkpoint.name], request.config.language_pairs
        self._translator = Translator(model, checkpoint, preparation, layers, wanted, request.batch_size)
        self._held = checkpoint

    def _preparation(self, checkpoint: Checkpoint) -> Preparation:
        key = checkpoint.tokenizer_fingerprint
        if key not in self._preparations:
            request = self._request
            tokenizer = checkpoint.load_tokenizer()
            self._preparations[key] = Preparation(tokenizer, request.config, request.pairs, request.concepts)
        return self._preparations[key]

    def _release(self, error: BaseException | None) -> None:
        """Let the checkpoint go. What failed is not taken out of the cache: the next run needs it."""
        import torch

        from gainsift.generation.batch_size import give_back

        self._translator = self._held = self._failed = None
        use, self._use = self._use, ExitStack()
        use.__exit__(type(error) if error else None, error, None)
        give_back(torch.device(self._device))


def in_one_line(error: Exception, shard: Shard) -> GainsiftError:
    """What went wrong with a shard, as an error that a person can act on."""
    from gainsift.generation.batch_size import is_out_of_memory

    if isinstance(error, GainsiftError):
        return error
    line = " ".join(str(error).split())
    if is_out_of_memory(error):
        return WorkError(shard.name, f"out of memory: {line.split('. ')[0]}", "lower --batch-size")
    if isinstance(error, OSError):
        return WorkError(shard.name, line, "run again")
    return WorkError(
        shard.name, f"{type(error).__name__}: {line[:300]}", "run again; if it stays, report it with --debug"
    )


@contextmanager
def _threads_for(model: Any, device: str) -> Iterator[None]:
    """One thread for a small model on the CPU: on small matrices several threads mostly wait for each other,
    and on a busy machine they take six times as long (measured with width 128 on two cores)."""
    import torch

    before = torch.get_num_threads()
    if device == "cpu" and model.config.get_text_config().hidden_size <= SMALL_WIDTH:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
