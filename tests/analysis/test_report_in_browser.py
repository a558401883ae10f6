"""report.html in a real Chromium, from disk: hostile text, what the list of items finds, keys, no script, phones."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gainsift.analysis.item_list import LEFT_OUT, VOTING, ListedItem
from gainsift.analysis.item_page import items_on_page
from gainsift.analysis.page import policy, template
from gainsift.analysis.report import write_report
from gainsift.analysis.results import analyse
from gainsift.schemas.concepts import Concept
from gainsift.schemas.taxonomy import load_taxonomy
from gainsift.schemas.visible_text import visible

pytestmark = pytest.mark.system
TAXONOMY = load_taxonomy()
LABELS = {category.id: category.label for category in TAXONOMY.categories}
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"
ANSWER, VOTES, OUTPUTS = 2, 7, 8


def count(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def column(page: Page, number: int) -> list[str]:
    cells = f"#item-table tbody td:nth-child({number + 1})"
    return [str(text) for text in page.locator(cells).evaluate_all("cells => cells.map(cell => cell.textContent)")]


# --- hostile text ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile_report(
    study_elsewhere: Callable[..., Any], plain_concept: Callable[..., Concept], hostile: dict[str, str]
) -> tuple[Path, list[str]]:
    """The report of a study in which every kind is an answer, a meaning, a word of the list; and the answers."""
    texts = [text for text in hostile.values() if not any("\ud800" <= sign <= "\udfff" for sign in text)]
    contrast = {"name": hostile["event handler"], "from": {"checkpoint": "c1"},
                "to": {"checkpoint": "c2", "setting": "tgt", "layer": 1}}  # fmt: skip
    maker = study_elsewhere(description=hostile["style injection"], contrasts=[contrast])
    for number, text in enumerate(texts):
        reference = {"en": [f"en_{number}"], "de": [f"de_{number}", text]}
        maker.pair(
            f"P{number}", plain_concept(f"s{number}", gloss=text, reference=reference), plain_concept(f"t{number}")
        )
        before = maker.row(f"P{number}", ("en", "de"), "c1", text)
        after = maker.row(f"P{number}", ("en", "de"), "c2", f"de_{number}", setting="tgt", layer=1)
        for annotator in (hostile["closing tags"], hostile["bidi override"]):
            maker.vote(before, annotator, "non_word")
            maker.vote(after, annotator, "correct")
    study = maker.write()
    answers = [item.answer for item in study.items() if not item.answer.startswith("de_")]
    assert len(answers) == len(texts) > 70
    return write_report(study, analyse(study)), answers


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_answers_are_text_and_nothing_overflows(
    hostile_report: tuple[Path, list[str]], open_page: Callable[..., Any], width: int
) -> None:
    path, answers = hostile_report
    opened = open_page(path, width)
    page = opened.page
    assert opened.overflow() == 0
    page.evaluate(OPEN_ALL)
    assert opened.overflow() == 0
    shown = column(page, ANSWER)
    assert len(shown) == 2 * len(answers)
    assert {visible(answer) for answer in answers} <= set(shown)
    assert page.evaluate("window.gainsift_fired") is None
    for tag, number in {"script": 2, "form": 1, "iframe": 0, "style": 1, "svg": 0, "object": 0, "link": 0}.items():
        assert page.locator(tag).count() == number, tag
    assert page.locator("[onerror], [onload], [onfocus], [onmouseover]").count() == 0
    assert all((link.get_attribute("href") or "").startswith("#") for link in page.locator("a").all())
    before = page.locator(".outputs-of-contrast td.answer:nth-child(2) bdi").all_inner_texts()
    assert len(before) == 3
    assert opened.asked == []
    assert opened.complaints == []


def test_every_hostile_answer_can_be_searched_for(
    hostile_report: tuple[Path, list[str]], open_page: Callable[..., Any], hostile: dict[str, str]
) -> None:
    """A text is an answer once, and a meaning and a word of the list in that item and in another."""
    path, answers = hostile_report
    page = open_page(path).page
    known = [visible(text) for text in hostile.values() if not any("\ud800" <= sign <= "\udfff" for sign in text)]
    for answer in answers:
        page.get_by_label("Search in word").fill(visible(answer))
        words = plain(visible(answer)).split()
        holders = [
            number for number, text in enumerate(known)
            if all(word in plain(f"en_{number} de_{number} {text}") for word in words)
        ]  # fmt: skip
        assert count(page).startswith(f"{2 * len(holders)} of"), answer
        assert visible(answer) in column(page, ANSWER), answer


def plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


# --- what the list finds ---------------------------------------------------------------------------------


def made_items(number: int) -> list[ListedItem]:
    """Items of a made-up study, the same every time."""
    rng = random.Random(5)
    words = ["spring", "Feder", "çok", "šum", "Ärger", "ΣΟΦΙΑ", "x" * 300, "two words"]
    ids = [name for name in TAXONOMY.ids if name not in ("unsure", "bad_item")]
    found = []
    for place in range(number):
        votes = [(name, rng.choice(ids)) for name in ("ann", "ben", "cat")[: rng.randrange(4)]]
        label = rng.choice(ids) if votes else ""
        where = sorted(rng.sample(range(30), rng.randrange(1, 6)))
        found.append(
            ListedItem(
                item_id=f"i{place}", languages=rng.choice(["en → de", "en → fr", "de → en"]), word=rng.choice(words),
                gloss=rng.choice(["a season", "part of a bird", "<b>bold</b>"]), answer=f"{rng.choice(words)}{place}",
                closed=rng.random() < 0.9, reference=(rng.choice(words), rng.choice(words)),
                verdicts=((label, 1.0),) if label else (), undecided="" if label else "unjudged", adjudicated=False,
                kinds=(TAXONOMY.category(label).kind,) if label else (), votes=tuple(votes),
                voting=VOTING[{0: 3, 1: 2}.get(len(votes), int(len({label for _, label in votes}) == 1))],
                outputs=rng.randrange(1, 3000), conditions=tuple(f"step-{one}, unpatched" for one in where),
                sides=(("training", "before"),) if 0 in where else (("training", "after"),) if 29 in where else (),
                left_out=rng.choice(["", *LEFT_OUT]),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def made_page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ListedItem]]:
    """The list of 20,000 items alone, as it stands in the report."""
    listed = made_items(20_000)
    style = resources.files("gainsift.analysis").joinpath("templates/report.css").read_text("utf-8")
    section = template("items.html.j2").render(listed=items_on_page(listed, TAXONOMY), mark="")
    path = tmp_path_factory.mktemp("items") / "items.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>items</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy("items.js")}"><style>{style}</style>{section}',
        "utf-8",
    )
    return path, listed


def told(listed: list[ListedItem], test: Callable[[ListedItem], bool]) -> str:
    number = sum(map(test, listed))
    more = "; the first 200 are shown" if number > 200 else ""
    return f"{number:,} of {len(listed):,} items match{more}."


def test_filters_and_search_find_what_a_plain_count_finds(
    made_page: tuple[Path, list[ListedItem]], open_page: Callable[..., Any]
) -> None:
    path, listed = made_page
    opened = open_page(path)
    page = opened.page
    expected: dict[str, dict[str, Callable[[ListedItem], bool]]] = {
        "Languages": {"de → en": lambda one: one.languages == "de → en"},
        "Verdict": {
            LABELS["other_sense"]: lambda one: ("other_sense", 1.0) in one.verdicts,
            "undecided: not judged": lambda one: not one.verdicts,
        },
        "Kind": {"behaviour": lambda one: "behaviour" in one.kinds, "near": lambda one: "near" in one.kinds},
        "Occurs in": {
            "training": lambda one: bool(one.sides),
            "training, after": lambda one: ("training", "after") in one.sides,
            "step-17, unpatched": lambda one: "step-17, unpatched" in one.conditions,
        },
        "Annotators": {
            "disagreed": lambda one: len({label for _, label in one.votes}) > 1,
            "agreed": lambda one: len(one.votes) > 1 and len({label for _, label in one.votes}) == 1,
            "one judgement": lambda one: len(one.votes) == 1,
            "no judgement": lambda one: not one.votes,
        },
    }
    assert count(page) == told(listed, lambda one: True)
    for name, options in expected.items():
        for option, test in options.items():
            page.get_by_label(name, exact=True).select_option(option)
            assert count(page) == told(listed, test), (name, option)
        page.get_by_label(name, exact=True).select_option("all")
    searches: dict[str, Callable[[str], bool]] = {
        "FEDER": lambda text: "feder" in text,
        "ärger SEASON": lambda text: "ärger" in text and "season" in text,
        "A\u0308rger": lambda text: "ärger" in text,
        "<b>": lambda text: "<b>" in text,
        "nothing at all": lambda text: False,
    }
    for words, fits in searches.items():
        page.get_by_label("Search in word").fill(words)
        assert count(page) == told(listed, lambda one, fits=fits: fits(searched(one))), words  # type: ignore[misc]
    page.get_by_label("Search in word").fill("spring")
    page.get_by_label("Languages", exact=True).select_option("en → fr")
    both = told(listed, lambda one: one.languages == "en → fr" and "spring" in searched(one))
    assert count(page) == both
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_role("status")).to_have_text(told(listed, lambda one: True))
    assert opened.complaints == []


def searched(one: ListedItem) -> str:
    return "\n".join([one.word, one.gloss, one.answer, *one.reference]).lower()


def test_rows_come_in_pages_and_in_the_order_asked_for(
    made_page: tuple[Path, list[ListedItem]], open_page: Callable[..., Any]
) -> None:
    path, listed = made_page
    page = open_page(path).page
    answers = [one.answer + ("" if one.closed else " …") for one in listed]
    assert column(page, ANSWER) == answers[:200]
    page.get_by_role("button", name="Show 200 more").click()
    assert column(page, ANSWER) == answers[:400]
    assert "the first 400 are shown" in count(page)
    page.get_by_role("button", name="Outputs").click()
    sizes = sorted(one.outputs for one in listed)
    assert column(page, OUTPUTS) == [f"{size:,}" for size in sizes[:200]]
    assert page.get_by_role("columnheader", name="Outputs").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="Outputs").click()
    assert column(page, OUTPUTS) == [f"{size:,}" for size in sizes[:-201:-1]]
    assert page.get_by_role("columnheader", name="Outputs").get_attribute("aria-sort") == "descending"
    page.get_by_label("Search in word").fill(answers[7].removesuffix(" …"))
    row = page.locator("#item-table tbody tr").first.locator("td").all_inner_texts()
    said: dict[str, list[str]] = {}
    for who, label in listed[7].votes:
        said.setdefault(LABELS[label], []).append(who)
    assert row[VOTES].split("; ") == [f"{label}: {', '.join(who)}" for label, who in said.items()] or not said


def test_the_list_is_used_with_keys_alone(
    made_page: tuple[Path, list[ListedItem]], open_page: Callable[..., Any]
) -> None:
    path, listed = made_page
    page = open_page(path).page
    page.keyboard.press("Tab")
    page.keyboard.type("spring")
    assert count(page) == told(listed, lambda one: "spring" in searched(one))
    page.keyboard.press("Tab")
    languages = list(dict.fromkeys(one.languages for one in listed))
    for _ in range(languages.index("en → fr") + 1):
        page.keyboard.press("ArrowDown")
    french = told(listed, lambda one: "spring" in searched(one) and one.languages == "en → fr")
    assert count(page) == french
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(told(listed, lambda one: True))


@pytest.mark.parametrize("width", [1280, 400])
def test_long_words_stay_inside(
    made_page: tuple[Path, list[ListedItem]], open_page: Callable[..., Any], width: int
) -> None:
    opened = open_page(made_page[0], width)
    assert opened.overflow() == 0
    widest = opened.page.locator("#item-table td").evaluate_all("all => Math.max(...all.map(one => one.offsetWidth))")
    assert widest <= 400


def test_without_its_script_the_page_says_where_the_items_are(
    hostile_report: tuple[Path, list[str]], open_page: Callable[..., Any]
) -> None:
    opened = open_page(hostile_report[0], 400, java_script_enabled=False)
    note = opened.page.locator("#item-without-script")
    expect(note).to_be_visible()
    assert "tables/items.csv" in note.inner_text()
    expect(opened.page.locator("#item-controls")).to_be_hidden()
    assert (hostile_report[0].parent / "tables" / "items.csv").is_file()
