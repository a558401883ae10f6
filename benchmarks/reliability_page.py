"""docs/reliability.md: what each page of docs/reliability answers, with its first words.

python benchmarks/reliability_page.py [--out docs/reliability.md]
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from gainsift.schemas.files import write_text

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
PARTS = ROOT / "docs" / "reliability"
FIRST = ("reliability", "judgements")
"""The pages about figures come before those about the program."""
LONGEST = 12
"""Lines of a table that is repeated."""


def parts(folder: Path) -> list[Path]:
    """The pages, FIRST first, then by name."""
    order = {name: number for number, name in enumerate(FIRST)}
    return sorted(folder.glob("*.md"), key=lambda file: (order.get(file.stem, len(order)), file.stem))


def answer(text: str) -> tuple[str, str]:
    """Title of a page, and its answer: the first paragraph with the table that follows it, if that is short."""
    title = re.search(r"^# (.+)$", text, re.M)
    assert title is not None
    first, after, *_ = [block for block in text.split("\n\n") if not block.startswith(("#", "<!--"))]
    table = after.startswith("|") and len(after.splitlines()) <= LONGEST
    return title[1], "\n\n".join([first, *([after] if table else [])])


def page(folder: Path) -> str:
    """The text of docs/reliability.md."""
    lines = [
        "# Reliability", "",
        "<!-- made by benchmarks/reliability_page.py (make reliability) -->", "",
        "`make reliability` measures everything here again and writes these pages; each tells its seed, and beside each"
        " lie its figures as JSON and the record of its run. What is guarded against whom: [security.md](security.md).",
        "",
    ]  # fmt: skip
    for file in parts(folder):
        title, first = answer(file.read_text("utf-8"))
        lines += [f"## {title}", "", first, "", f"[All figures](reliability/{file.name})", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE")
    write_text(parser.parse_args().out, page(PARTS))


if __name__ == "__main__":
    main()
