"""study.yaml: what is asked. One section for each stage; every key has a default but name, model and pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from gainsift.schemas.along import along, contrast_name
from gainsift.schemas.campaign import AnnotationSpec
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.languages import LanguageCode, known_language
from gainsift.schemas.model import CheckpointSpec, ModelSpec
from gainsift.schemas.plain_yaml import load_yaml
from gainsift.schemas.publication import ReleaseSpec
from gainsift.schemas.record import Positive, Record
from gainsift.schemas.settings import SETTINGS, UNPATCHED, LanguagePair, Prompt
from gainsift.schemas.word_source import WordsSpec

STUDY_FORMAT = 1


class PromptsSpec(Record):
    """How many prompt pairs, and how long their prompts are."""

    pairs: Positive = Field(default=256, description="Prompt pairs.")
    shots: Positive = Field(default=5, description="Example lines before the asked word.")
    seed: int = Field(default=42, description="Seed of pairs and examples.")


class GenerationSpec(Record):
    """Which settings and layers are generated, and how long answers may be."""

    settings: list[str] = Field(
        default_factory=lambda: list(SETTINGS), min_length=1, description="Which settings are generated."
    )
    layers: list[Annotated[int, Field(ge=0)]] | Literal["all"] = Field(
        default="all", description="First patched layers, from 0, or all.", json_schema_extra={"unit": "layer"}
    )
    max_new_tokens: Positive = Field(default=10, description="Longest answer.", json_schema_extra={"unit": "tokens"})

    @field_validator("settings")
    @classmethod
    def _known(cls, settings: list[str]) -> list[str]:
        for name in settings:
            if name not in SETTINGS:
                raise ValueError(f"unknown setting {name!r}; {did_you_mean(name, SETTINGS)}")
        return settings


class SuccessSpec(Record):
    """When an answer counts as a reference form (automatic success)."""

    case: Literal["fold", "exact"] = Field(default="fold", description="fold: upper and lower case are alike.")
    articles: Literal["keep", "strip"] = Field(
        default="keep", description="strip: a leading article of the output language does not count."
    )
    unclosed: Literal["fail", "accept"] = Field(
        default="fail", description="What becomes of an answer without a closing quote."
    )


class Condition(Record):
    """One column of a contrast: a checkpoint and how it was asked. `first` and `last` name checkpoints too."""

    checkpoint: str = Field(description="Name, or first or last.")
    setting: str = Field(default=UNPATCHED, description="Where the vector comes from; unpatched: no vector.")
    prompt: Prompt | None = Field(default=None, description="Default: source if unpatched, else target.")
    layer: int | None = Field(default=None, description="Needed when patched.", json_schema_extra={"unit": "layer"})

    @model_validator(mode="after")
    def _complete(self) -> Condition:
        if self.setting not in SETTINGS:
            raise ValueError(f"unknown setting {self.setting!r}; {did_you_mean(self.setting, SETTINGS)}")
        if (self.layer is None) != (self.setting == UNPATCHED):
            raise ValueError("a patched condition names its layer, an unpatched one has none")
        if self.setting != UNPATCHED and self.prompt == "source":
            raise ValueError("patched rows continue the target prompt")
        return self

    def asked(self) -> Prompt:
        return self.prompt or ("source" if self.setting == UNPATCHED else "target")


class Contrast(Record):
    """Apparent gain from condition `a` to condition `b`; written `from` and `to` in study.yaml."""

    name: str = Field(min_length=1, description="Name in tables.")
    a: Condition = Field(alias="from", description="Condition before.")
    b: Condition = Field(alias="to", description="Condition after.")


class Series(Record):
    """One way of asking, followed over checkpoints: a setting, for patched ones its layer, and which checkpoints."""

    setting: str = Field(default=UNPATCHED, description="Where the vector comes from; unpatched: no vector.")
    prompt: Prompt | None = Field(default=None, description="Default: source if unpatched, else target.")
    layer: int | None = Field(default=None, description="Needed when patched.", json_schema_extra={"unit": "layer"})
    checkpoints: list[str] = Field(
        default_factory=list, description="Empty: those of annotation.rows, or all. Always in training order."
    )

    @model_validator(mode="after")
    def _complete(self) -> Series:
        self.at("first")
        return self

    def at(self, checkpoint: str) -> Condition:
        """The condition of this series at one checkpoint."""
        return Condition(checkpoint=checkpoint, setting=self.setting, prompt=self.prompt, layer=self.layer)

    @property
    def name(self) -> str:
        """`unpatched`, or `seen, layer 3`."""
        if self.layer is None:
            return self.setting + (" (target prompt)" if self.at("first").asked() == "target" else "")
        return f"{self.setting}, layer {self.layer}"


class AnalysisSpec(Record):
    """Intervals, verdicts, corrections and trends."""

    bootstrap: Positive = Field(default=1000, description="Resamples.")
    confidence: float = Field(
        default=0.95, gt=0, lt=1, description="Of every interval.", json_schema_extra={"unit": "probability"}
    )
    seed: Annotated[int, Field(ge=0)] = Field(default=12345, description="Seed of resamples and sign flips.")
    exclude_sense_split: bool = Field(
        default=False, description="Leave out concepts whose references disagree in sense."
    )
    interval: Literal["studentised", "bca", "percentile"] = Field(
        default="studentised", description="Cluster bootstrap of shares and splits."
    )
    verdict: Literal["adjudicated", "majority", "dawid-skene", "soft"] = Field(
        default="adjudicated", description="How the judgements of an item become its verdict."
    )
    correction: Literal["holm", "fdr_bh", "max_t"] = Field(
        default="holm", description="For many tests, within a family: Holm, Benjamini-Hochberg, or step-down max-T."
    )
    family: Literal["each", "all"] = Field(
        default="each",
        description="each: the tests of one contrast, or of one series, are a family; all: those of all together.",
    )
    trends: list[Series] = Field(
        default_factory=list, description="Series that are tested for a trend; empty: all that were judged."
    )
    layer: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="First patched layer of the curves of emergence; else the one that the contrasts name, else the "
        "lowest that is judged, else the middle one.",
        json_schema_extra={"unit": "layer"},
    )


class StudyConfig(Record):
    """The whole of study.yaml."""

    format: int = Field(default=STUDY_FORMAT, description="Version of study.yaml.")
    name: str = Field(
        min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Name of the study; it stands in reports."
    )
    id: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{8,32}$",
        description="Ties judgements to this study; without it the name does. `gainsift init` draws one.",
    )
    description: str = Field(default="", description="Printed in the report; say here how the data came about.")
    model: ModelSpec = Field(description="The checkpoints.")
    trained_languages: list[LanguageCode] = Field(min_length=1, description="Languages that the model was trained on.")
    language_pairs: list[LanguagePair] = Field(min_length=1, description="Target pairs: input, output.")
    words: WordsSpec = Field(default_factory=WordsSpec, description="Where the concepts come from.")
    prompts: PromptsSpec = Field(
        default_factory=PromptsSpec, description="How many prompt pairs, and how long prompts are."
    )
    generation: GenerationSpec = Field(default_factory=GenerationSpec, description="What is generated.")
    success: SuccessSpec = Field(default_factory=SuccessSpec, description="When an answer counts as a listed word.")
    taxonomy: str | None = Field(default=None, description="Your own taxonomy.yaml, relative to the study.")
    annotation: AnnotationSpec = Field(
        default_factory=AnnotationSpec, description="What people judge, who they are, how work is shared."
    )
    contrasts: list[Contrast] = Field(
        default_factory=list, description="Gains to be split, each from one condition to another."
    )
    contrasts_along: list[Series] = Field(
        default_factory=list, description="Contrasts of all consecutive checkpoints, and from the first to the last."
    )
    analysis: AnalysisSpec = Field(
        default_factory=AnalysisSpec, description="Intervals, verdicts, corrections, trends."
    )
    release: ReleaseSpec = Field(
        default_factory=ReleaseSpec, description="What the datasheet of a published bundle says."
    )

    @field_validator("language_pairs")
    @classmethod
    def _pairs(cls, pairs: list[LanguagePair]) -> list[LanguagePair]:
        for given, out in pairs:
            known_language(given)
            known_language(out)
            if given == out:
                raise ValueError(f"{given} to {out} is not a translation; copying is the setting `self` or en_en")
            if pairs.count((given, out)) > 1:
                raise ValueError(f"{given} to {out} stands twice")
        return pairs

    @model_validator(mode="after")
    def _names_hold(self) -> StudyConfig:
        if not self.model.checkpoints:
            raise ValueError("model.series is not resolved into checkpoints")
        for series in (*self.contrasts_along, *self.analysis.trends):
            if len(self.checkpoints_of(series)) < 2:
                raise ValueError(f"series {series.name!r} needs two checkpoints to go along")
            self._is_generated(f"series {series.name!r}", [series.setting], [series.layer])
        names = [contrast.name for contrast in self.every_contrast()]
        for contrast in self.every_contrast():
            where = f"contrast {contrast.name!r}"
            if names.count(contrast.name) > 1:
                raise ValueError(f"{where} stands twice")
            for condition in (contrast.a, contrast.b):
                self.checkpoint(condition.checkpoint)
                self._is_generated(where, [condition.setting], [condition.layer])
        rows = self.annotation.rows
        for name in rows.checkpoints:
            self.checkpoint(name)
        self._is_generated("annotation.rows", rows.settings, list(rows.layers))
        self._is_generated("analysis", [], [self.analysis.layer])
        return self

    def _is_generated(self, where: str, settings: list[str], layers: list[int | None]) -> None:
        """Raise ValueError if generation leaves out what `where` asks for."""
        for name in settings:
            if name not in SETTINGS:
                raise ValueError(f"{where}: unknown setting {name!r}; {did_you_mean(name, SETTINGS)}")
            if name not in self.generation.settings:
                raise ValueError(f"{where} names setting {name!r}, which generation.settings leaves out")
        for layer in layers:
            if layer is not None and self.generation.layers != "all" and layer not in self.generation.layers:
                raise ValueError(f"{where} names layer {layer}, which generation.layers leaves out")

    def judged_layers(self) -> set[int]:
        """Every layer that a contrast or annotation.rows names."""
        conditions = [condition for contrast in self.every_contrast() for condition in (contrast.a, contrast.b)]
        named = {condition.layer for condition in conditions if condition.layer is not None}
        return named | set(self.annotation.rows.layers)

    def checkpoints_of(self, series: Series) -> list[str]:
        """The checkpoints of a series in training order. Raises ValueError for an unknown one."""
        named = {self.checkpoint(name).name for name in series.checkpoints or self.annotation.rows.checkpoints}
        known = [checkpoint.name for checkpoint in self.model.checkpoints]
        return [name for name in known if name in named or not named]

    def every_contrast(self) -> list[Contrast]:
        """The named contrasts, then those of `contrasts_along`: consecutive ones, and the whole way."""
        found = list(self.contrasts)
        for series in self.contrasts_along:
            for a, b, _ in along(self.checkpoints_of(series)):
                ends = {"from": series.at(a), "to": series.at(b)}
                found.append(Contrast(name=contrast_name(series.name, a, b), **ends))
        return found

    def checkpoint(self, name: str) -> CheckpointSpec:
        """The checkpoint of a name; `first` and `last` go by training order."""
        checkpoints = self.model.checkpoints
        if name in ("first", "last"):
            return checkpoints[0 if name == "first" else -1]
        for checkpoint in checkpoints:
            if checkpoint.name == name:
                return checkpoint
        raise ValueError(f"unknown checkpoint {name!r}; {did_you_mean(name, [c.name for c in checkpoints])}")

    def languages(self) -> list[str]:
        """Every language of the study in a fixed order: trained ones first, as listed, then further ones."""
        codes = [*self.trained_languages, *(code for pair in self.language_pairs for code in pair)]
        return list(dict.fromkeys(codes))


def problems(error: ValidationError) -> str:
    """A validation error in one line: each offending key with what was expected."""
    lines = []
    for part in error.errors():
        key = ".".join(str(step) for step in part["loc"])
        message = part["msg"].removeprefix("Value error, ")
        if part["type"] == "missing":
            lines.append(f"key {key!r} is missing")
        elif part["type"] == "extra_forbidden":
            lines.append(f"unknown key {key!r}")
        else:
            lines.append(f"{key!r}: {message}" if key else message)
    more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more


def read_config(path: Path) -> dict[str, Any]:
    """study.yaml as plain data of a format that this gainsift reads. Raises UserError."""
    data = load_yaml(path)
    if not isinstance(data, dict):
        raise UserError(str(path), "expected keys such as name, model, language_pairs", "see `gainsift init`")
    found = data.get("format", STUDY_FORMAT)
    if found != STUDY_FORMAT:
        raise UserError(
            str(path),
            f"study format {found!r}, this gainsift reads format {STUDY_FORMAT}",
            "install the gainsift that wrote it, or a newer one",
        )
    return data


def parse_config(data: dict[str, Any], path: Path) -> StudyConfig:
    """Check the data of study.yaml. Raises UserError that names file and key."""
    try:
        return StudyConfig.model_validate(data)
    except ValidationError as error:
        raise invalid(path, error) from None


def invalid(path: Path, error: ValidationError, section: str = "") -> UserError:
    """What is wrong with study.yaml, or with one of its sections, in one line."""
    where = f"{path}: {section}" if section else str(path)
    return UserError(where, problems(error), "`gainsift init` writes a study.yaml that explains every key")
