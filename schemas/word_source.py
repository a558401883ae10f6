"""The section `words` of study.yaml: where the concepts come from, and where their senses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gainsift.schemas.languages import LanguageCode
from gainsift.schemas.record import Positive, Record

PartOfSpeech = Literal["noun", "verb", "adjective", "adverb"]
LMF_SUFFIXES = (".xml", ".xml.gz", ".xml.xz")
"""What tells a WN-LMF file from the name of a lexicon."""


class WordnetSpec(Record):
    """Which WordNets, one for each language, and where wn keeps its database."""

    lexicons: dict[LanguageCode, str] = Field(
        min_length=1,
        description="By language: a WN-LMF file (.xml, .xml.gz, .xml.xz) relative to the study, or the name of a "
        "lexicon in wn's database, such as oewn:2024.",
    )
    data: str | None = Field(
        default=None, description="Folder of wn's database, relative to the study; default: wn's own (WN_DATA_DIR)."
    )
    senses: Positive | None = Field(
        default=None, description="At most so many other senses, and look-alikes, of a concept."
    )


class SensesSpec(Record):
    """Where a list that has no senses gets them from."""

    wordnet: WordnetSpec = Field(description="WordNets that have the senses.")


class WordsSpec(Record):
    """Where the concepts come from: the embedded lexicon, a Multi-SimLex csv, another csv, WordNets, concepts.jsonl."""

    source: Literal["embedded", "multi_simlex", "csv", "concepts", "wordnet"] = Field(
        default="embedded", description="What kind of list."
    )
    file: str | None = Field(default=None, description="Relative to the study; needed unless embedded or wordnet.")
    wordnet: WordnetSpec | None = Field(default=None, description="Needed with source wordnet.")
    senses: SensesSpec | None = Field(default=None, description="Attach senses to a list that has none.")
    part_of_speech: PartOfSpeech = Field(
        default="noun", description="Of Multi-SimLex, WordNets, and a csv that has a column PoS."
    )
    forms: Positive | None = Field(
        default=None, description="At most so many reference forms a language; the others count as accepted."
    )
    limit: Positive | None = Field(default=None, description="Use the first n concepts only.")

    @model_validator(mode="after")
    def _fits(self) -> WordsSpec:
        if self.source not in ("embedded", "wordnet") and not self.file:
            raise ValueError(f"source {self.source} needs a file")
        if (self.source == "wordnet") != (self.wordnet is not None):
            raise ValueError("source wordnet needs the key wordnet, and no other source takes it")
        if self.senses and self.source not in ("multi_simlex", "csv"):
            raise ValueError(f"senses are attached to multi_simlex and csv only; {self.source} has its own")
        return self

    def files(self) -> list[str]:
        """Every file that is read, as named."""
        wordnets = [spec for spec in (self.wordnet, self.senses and self.senses.wordnet) if spec]
        lexicons = [name for spec in wordnets for name in spec.lexicons.values() if name.endswith(LMF_SUFFIXES)]
        return [*([self.file] if self.file else []), *lexicons]
