"""Languages by ISO 639 code: the name that prompts use, the name that people read, articles, script direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from gainsift.schemas.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Language:
    """`own` stands in prompts (`Français: "chien"`), `english` on pages for people."""

    code: str
    own: str
    english: str
    articles: tuple[str, ...] = ()
    right_to_left: bool = False


_ALL = (
    Language("ar", "العربية", "Arabic", (), True),
    Language("bg", "Български", "Bulgarian"),
    Language("ca", "Català", "Catalan", ("el ", "la ", "l'", "un ", "una ")),
    Language("cs", "Čeština", "Czech"),
    Language("cy", "Cymraeg", "Welsh", ("y ", "yr ")),
    Language("da", "Dansk", "Danish", ("en ", "et ")),
    Language("de", "Deutsch", "German", ("der ", "die ", "das ", "ein ", "eine ")),
    Language("el", "Ελληνικά", "Greek"),
    Language("en", "English", "English", ("the ", "a ", "an ")),
    Language("es", "Español", "Spanish", ("el ", "la ", "un ", "una ")),
    Language("et", "Eesti", "Estonian"),
    Language("eu", "Euskara", "Basque"),
    Language("fa", "فارسی", "Persian", (), True),
    Language("fi", "Suomi", "Finnish"),
    Language("fr", "Français", "French", ("le ", "la ", "l'", "l’", "un ", "une ")),
    Language("ga", "Gaeilge", "Irish"),
    Language("gl", "Galego", "Galician"),
    Language("he", "עברית", "Hebrew", (), True),
    Language("hi", "हिन्दी", "Hindi"),
    Language("hr", "Hrvatski", "Croatian"),
    Language("hu", "Magyar", "Hungarian", ("a ", "az ")),
    Language("id", "Bahasa Indonesia", "Indonesian"),
    Language("is", "Íslenska", "Icelandic"),
    Language("it", "Italiano", "Italian", ("il ", "lo ", "la ", "l'", "l’", "un ", "uno ", "una ")),
    Language("ja", "日本語", "Japanese"),
    Language("ko", "한국어", "Korean"),
    Language("lt", "Lietuvių", "Lithuanian"),
    Language("lv", "Latviešu", "Latvian"),
    Language("mt", "Malti", "Maltese"),
    Language("nl", "Nederlands", "Dutch", ("de ", "het ", "een ")),
    Language("no", "Norsk", "Norwegian"),
    Language("pl", "Polski", "Polish"),
    Language("pt", "Português", "Portuguese", ("o ", "a ", "um ", "uma ")),
    Language("ro", "Română", "Romanian"),
    Language("ru", "Русский", "Russian"),
    Language("sk", "Slovenčina", "Slovak"),
    Language("sl", "Slovenščina", "Slovenian"),
    Language("sr", "Српски", "Serbian"),
    Language("sv", "Svenska", "Swedish", ("en ", "ett ")),
    Language("sw", "Kiswahili", "Swahili"),
    Language("th", "ไทย", "Thai"),
    Language("tr", "Türkçe", "Turkish"),
    Language("uk", "Українська", "Ukrainian"),
    Language("vi", "Tiếng Việt", "Vietnamese"),
    Language("yue", "粵語", "Cantonese"),
    Language("zh", "中文", "Chinese"),
)
LANGUAGES: dict[str, Language] = {language.code: language for language in _ALL}


def language(code: str, where: str = "language") -> Language:
    """The language of an ISO 639 code. Raises UserError for an unknown one."""
    if code not in LANGUAGES:
        raise UserError(where, f"unknown language {code!r}", did_you_mean(code, LANGUAGES))
    return LANGUAGES[code]


def known_language(code: str) -> str:
    """The code itself. Raises ValueError for an unknown one: a check for fields of records."""
    try:
        return language(code).code
    except UserError:
        raise ValueError(f"unknown language {code!r}; {did_you_mean(code, LANGUAGES)}") from None


LanguageCode = Annotated[str, AfterValidator(known_language)]
