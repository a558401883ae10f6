"""What fits on an annotator's small screen, right-to-left text, and the pictures of docs/."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.system
FITS = """() => {
  const panel = document.querySelector('.lsf-main-view__annotation');
  const wanted = [...panel.querySelectorAll('h1, h2, h3, h4, h5, .gs-answer, .lsf-choice label, input[type=text]')];
  const shown = wanted.filter(tag => tag.getClientRects().length);
  const hidden = tag => {
    const box = tag.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return box.top < 0 || box.bottom > innerHeight || box.left < 0 || box.right > innerWidth
      || !top || !(tag.contains(top) || top.contains(tag));
  };
  const covered = shown.filter(hidden).map(tag => tag.innerText || tag.placeholder || tag.tagName);
  return {shown: shown.length, hidden: covered};
}"""
NEWS = "[class*=toast__content]"
"""Label Studio's word that a task was skipped or submitted; it stays for some seconds."""
EDGES = """() => {
  const text = document.querySelector('.lsf-main-view__annotation .gs-answer bdi').firstChild;
  const edge = at => { const range = document.createRange(); range.setStart(text, at); range.setEnd(text, at + 1);
                       return range.getBoundingClientRect().x; };
  return [edge(0), edge(text.length - 1), getComputedStyle(text.parentNode).direction];
}"""
COLOURS = """() => {
  const answer = document.querySelector('.lsf-main-view__annotation .gs-answer');
  const through = colour => /, 0[)]$|transparent/.test(colour);
  let ground = answer, colour = 'transparent';
  while (ground && through(colour)) {
    colour = getComputedStyle(ground).backgroundColor;
    ground = ground.parentElement;
  }
  return [getComputedStyle(answer).color, colour];
}"""


@pytest.fixture(scope="module")
def german(desk_of: Any, study_of: Any, item: Any) -> Any:
    return desk_of(
        study_of({"cat": [item("Feder"), item("Sprung  feder\u200b", closed=False), item("x " * 5000)]}), "cat"
    )


@pytest.fixture(scope="module")
def arabic(desk_of: Any, study_of: Any, item: Any) -> Any:
    answers = [item("نابض", languages=("en", "ar")), item("القفيص dog (1)", languages=("en", "ar"))]
    return desk_of(study_of({"cat": answers}), "cat")


def test_everything_is_seen_without_scrolling(german: Any, picture: Any) -> None:
    found = german.page.evaluate(FITS)
    assert found["hidden"] == []
    parts = {"direction": 1, "cards": 2 * 4, "heads": 3, "questions": 8, "answer": 1, "labels": 16, "comment": 1}
    assert found["shown"] == sum(parts.values())
    picture(german, "page")


def test_not_even_with_the_senses_open(german: Any, picture: Any) -> None:
    before = german.page.evaluate(FITS)["shown"]
    german.keys("2")
    german.page.get_by_text("another sense, not listed").wait_for()
    picture(german, "page_sense")
    german.keys("n")
    german.page.get_by_placeholder("The sense in a few words.").wait_for()
    found = german.page.evaluate(FITS)
    assert found["hidden"] == []
    assert found["shown"] == before + 1 + 7 + 1  # the question, six senses and "not listed", the text
    german.keys("n", "2")  # taken back


def test_the_panel_says_what_the_item_says(german: Any) -> None:
    lines = german.panel.split("\n")
    start = lines.index("English → German")
    told = [line for line in lines[start:] if line.strip()]
    assert told[:12] == [
        "English → German",
        "Intended concept", "spring", "coil of metal that jumps back", "Listed: Feder (also: Sprungfeder)",
        "Second concept", "sheet", "single thin piece of paper", "Listed: Blatt (also: Bogen)",
        "Answer", "The answer ends here.", "Feder",
    ]  # fmt: skip
    assert [key for key in ("[1]", "[2]", "[q]", "[x]", "[t]") if key not in german.panel] == []


def close_reminder(desk: Any, text: str) -> None:
    """Esc until it is gone: a window that is still opening has no focus yet, and does not hear the key."""
    reminder = desk.page.get_by_text(text)
    reminder.wait_for()
    for _ in range(60):
        desk.keys("Escape")
        desk.page.wait_for_timeout(1000)
        if not reminder.count():
            return
    raise AssertionError(f"Esc does not close {text!r}")


def test_a_required_sense_text_is_asked_for(german: Any) -> None:
    german.keys("1", "2", "n", "Control+Enter")
    close_reminder(german, "Say in a few words which sense it is.")
    german.keys("2", "Control+Enter")
    close_reminder(german, "Pick one label.")


def test_spaces_and_unseen_characters_and_a_very_long_answer_keep_the_page_in_shape(german: Any, picture: Any) -> None:
    german.go_on("Control+Space")
    assert german.answer == "Sprung␣␣feder⟨U+200B⟩"
    assert "it was stopped by the length limit" in german.panel
    german.page.locator(NEWS).wait_for(state="detached")
    picture(german, "page_signs")
    german.go_on("Control+Space")
    assert len(german.answer) == 10_000
    assert german.page.evaluate(FITS)["hidden"] == []


def test_text_from_right_to_left_runs_so(arabic: Any, picture: Any) -> None:
    first, last, direction = arabic.page.evaluate(EDGES)
    assert first > last
    assert direction == "rtl"
    arabic.go_on("Control+Space")
    assert arabic.page.evaluate(EDGES)[2] == "rtl"
    arabic.keys("2")
    arabic.page.get_by_text("place where water comes out of the ground").wait_for()
    arabic.page.locator(NEWS).wait_for(state="detached")
    picture(arabic, "page_arabic")


def test_the_answer_can_be_read_in_the_dark_theme(arabic: Any) -> None:
    def brightness(colour: str) -> float:
        red, green, blue = (float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3])
        return 0.3 * red + 0.6 * green + 0.1 * blue

    light = [brightness(colour) for colour in arabic.page.evaluate(COLOURS)]
    arabic.page.evaluate("document.documentElement.setAttribute('data-color-scheme', 'dark')")
    dark = [brightness(colour) for colour in arabic.page.evaluate(COLOURS)]
    assert light[1] - light[0] > 150
    assert dark[0] - dark[1] > 150
