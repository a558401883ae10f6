"""Writes the parts of pages that are made from the code: `python docs/generated.py`, after a change of what they show.

Such a part stands between two comments in its page; what is around it is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup
from data_dictionary import data_dictionary
from markdownify import markdownify

from gainsift.annotation.guidelines import guidelines_html
from gainsift.schemas.taxonomy import load_taxonomy

FOLDER = Path(__file__).resolve().parent
BEGIN, END = "<!-- made by docs/generated.py -->\n", "<!-- end of what is made -->\n"


def guidelines() -> str:
    """The guidelines of the built-in taxonomy, which are the instruction of its Label Studio projects too."""
    page = BeautifulSoup(guidelines_html(load_taxonomy()), "html.parser").body
    assert page is not None
    for title in (page.h1, page.p):  # the page of this text has its own
        assert title is not None
        title.decompose()
    for link in page.find_all("a"):
        link.name, link.attrs = "b", {}
    for key in page.find_all("kbd"):
        key.replace_with(f"KEY{key.text}YEK")
    text = markdownify(str(page), heading_style="atx", bullets="-", escape_underscores=False)
    text = re.sub(r"\n *KEY", " KEY", text)
    text = re.sub("KEY(.*?)YEK", r"<kbd>\1</kbd>", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


PARTS: dict[str, Callable[[], str]] = {"annotators.md": guidelines, "formats.md": data_dictionary}
"""What is made, by page."""


def with_part(page: str, part: str) -> str:
    """The text of a page with what is made in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{part}\n{END}{after}"


def write(folder: Path = FOLDER) -> None:
    for name, make in PARTS.items():
        path = folder / name
        path.write_text(with_part(path.read_text("utf-8"), make()), "utf-8")


if __name__ == "__main__":
    sys.exit(write())
