"""The sweep against a referee that does the plainest thing, and what patching must and must not change.

The referee is written apart from the product: prompts from an f-string, one prompt at a time, no cache, no
padding, no batch, one layer after the other, the whole text run again for every decoded token.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from gainsift.generation.batch_size import FEWEST, Room, room_for
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.continuing import BatchRows, Prefix, SharedRun
from gainsift.generation.decoder import Decoder
from gainsift.generation.pairing import make_pairs
from gainsift.generation.preparation import Preparation
from gainsift.generation.sweep import Sweep
from gainsift.generation.translate import Translator
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.rows import Translation

LANGUAGES = ["en", "fr", "de", "es"]
NAMES = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}
# written by hand from the definitions: which language pairs give the vectors of a setting
SOURCES = {
    ("fr", "en"): {"tgt": ["fr-en"], "seen": ["de-es", "es-de"], "en_en": ["en-en"]},
    ("en", "fr"): {"tgt": ["en-fr"], "seen": ["de-es", "es-de"], "en_en": ["en-en"], "self": ["fr-fr"]},
}
SHOTS, MAX_NEW, PAIRS = 1, 4, 5
PROBABILITY = 1e-5
SHIFTED = 1e-3


@dataclass
class Referee:
    """Patches one output after the other. The three shifts are mistakes that a test makes on purpose."""

    model: Any
    tokenizer: PreTrainedTokenizerFast
    concepts: dict[str, Concept]
    layer_shift: int = 0
    position_shift: int = 0
    blocks: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        body = self.model.base_model
        self.blocks = list(body.h if hasattr(body, "h") else body.layers)

    def text(self, asked: str, shots: list[str], given: str, out: str) -> tuple[str, str]:
        """The prompt cut after the word, and what follows."""
        word = {code: (lambda name, code=code: self.concepts[name].reference[code][0]) for code in LANGUAGES}
        lines = [f'{NAMES[given]}: "{word[given](s)}" - {NAMES[out]}: "{word[out](s)}"\n' for s in shots]
        return "".join(lines) + f'{NAMES[given]}: "{word[given](asked)}', f'" - {NAMES[out]}: "'

    def residuals(self, text: str) -> torch.Tensor:
        """[L, D]: every block's output at the last token."""
        found = []
        with self._hooked(lambda index, hidden: found.append(hidden[0, -1].clone())):
            self.model(torch.tensor([self.tokenizer(text)["input_ids"]]))
        return torch.stack(found)

    def source(self, pair: PromptPair, languages: list[str]) -> torch.Tensor:
        vectors = []
        for both in languages:
            given, out = both.split("-")
            vectors.append(self.residuals(self.text(pair.source_concept, pair.source_shots, given, out)[0]))
        return sum(vectors) / len(vectors)

    def output(
        self, text: tuple[str, str], vectors: torch.Tensor | None, layer: int | None
    ) -> tuple[torch.Tensor, str]:
        """Next-token probabilities [V] and the decoded text, at most MAX_NEW tokens, up to the quote or the end."""
        ids = self.tokenizer("".join(text))["input_ids"]
        at = len(self.tokenizer(text[0])["input_ids"]) - 1 + self.position_shift
        first, answer = None, []

        def patch(index: int, hidden: torch.Tensor) -> None:
            if vectors is not None and layer is not None and index >= layer + self.layer_shift:
                hidden[0, at] = vectors[index]

        for _ in range(MAX_NEW):
            with self._hooked(patch):
                logits = self.model(torch.tensor([ids + answer])).logits[0, -1]
            first = logits.softmax(-1) if first is None else first
            token = int(logits.argmax())
            if token in (0, 1):  # <pad>, <end>
                break
            answer.append(token)
            if '"' in self.tokenizer.decode([token]):
                break
        return first, self.tokenizer.decode(answer)

    def masses(self, probabilities: torch.Tensor, concept: str) -> list[float]:
        """On the first tokens of the concept's words, alone and after a space, but never on the space itself."""
        space = self.tokenizer(" ")["input_ids"][0]
        sums = []
        for code in LANGUAGES:
            forms = [*self.concepts[concept].reference[code], *self.concepts[concept].accepted.get(code, [])]
            tokens = {self.tokenizer(lead + form)["input_ids"][0] for form in forms for lead in ("", " ")} - {space}
            sums.append(sum(float(probabilities[token]) for token in tokens))
        return sums

    @contextmanager
    def _hooked(self, see: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
        def hook(index: int) -> Any:
            def run(module: Any, inputs: Any, output: Any) -> Any:
                hidden = (output[0] if isinstance(output, tuple) else output).clone()
                see(index, hidden)
                return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

            return run

        handles = [block.register_forward_hook(hook(index)) for index, block in enumerate(self.blocks)]
        try:
            with torch.no_grad():
                yield
        finally:
            for handle in handles:
                handle.remove()


class Case:
    """A tiny model with its prompt pairs, run by the product on a device and by the referee on the CPU."""

    def __init__(
        self, model: Any, device: str, tokenizer: PreTrainedTokenizerFast, concepts: list[Concept], folder: Path
    ) -> None:
        self.model, self.tokenizer, self.folder = model, tokenizer, folder
        self.on_device = deepcopy(model).to(device)
        self.concepts = {concept.id: concept for concept in concepts}
        self.pairs = make_pairs(concepts, LANGUAGES, PAIRS, SHOTS, 7, "words")
        self.config = StudyConfig.model_validate(
            {
                "name": "tiny",
                "model": {"name": "tiny", "checkpoints": [{"name": "c", "path": "."}]},
                "trained_languages": LANGUAGES,
                "language_pairs": [["fr", "en"], ["en", "fr"]],
                "generation": {"max_new_tokens": MAX_NEW},
            }
        )
        self.layers = list(range(int(model.config.num_hidden_layers)))
        self.referee = Referee(model, tokenizer, self.concepts)
        self.made: dict[int | None, dict[tuple[Any, ...], Translation]] = {}

    def translator(self, batch_size: int | None = None) -> Translator:
        preparation = Preparation(self.tokenizer, self.config, self.pairs, self.concepts)
        checkpoint = Checkpoint(CheckpointSpec(name="c", path=".", step=30, tokens=4000), self.folder)
        wanted = list(SOURCES)
        return Translator(self.on_device, checkpoint, preparation, self.layers, wanted, batch_size)

    def rows(
        self, batch_size: int | None = None, translator: Translator | None = None
    ) -> dict[tuple[Any, ...], Translation]:
        """The product's rows of both language pairs by (input, output, pair, setting, prompt, layer).

        Those of a batch size are made once; a translator that is given computes them.
        """
        if translator is None:
            if batch_size not in self.made:
                self.made[batch_size] = self.rows(translator=self.translator(batch_size))
            return self.made[batch_size]
        found = {}
        for given, out in SOURCES:
            table = translator.table((given, out), range(len(translator.pairs)), lambda rows: None)
            for row in map(Translation.model_validate, table.to_pylist()):
                found[given, out, row.pair_id, row.setting, row.prompt, row.layer] = row
        return found

    def expected(
        self, referee: Referee, only: str | None = None
    ) -> Iterator[tuple[tuple[Any, ...], torch.Tensor, str]]:
        """The referee's outputs under the same keys, of all settings or of one."""
        for ((given, out), settings), pair in itertools.product(SOURCES.items(), self.pairs):
            source = referee.text(pair.source_concept, pair.source_shots, given, out)
            target = referee.text(pair.target_concept, pair.target_shots, given, out)
            start = given, out, pair.pair_id
            if only is None:
                yield ((*start, "unpatched", "source", None), *referee.output(source, None, None))
                yield ((*start, "unpatched", "target", None), *referee.output(target, None, None))
            vectors = {name: referee.source(pair, pairs) for name, pairs in settings.items() if only in (None, name)}
            if only is None:
                vectors["tgt_tgt"] = referee.residuals(target[0])
            for name, layer in itertools.product(vectors, self.layers):
                yield ((*start, name, "target", layer), *referee.output(target, vectors[name], layer))

    def worst(
        self, rows: dict[tuple[Any, ...], Translation], referee: Referee, only: str | None = None
    ) -> tuple[float, int]:
        """Largest difference of any mass, and how many texts differ."""
        off, texts, keys = 0.0, 0, set()
        for key, probabilities, text in self.expected(referee, only):
            keys.add(key)
            pair = next(pair for pair in self.pairs if pair.pair_id == key[2])
            row = rows[key]
            for mine, concept in ((row.source_mass, pair.source_concept), (row.target_mass, pair.target_concept)):
                for a, b in zip(mine, referee.masses(probabilities, concept), strict=True):
                    off = max(off, abs(a - b))
            texts += row.raw != text
        assert only or keys == set(rows)
        return off, texts


@pytest.fixture(scope="module")
def case_of(
    device: str,
    model_of: Callable[[str], Any],
    tokenizer: PreTrainedTokenizerFast,
    concepts: list[Concept],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Case]:
    made: dict[str, Case] = {}

    def get(architecture: str) -> Case:
        if architecture not in made:
            folder = tmp_path_factory.mktemp(architecture)
            made[architecture] = Case(model_of(architecture), device, tokenizer, concepts, folder)
        return made[architecture]

    return get


@pytest.fixture(scope="module")
def llama(case_of: Callable[[str], Case]) -> Case:
    return case_of("Llama")


@pytest.fixture(scope="module")
def llama_rows(llama: Case) -> dict[tuple[Any, ...], Translation]:
    return llama.rows(7)


ARCHITECTURES = ["Llama", "Apertus", "GPT2", "GPTNeoX", "Bloom", "Gemma2", "Mistral", "Olmo2", "Qwen2", "Qwen3"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sweep_equals_referee_for_every_setting_and_layer(case_of: Callable[[str], Case], architecture: str) -> None:
    case = case_of(architecture)
    rows = case.rows(7)
    # 5 pairs x (2 unpatched + 4 layers x 4 settings) for fr-en, where `self` does not exist, and 5 settings for en-fr
    assert len(rows) == 5 * (2 + 4 * 4) + 5 * (2 + 4 * 5)
    off, texts = case.worst(rows, case.referee)
    assert texts == 0
    assert off < PROBABILITY


def test_whole_distributions_agree_not_only_the_masses(llama: Case) -> None:
    translator = llama.translator(7)
    pair = ("en", "fr")
    source = translator.bank.vectors(("source", pair), range(PAIRS))[None]
    prompts = [prompt for prompt in translator.preparation.accepted(("target", pair)) if prompt is not None]
    seen = 0
    for block in translator._sweep(Sweep(prompts, source, translator.layers)):
        for cell, logits in zip(block.cells, block.logits, strict=True):
            one = llama.pairs[cell.prompt]
            text = llama.referee.text(one.target_concept, one.target_shots, *pair)
            probabilities, _ = llama.referee.output(text, llama.referee.source(one, ["en-fr"]), cell.layer)
            assert torch.allclose(logits.softmax(-1).cpu(), probabilities, atol=PROBABILITY, rtol=0)
            seen += 1
    assert seen == PAIRS * 4


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeoX"])
@pytest.mark.parametrize(
    "mistake", [{"layer_shift": 1}, {"layer_shift": -1}, {"position_shift": 1}, {"position_shift": -1}]
)
def test_a_patch_one_layer_or_one_position_off_is_noticed(
    case_of: Callable[[str], Case], architecture: str, mistake: dict[str, int]
) -> None:
    case = case_of(architecture)
    wrong = Referee(case.model, case.tokenizer, case.concepts, **mistake)
    off, texts = case.worst(case.rows(64), wrong, "tgt")
    assert off > SHIFTED
    assert texts > 0


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeoX"])
def test_vectors_of_the_next_pair_are_noticed(case_of: Callable[[str], Case], architecture: str) -> None:
    """The published code's fault: later batches patched with the first batch's source concepts."""
    case = case_of(architecture)

    class Neighbour(Referee):
        def source(self, pair: PromptPair, languages: list[str]) -> torch.Tensor:
            return super().source(case.pairs[(pair.index + 1) % PAIRS], languages)

    off, texts = case.worst(case.rows(64), Neighbour(case.model, case.tokenizer, case.concepts), "tgt")
    assert off > SHIFTED
    assert texts > 0


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeoX"])
def test_each_mistake_shows_in_every_single_pair(case_of: Callable[[str], Case], architecture: str) -> None:
    """So that no row could be wrong unnoticed: one layer, one position, one pair off each move the distribution."""
    case = case_of(architecture)
    right = case.referee
    wrong_position = Referee(case.model, case.tokenizer, case.concepts, position_shift=1)
    for pair, (given, out), layer in itertools.product(case.pairs, SOURCES, case.layers[:-2]):
        text = right.text(pair.target_concept, pair.target_shots, given, out)
        own = right.source(pair, [f"{given}-{out}"])
        other = right.source(case.pairs[(pair.index + 1) % PAIRS], [f"{given}-{out}"])
        expected, _ = right.output(text, own, layer)
        for wrong, _ in (
            right.output(text, own, layer + 1),
            wrong_position.output(text, own, layer),
            right.output(text, other, layer),
        ):
            assert (expected - wrong).abs().max() > SHIFTED


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeoX"])
def test_own_vectors_and_the_last_cut_off_change_nothing(case_of: Callable[[str], Case], architecture: str) -> None:
    case = case_of(architecture)
    rows = case.rows(64)
    controls = 0
    for key, row in rows.items():
        if row.setting == "tgt_tgt" or row.layer == case.layers[-1]:
            plain = rows[(*key[:3], "unpatched", "target", None)]
            assert (row.answer, row.raw, row.closed) == (plain.answer, plain.raw, plain.closed)
            assert row.source_mass == pytest.approx(plain.source_mass, abs=PROBABILITY)
            assert row.target_mass == pytest.approx(plain.target_mass, abs=PROBABILITY)
            controls += 1
    # tgt_tgt at four layers for 2 x 5 units; the last layer of the 3 and 4 other settings
    assert controls == 2 * 5 * 4 + 5 * 3 + 5 * 4


def test_another_concepts_vectors_change_the_distribution(llama_rows: dict[tuple[Any, ...], Translation]) -> None:
    for key, row in llama_rows.items():
        if row.layer == 0 and row.setting in ("tgt", "seen", "en_en", "self"):
            plain = llama_rows[(*key[:3], "unpatched", "target", None)]
            moved = [abs(a - b) for a, b in zip(row.source_mass, plain.source_mass, strict=True)]
            moved += [abs(a - b) for a, b in zip(row.target_mass, plain.target_mass, strict=True)]
            assert max(moved) > 10 * PROBABILITY


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_batches_of_any_size_give_the_same_rows(
    llama: Case, llama_rows: dict[tuple[Any, ...], Translation], size: int
) -> None:
    assert len(llama_rows) > 7
    rows = llama.rows(size)
    assert list(rows) == list(llama_rows)
    for key, row in rows.items():
        same = llama_rows[key]
        masses = {"p_source", "p_target", "source_mass", "target_mass"}
        assert row.model_dump(exclude=masses) == same.model_dump(exclude=masses)
        assert row.source_mass == pytest.approx(same.source_mass, abs=PROBABILITY)
        assert row.target_mass == pytest.approx(same.target_mass, abs=PROBABILITY)


@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_source_vectors_are_those_of_their_own_pair_in_every_batch(llama: Case, size: int) -> None:
    vectors = llama.translator(size).bank.vectors(("source", ("de", "es")), range(PAIRS))
    for pair in llama.pairs:
        own = llama.referee.source(pair, ["de-es"])
        assert torch.allclose(vectors[pair.index], own, atol=1e-4)
        for other in llama.pairs:
            assert other is pair or not torch.allclose(vectors[other.index], own, atol=1e-2)


def test_a_setting_averages_over_its_source_pairs(llama: Case) -> None:
    mean = llama.translator().bank.mean([("source", ("de", "es")), ("source", ("es", "de"))], range(PAIRS))
    for pair in llama.pairs:
        apart = [llama.referee.source(pair, [both]) for both in ("de-es", "es-de")]
        assert not torch.allclose(*apart, atol=1e-2)
        assert torch.allclose(mean[pair.index], (apart[0] + apart[1]) / 2, atol=1e-4)


def test_prompts_of_different_length_and_words_of_one_and_several_tokens_occur(llama: Case) -> None:
    preparation = llama.translator().preparation
    lengths = {len(prompt.prefix) for prompt in preparation.accepted(("target", ("en", "fr"))) if prompt is not None}
    assert len(lengths) > 1
    tokens = {
        len(llama.tokenizer(llama.concepts[name].word(code))["input_ids"])
        for pair in llama.pairs
        for name in (pair.source_concept, pair.target_concept)
        for code in ("en", "fr")
    }
    assert 1 in tokens
    assert max(tokens) > 2


def test_rows_tell_whose_they_are(llama: Case, llama_rows: dict[tuple[Any, ...], Translation]) -> None:
    pairs = {pair.pair_id: pair for pair in llama.pairs}
    for row in llama_rows.values():
        pair = pairs[row.pair_id]
        about_target = row.setting == "tgt_tgt" or (row.setting, row.prompt) == ("unpatched", "target")
        ids = (pair.target_concept, pair.source_concept) if about_target else (pair.source_concept, pair.target_concept)
        assert (row.intended_concept, row.other_concept) == ids
        assert row.shown_word == llama.concepts[ids[0]].reference[row.input_language][0]
        at = LANGUAGES.index(row.output_language)
        assert (row.p_source, row.p_target) == pytest.approx((row.source_mass[at], row.target_mass[at]), abs=1e-7)
        assert (row.checkpoint, row.step, row.tokens) == ("c", 30, 4000)
    assert len({row.row_id for row in llama_rows.values()}) == len(llama_rows)


def test_answers_stop_at_the_quote_and_hold_no_prompt_text(llama_rows: dict[tuple[Any, ...], Translation]) -> None:
    for row in llama_rows.values():
        assert '"' not in row.answer
        assert row.closed == ('"' in row.raw)
        assert row.raw.split('"')[0] == row.answer
        assert " - English" not in row.raw
        assert "\n" + NAMES[row.input_language] not in row.answer


def test_each_prompt_runs_once_and_cut_offs_share_what_is_the_same(llama: Case) -> None:
    """Rows and tokens are counted from outside, as they enter the attention of every layer."""
    translator = llama.translator(1000)
    entered: list[list[tuple[int, int]]] = [[] for _ in llama.layers]

    def count(layer: int) -> Any:
        return lambda module, inputs, named: entered[layer].append(tuple(named["hidden_states"].shape[:2]))

    handles = [
        block.self_attn.register_forward_pre_hook(count(layer), with_kwargs=True)
        for layer, block in enumerate(translator.decoder.layers)
    ]
    try:
        llama.rows(translator=translator)
    finally:
        for handle in handles:
            handle.remove()
    prefix = 12  # tokens; every cut prompt with its example is longer, everything after the word is shorter
    # source prompts of fr-en, en-fr, de-es, es-de, en-en, fr-fr, and target prompts of the two language pairs
    assert [[rows for rows, tokens in layer if tokens > prefix] for layer in entered] == [[PAIRS] * 8] * 4
    # two unpatched source prompts; 4 sources patched into fr-en, 5 into en-fr. At layer l the rows of cut-offs below l
    # stand alone, one row stands for all others.
    suffixes = [[rows for rows, tokens in layer if 1 < tokens <= prefix] for layer in entered]
    assert suffixes == [[PAIRS, PAIRS * (1 + 4 * n), PAIRS, PAIRS * (1 + 5 * n)] for n in range(4)]
    # decoding, without the patched words: answers that begin alike share their lower layers
    decoded = [sum(rows for rows, tokens in layer if tokens == 1) - PAIRS * (4 + 5) for layer in entered]
    assert decoded == sorted(decoded)
    assert decoded[0] < decoded[-1]


class Tight:
    """A decoder with room for so many rows: more of them do not fit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.refused: Counter[bool] = Counter()
        """How often; true: where a cache was to be filled, as the sweep does and the source bank does not."""
        plain = Decoder._forward

        def forward(decoder: Decoder, part: Any, ids: torch.Tensor, *others: Any) -> Any:
            if len(ids) > room:
                self.refused[others[-1] is not None] += 1
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
            return plain(decoder, part, ids, *others)

        monkeypatch.setattr(Decoder, "_forward", forward)


@pytest.mark.parametrize("room", [1, 3, 20])
def test_what_does_not_fit_goes_on_in_halves_and_nothing_is_lost(
    llama: Case, llama_rows: dict[tuple[Any, ...], Translation], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    translator = llama.translator(1000)
    tight = Tight(monkeypatch, room)
    rows = llama.rows(translator=translator)
    assert tight.refused[True] > 0
    assert (tight.refused[False] > 0) == (room < PAIRS)  # the bank asks for all prompt pairs at once
    assert list(rows) == list(llama.rows(translator=llama.translator(1000)))  # also in the same order
    for key, row in llama_rows.items():
        assert (rows[key].answer, rows[key].raw) == (row.answer, row.raw)
        assert rows[key].source_mass == pytest.approx(row.source_mass, abs=PROBABILITY)


def test_where_not_even_one_row_fits_the_error_stands(llama: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = llama.translator(4)
    Tight(monkeypatch, 0)
    with pytest.raises(torch.OutOfMemoryError):
        llama.rows(translator=translator)


@pytest.mark.parametrize("clean", [True, False])
def test_what_a_batch_holds_is_what_was_counted(llama: Case, monkeypatch: pytest.MonkeyPatch, clean: bool) -> None:
    """Unpatched prompts bring a prefix for each row, patched ones one for all cut-offs."""
    translator, held = llama.translator(), []

    class Counted(SharedRun):
        def __init__(self, decoder: Decoder, prefix: Prefix, patched: Any, rows: BatchRows, tokens: int) -> None:
            super().__init__(decoder, prefix, patched, rows, tokens)
            states = [state for layer in prefix.cache.layers for state in (layer.keys, layer.values)]
            for layer in self._shared.layers:
                states += [layer.keys, layer.values, layer.prefix_keys, layer.prefix_values]
            held.append((len(rows.prompt), len(prefix.mask), sum(state.nbytes for state in states)))

    monkeypatch.setattr("gainsift.generation.sweep.SharedRun", Counted)
    room = room_for(translator.decoder, translator.preparation.longest(), translator.preparation.longest_rest())
    prompts = [prompt for prompt in translator.preparation.accepted(("target", ("fr", "en"))) if prompt is not None]
    asked = Sweep(prompts, None, translator.layers, clean=clean, own=not clean)
    assert len(list(translator._sweep(asked))) == len(held) == 1
    ((rows, count, size),) = held
    assert (rows, count) == (PAIRS if clean else PAIRS * 4, PAIRS)
    logits = 2 * 4 * len(llama.tokenizer)
    assert 0.7 < size / (rows * (room.row - logits) + count * room.prompt) <= 1


def test_fewer_rows_fit_where_each_brings_its_prefix() -> None:
    """By hand: 1000 / (10 + 90), 1000 / (10 + 90 / 3), and never more than 60 or less than eight."""
    room = Room(free=1000, row=10, prompt=90, most=60)
    assert [room.rows(each) for each in (1, 3, 9, 90)] == [10, 25, 50, 60]
    assert Room(free=1000, row=1000, prompt=0, most=60).rows(1) == FEWEST == 8


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "Gemma2"])
def test_copies_of_the_prefix_give_the_same_as_one_that_is_shared(
    case_of: Callable[[str], Case], architecture: str
) -> None:
    case = case_of(architecture)
    translator = case.translator(7)
    assert translator.decoder.shares_prefix
    shared = case.rows(translator=translator)
    translator = case.translator(7)
    translator.decoder.shares_prefix = False
    for key, row in case.rows(translator=translator).items():
        assert row.raw == shared[key].raw
        assert row.source_mass == pytest.approx(shared[key].source_mass, abs=PROBABILITY)


def test_every_architecture_but_bloom_shares_the_prefix(case_of: Callable[[str], Case]) -> None:
    shares = {name: case_of(name).translator().decoder.shares_prefix for name in ARCHITECTURES}
    assert [name for name, one in shares.items() if not one] == ["Bloom"]
