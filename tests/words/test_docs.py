"""docs/words.md: its examples are read by the readers."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from gainsift.generation.clap_prompts import read_clap_prompts
from gainsift.generation.multi_simlex import read_multi_simlex
from gainsift.generation.word_table import read_word_table
from gainsift.schemas.concepts import Concept
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.files import parse_line
from gainsift.schemas.study import CONCEPTS_FORMAT
from gainsift.schemas.word_source import WordsSpec

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "words.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", DOCS, re.S)


@dataclass
class Prompt:
    """As much of a prompt of the published code as the snippet reads."""

    word_original: str
    fs_examples: list[str]
    prompt: str


def test_the_csv_examples_are_read(tmp_path: Path) -> None:
    table, simlex = blocks("csv")
    (tmp_path / "words.csv").write_text(table, "utf-8")
    (tmp_path / "simlex.csv").write_text(simlex, "utf-8")
    dog, key = read_word_table(tmp_path / "words.csv").concepts
    assert dog.reference == {"en": ["dog"], "fr": ["chien", "cabot"], "de": ["Hund"]}
    assert key.reference["fr"] == ["clé", "clef"]
    by_id = {concept.id: concept for concept in read_multi_simlex(tmp_path / "simlex.csv", ["en", "fr"]).concepts}
    assert by_id["simlex:bank"].reference["fr"] == ["banque", "rive"]
    assert by_id["simlex:bank"].flags == ["sense_split"]


def test_the_sections_of_study_yaml_are_such() -> None:
    specs = [WordsSpec.model_validate(yaml.safe_load(block)["words"]) for block in blocks("yaml")]
    assert [spec.source for spec in specs] == ["csv", "multi_simlex", "wordnet", "csv"]
    assert specs[1].senses is not None
    assert specs[2].files() == ["wordnets/odenet.xml", "wordnets/french.xml.gz"]
    told = set(re.findall(r"^\| `(\w+)` \|", DOCS, re.M)) - {"source"}
    assert told == set(WordsSpec.model_json_schema()["properties"]["source"]["enum"])


def test_the_study_of_an_import_is_one() -> None:
    data = yaml.safe_load(blocks("yaml")[-1])
    assert StudyConfig.model_validate({"name": "s", **data}).checkpoint("last").step == 12345


def test_the_line_of_concepts_jsonl_is_one() -> None:
    (line,) = blocks("json")
    concept = parse_line(line.encode(), Concept, CONCEPTS_FORMAT, "docs")
    assert concept.senses[0].forms["de"] == ["Ufer"]


def test_the_snippet_writes_what_the_import_reads(tmp_path: Path) -> None:
    (snippet,) = blocks("python")
    made = {
        kind: {"fr_de": [Prompt("dog", ["cat", "key"], 'Français: "chat" - Deutsch: "Katze"\nFrançais: "chien')]}
        for kind in ("sources", "targets")
    }
    (tmp_path / "prompts.pkl").write_bytes(pickle.dumps({kind: {} for kind in made}))
    stand_in = f"cache = {made!r}\n"
    code = f"{dataclass_source()}\n{snippet}".replace("    cache = pickle.load(file)\n", f"    {stand_in}")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    (prompt,) = read_clap_prompts(tmp_path / "prompts.csv").of("target", ("fr", "de"))
    assert (prompt.concept, prompt.examples) == ("dog", ("cat", "key"))
    assert prompt.text.endswith("chien")


def dataclass_source() -> str:
    return (
        "from dataclasses import dataclass\n@dataclass\nclass Prompt:\n"
        "    word_original: str\n    fs_examples: list\n    prompt: str\n"
    )


def test_neither_check_nor_import_needs_torch(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text(blocks("csv")[0], "utf-8")
    code = (
        "import sys; sys.modules |= dict.fromkeys(('torch', 'transformers', 'wn'))\n"
        "import gainsift.generation.clap_import\n"
        "sys.argv = ['gainsift', 'concepts', 'check', 'words.csv', '--json']\n"
        "from gainsift.cli.main import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["concepts"] == 2
