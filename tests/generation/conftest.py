"""A tiny study that needs nothing from outside: words, a byte-level BPE, random models with lively weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import transformers
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from gainsift.schemas.concepts import Concept
from gainsift.schemas.files import write_jsonl
from gainsift.schemas.record import fingerprint
from gainsift.schemas.study import CONCEPTS_FORMAT, Study

torch.set_num_threads(1)  # tiny matrices: more threads only wait for each other

LANGUAGES = ["en", "fr", "de", "es"]
OWN_NAMES = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}
WORDS = """
dog chien Hund perro
cat chat Katze gato
house maison Haus casa
water eau Wasser agua
child enfant Kind niño
bread pain Brot pan
tree arbre Baum árbol
night nuit Nacht noche
milk lait Milch leche
key clé Schlüssel llave
fish poisson Fisch pez
horse cheval Pferd caballo
window fenêtre Fenster ventana
book livre Buch libro
butterfly papillon Schmetterling mariposa
sun soleil Sonne sol
island île Insel isla
apple pomme Apfel manzana
garden jardin Garten jardín
king roi König rey
"""
TRAINED = LANGUAGES
PAIRS = [("fr", "en"), ("en", "fr")]
SHOTS, SEED = 3, 7
MAX_NEW = 4


def small_concepts() -> list[Concept]:
    lines = [line.split() for line in WORDS.split("\n") if line]
    accepted = {"house": {"en": ["home"]}, "night": {"fr": ["nuitée"]}}
    return [
        Concept(
            id=forms[0],
            gloss=f"a {forms[0]}",
            reference={code: [form] for code, form in zip(LANGUAGES, forms, strict=True)},
            accepted=accepted.get(forms[0], {}),
        )
        for forms in lines
    ]


def small_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE: some words are one token, others several; é takes two bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<pad>", "<end>"], initial_alphabet=alphabet, show_progress=False
    )
    names = [f'{name}: "' for name in OWN_NAMES.values()] * 4
    tokenizer.train_from_iterator([*names, *(WORDS.split()[:40] * 3), '" - "', '"\n'], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>")


SHAPES: dict[str, dict[str, Any]] = {
    "Llama": {"num_key_value_heads": 2, "intermediate_size": 48},
    "Mistral": {"num_key_value_heads": 2, "intermediate_size": 48, "sliding_window": None},
    "Qwen2": {"num_key_value_heads": 2, "intermediate_size": 48},
    "Qwen3": {"num_key_value_heads": 2, "intermediate_size": 48, "head_dim": 8},
    "Gemma2": {"num_key_value_heads": 2, "intermediate_size": 48, "head_dim": 8},
    "Olmo2": {"num_key_value_heads": 2, "intermediate_size": 48},
    "Apertus": {
        "num_key_value_heads": 2,
        "intermediate_size": 48,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    },
    "GPTNeoX": {"intermediate_size": 48},
    "GPT2": {},
    "Bloom": {},
}
HEADS = {"GPT2": "GPT2LMHeadModel"}


LIVELY = {"GPTNeoX": 2}
"""Seeds under which, for every pair, a patch that is one layer, position or pair off moves a probability by > 1e-3."""
ATTENTION_OUT = ("o_proj.weight", "attn.c_proj.weight", "attention.dense.weight")


def small_model(architecture: str, vocabulary: int, seed: int | None = None, layers: int = 4) -> Any:
    """A random model whose answers depend strongly on the word: large weights, above all out of attention."""
    seed = LIVELY.get(architecture, 1) if seed is None else seed
    config_class = getattr(transformers, f"{architecture}Config")
    config = config_class(
        vocab_size=vocabulary, hidden_size=32, num_hidden_layers=layers, num_attention_heads=4,
        max_position_embeddings=256, tie_word_embeddings=False, bos_token_id=None, eos_token_id=None,
        pad_token_id=None, **SHAPES[architecture],
    )  # fmt: skip
    torch.manual_seed(seed)
    model = getattr(transformers, HEADS.get(architecture, f"{architecture}ForCausalLM"))(config)
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            weight.data = torch.randn(weight.shape, generator=generator) * (
                1.8 if name.endswith(ATTENTION_OUT) else 0.3
            )
        elif "bias" in name:
            weight.data = torch.randn(weight.shape, generator=generator) * 0.1
    return model.eval().requires_grad_(False)


@dataclass
class Maker:
    """Writes study folders whose models lie beside them."""

    root: Path
    tokenizer: PreTrainedTokenizerFast
    config: dict[str, Any] = field(default_factory=dict)

    def model(self, name: str, architecture: str = "Llama", seed: int | None = None, tokenizer: bool = True) -> Path:
        folder = self.root / "models" / name
        small_model(architecture, len(self.tokenizer), seed).save_pretrained(folder)
        if tokenizer:
            self.tokenizer.save_pretrained(folder)
        return folder

    def study(self, checkpoints: Sequence[Path], name: str = "study", **changes: Any) -> Study:
        """A study of fr-en and en-fr with four prompt pairs; `changes` replace top-level keys of study.yaml."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        write_jsonl(self.root / "words.jsonl", small_concepts(), CONCEPTS_FORMAT)
        self.config = {
            "name": "tiny",
            "model": {
                "name": "tiny",
                "checkpoints": [
                    {"name": path.name, "path": str(path), "step": 10 * (i + 1), "tokens": 1000 * (i + 1)}
                    for i, path in enumerate(checkpoints)
                ],
            },
            "trained_languages": TRAINED,
            "language_pairs": [list(pair) for pair in PAIRS],
            "words": {"source": "concepts", "file": "../words.jsonl"},
            "prompts": {"pairs": 4, "shots": SHOTS, "seed": SEED},
            "generation": {"max_new_tokens": MAX_NEW},
            **changes,
        }
        (folder / "study.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True), "utf-8")
        return Study.open(folder)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return small_tokenizer()


@pytest.fixture
def maker(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Maker:
    return Maker(tmp_path, tokenizer)


@pytest.fixture(scope="session")
def concepts() -> list[Concept]:
    return small_concepts()


@pytest.fixture(scope="session")
def model_of(tokenizer: PreTrainedTokenizerFast) -> Callable[[str], Any]:
    """A tiny model by architecture, made once."""
    made: dict[str, Any] = {}

    def get(architecture: str) -> Any:
        if architecture not in made:
            made[architecture] = small_model(architecture, len(tokenizer))
        return made[architecture]

    return get


@pytest.fixture(scope="module", params=["cpu", *["cuda"] * torch.cuda.is_available()])
def device(request: pytest.FixtureRequest) -> str:
    """Every kind of device that is here."""
    return str(request.param)


@pytest.fixture(scope="session")
def row_set() -> Callable[[Study], str]:
    """A hash of all rows of a study, to the last bit, in the order of their ids. Fails if an id comes twice."""

    def hashed(study: Study) -> str:
        rows = sorted(study.translations().to_pylist(), key=lambda row: row["row_id"])
        assert len({row["row_id"] for row in rows}) == len(rows)
        return fingerprint(rows)

    return hashed


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """until(true, seconds=120): wait for what is true in the end; fails if it is not by then."""

    def wait(true: Callable[[], Any], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert true()

    return wait


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_of: Callable[[Path], ModuleType]) -> Iterator[Any]:
    """A hub on loopback with a cache of its own; huggingface_hub, here and in programs that are started, asks it."""
    from huggingface_hub import constants

    cache = tmp_path / "cache"
    with module_of(Path(__file__).parent / "hub_server.py").serving() as served:
        address_of_files = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, served.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address_of_files)
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        for name, value in {"HF_ENDPOINT": served.url, "HF_HUB_CACHE": str(cache), "HF_HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield served
