"""The house style: width of a column or a page, readable sizes, colours for colour-blind eyes and grey print, fonts."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from gainsift.analysis import house_style
from gainsift.analysis.agreement import agreement
from gainsift.analysis.agreement_figures import confusion_map, pair_heat_map
from gainsift.analysis.estimate import generator
from gainsift.analysis.house_style import (
    GAIN,
    LINES,
    LONGEST,
    LOSS,
    ONE,
    OTHER,
    SMALLEST,
    TALLEST,
    TOTAL,
    TWO,
    drawn,
    frame,
    rendered,
    shortened,
)
from gainsift.analysis.matrix_figures import LINE
from gainsift.analysis.results import analyse
from gainsift.analysis.study_figures import study_figures
from gainsift.analysis.transition_figures import transition_map
from gainsift.analysis.transitions import Transitions
from gainsift.analysis.trend_figures import CORRECT, GREYS, HATCHES
from gainsift.schemas.concepts import Concept
from gainsift.schemas.taxonomy import load_taxonomy

# --- colours ---------------------------------------------------------------------------------------------

# Machado, Oliveira & Fernandes (2009), table 1, severity 1.0; they apply to linear RGB
VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour: str, vision: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of an sRGB colour as such eyes see it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(vision @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ seen / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_lab_is_right() -> None:
    """White and sRGB red by Lindbloom's calculator; the matrices keep white."""
    assert lab("#ffffff", VISION["all cones"]) == pytest.approx([100, 0, 0], abs=0.05)
    assert lab("#ff0000", VISION["all cones"]) == pytest.approx([53.2, 80.1, 67.2], abs=0.15)
    assert all(lab("#ffffff", matrix) == pytest.approx([100, 0, 0], abs=0.1) for matrix in VISION.values())


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_by_all_eyes(vision: str) -> None:
    """By a distance of 15 or more, where 2 is just seen; fills of a stack may all touch, and differ by hatch else."""

    def apart(a: str, b: str) -> float:
        return float(np.linalg.norm(lab(a, VISION[vision]) - lab(b, VISION[vision])))

    lines = [colour for colour, _, _ in LINES]
    assert min(apart(a, b) for a, b in itertools.combinations(lines, 2)) >= 15
    fills = [(CORRECT, ""), *zip(GREYS, HATCHES, strict=True)]
    assert min(apart(a, b) for (a, x), (b, y) in itertools.combinations(fills, 2) if x == y) >= 15
    assert min(apart(a, b) for a, b in itertools.combinations((TOTAL, GAIN, LOSS, OTHER), 2)) >= 20


def test_grey_print_tells_everything_apart() -> None:
    """Lines by dash and by marker, each their own; fills by hatch or by 10 of lightness."""
    assert len({str(dash) for _, dash, _ in LINES}) == len({marker for _, _, marker in LINES}) == len(LINES)
    stack = [(CORRECT, ""), *zip(GREYS, HATCHES, strict=True)]
    bars = [(GAIN, ""), (LOSS, "////"), (TOTAL, ""), (OTHER, "")]
    for (a, x), (b, y) in [*itertools.combinations(stack, 2), *itertools.combinations(bars, 2)]:
        light = [lab(colour, VISION["all cones"])[0] for colour in (a, b)]
        assert x != y or abs(light[0] - light[1]) >= 10


# --- sizes -----------------------------------------------------------------------------------------------


def texts_of(figure: Figure) -> Iterator[Text]:
    """All texts that are drawn; matplotlib keeps labels of ticks beyond the ends of an axis, too."""
    unseen: set[Text] = set()
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            unseen |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    for text in figure.findobj(Text):
        hidden = text in unseen or not text.get_visible() or (text.axes is not None and not text.axes.get_visible())
        if text.get_text().strip() and not hidden:
            yield text


def faults(figure: Figure) -> list[str]:
    """What would be unreadable in a paper: another width, small text, text over the edge or over its neighbour."""
    found = []
    if figure.get_size_inches()[0] not in (ONE, TWO):
        found.append(f"width {figure.get_size_inches()[0]}")
    if figure.get_size_inches()[1] > TALLEST:
        found.append(f"height {figure.get_size_inches()[1]}")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    edge, texts = figure.bbox, set(texts_of(figure))
    for text in texts:
        if text.get_fontsize() < SMALLEST:
            found.append(f"{text.get_fontsize()} pt: {text.get_text()!r}")
        box = text.get_window_extent(renderer)
        if box.x0 < edge.x0 - 1 or box.x1 > edge.x1 + 1 or box.y0 < edge.y0 - 1 or box.y1 > edge.y1 + 1:
            found.append(f"over the edge: {text.get_text()!r}")
    for panel in figure.axes:
        if not panel.get_visible():
            continue
        for axis in (panel.xaxis, panel.yaxis):
            shown = [one for one in axis.get_ticklabels() if one in texts]
            if any(one.get_rotation() for one in shown):
                continue  # slanted ones have boxes larger than they are
            boxes = [one.get_window_extent(renderer) for one in shown]
            found += [f"labels touch: {axis}" for a, b in itertools.pairwise(boxes) if a.overlaps(b)]
    return found


AT_B = {"setting": "tgt", "layer": 1}


@pytest.fixture
def drawn_figures(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> dict[str, Figure]:
    """Every figure of a small study with long and foreign names."""
    contrast = {"name": "a contrast with a name that is far too long for one line of a figure: $x_1$ العربية 中文",
                "from": {"checkpoint": "c1"}, "to": {"checkpoint": "c2", **AT_B}}  # fmt: skip
    maker = make_study(contrasts=[contrast])
    labels = ["correct", "plain_copy", "other_concept", "wrong_language", "unrelated", "hypernym"]
    for number in range(6):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for place, checkpoint in enumerate(("c1", "c2", "c3")):
            where = f"P{number}", ("en", "de"), checkpoint
            shown = [maker.row(*where, f"answer {checkpoint} {number}"),
                     maker.row(*where, f"other {checkpoint} {number}", **AT_B)]  # fmt: skip
            for item in shown:
                for voice, annotator in enumerate(("ann", "مريم", "a name that is far too long for an axis")):
                    maker.vote(item, annotator, labels[(number + place + (voice == number)) % len(labels)])
    study = maker.write()
    return {stem: figure for stem, (_, figure) in study_figures(study, analyse(study)).items()}


def test_every_figure_can_be_read_at_the_width_of_a_paper(drawn_figures: dict[str, Figure]) -> None:
    assert {"trends", "category_shares", "split_1", "transitions_1", "agreement", "agreement_pairs"} <= set(
        drawn_figures
    )
    assert {stem: found for stem, figure in drawn_figures.items() if (found := faults(figure))} == {}


@pytest.mark.parametrize("annotators", [2, 3, 7, 8, 15, 25])
def test_pairs_of_many_annotators_fit(annotators: int) -> None:
    table = {str(item): {f"a{n:02}": "xy"[(item * n) % 2] for n in range(annotators)} for item in range(6)}
    found = agreement(table, "nominal", 20, 0.95, generator(1))
    assert faults(pair_heat_map(found.pairwise, "cohen", "Pairs", "a:b")) == []


@pytest.mark.parametrize("size", [1, 2, 5, 13, 30, 60])
def test_confusion_of_many_labels_fits(size: int) -> None:
    counts = np.full((size, size), 1234)
    assert faults(confusion_map(counts, [f"label {n}" for n in range(size)], ("ann", "bob"), "C", "a:b")) == []


LONG = "OLMo-2-1124-7B stage1-step1000-tokens5B, unpatched to OLMo-2-1124-7B stage2-step11931-tokens50B, patched"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
def test_a_long_title_leaves_the_cells_their_height(size: int) -> None:
    """Neither does a title of many lines lie over the cells, nor do their rows become too low for a line."""
    taxonomy = load_taxonomy()
    found = Transitions(
        taxonomy.ids[:size], np.ones((size, size)), np.ones((size, size)), np.ones((1, size)), np.ones(1)
    )
    figure = transition_map(taxonomy, found, LONG, "split:flow+share|units:45|decided:34|clusters:25|boot:200|v:0.1.0")
    assert rendered(figure, "png").startswith(b"\x89PNG")
    assert faults(figure) == []
    (panel,) = figure.axes
    box = panel.get_window_extent()
    assert box.height / figure.dpi / size > LINE
    title = figure.texts[0].get_window_extent()
    assert title.y0 > panel.title.get_window_extent().y0
    assert title.y0 > box.y1


def test_names_that_begin_alike_are_told_apart() -> None:
    names = ["OLMo-2-1124-7B stage1-step1000-tokens5B", "OLMo-2-1124-7B stage1-step928646-tokens3896B", "short"]
    assert shortened(names) == ["…step1000-tokens5B", "…step928646-tokens3896B", "short"]
    assert shortened([LONG, LONG, "OLMo"]) == ["OLMo-2-1124-7B stage1-s…", "OLMo-2-1124-7B stage1-s…", "OLMo"]
    assert shortened(["x" * 30, "x" * 30 + "y" + "z" * 90]) == ["…xxxxxxxx", "…xxxxxxxxy" + "z" * 13 + "…"]


def test_names_that_end_alike_after_other_beginnings_are_numbered() -> None:
    names = [letter * 30 + end for letter in "ab" for end in ("-1", "-2")]
    assert shortened(names) == ["…1 (1)", "…2 (1)", "…1 (2)", "…2 (2)"]


@given(st.lists(st.text("ab -", max_size=90), max_size=8))
def test_different_names_stay_different(names: list[str]) -> None:
    shown = shortened(names)
    assert all(len(one) <= LONGEST for one in shown)
    for (whole, a), (other, b) in itertools.combinations(zip(names, shown, strict=True), 2):
        assert (whole == other) == (a == b)


def test_faults_are_found() -> None:
    """The check itself."""
    figure = Figure(figsize=(5, 2))
    figure.text(0.9, 0.5, "beyond the right edge", fontsize=6)
    panel = figure.subplots()
    panel.set_xticks([0.5, 0.51], ["first", "second"])
    assert {one.split(":")[0].split(" ")[0] for one in faults(figure)} == {"width", "6.0", "over", "labels"}


# --- fonts -----------------------------------------------------------------------------------------------


def test_what_no_font_has_is_spelled_out() -> None:
    assert drawn("Wort слово λέξη كلمة") == "Wort слово λέξη كلمة"  # DejaVu Sans holds them
    assert drawn("a\U0001f9ffb") == "a⟨U+1F9FF⟩b" or 0x1F9FF in house_style._signs()
    assert drawn("\U00012000\U00012001.") == "⟨U+12000 12001⟩."  # cuneiform
    assert drawn("a\u202eb") == "a⟨U+202E⟩b"


@pytest.fixture
def font_of_one_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A TrueType font that holds one cuneiform sign, installed as one of SCRIPTS."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "sign"])
    builder.setupCharacterMap({0x12000: "sign"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((400, 250))
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf({".notdef": glyph, "sign": glyph})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "sign": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "One Sign", "styleName": "Regular", "psName": "OneSign"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "one.ttf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "one.ttf")
    monkeypatch.setattr(house_style, "SCRIPTS", ("One Sign",))
    monkeypatch.setitem(house_style.STYLE, "font.family", list(house_style._faces()))
    house_style._signs.cache_clear()
    yield
    font_manager.fontManager.ttflist = before
    house_style._signs.cache_clear()


@pytest.mark.usefixtures("font_of_one_sign")
def test_an_installed_font_draws_what_the_first_lacks() -> None:
    assert drawn("\U00012000\U00012001") == "\U00012000⟨U+12001⟩"
    with matplotlib.rc_context(house_style.STYLE):
        figure = Figure(figsize=(ONE, 1))
        frame(figure, "\U00012000 and Latin", "a:b")
    assert b"OneSign" in rendered(figure, "pdf")


@pytest.mark.system
def test_fonts_are_embedded_as_truetype(drawn_figures: dict[str, Figure], tmp_path: Path) -> None:
    assert shutil.which("pdffonts"), "no pdffonts; run `make system`"
    for stem, figure in drawn_figures.items():
        (tmp_path / f"{stem}.pdf").write_bytes(rendered(figure, "pdf"))
        listed = subprocess.run(
            ["pdffonts", str(tmp_path / f"{stem}.pdf")], capture_output=True, text=True, check=True, timeout=60
        )
        lines = listed.stdout.splitlines()[2:]
        assert lines
        assert all("TrueType" in line and line.split()[-5] == "yes" for line in lines), listed.stdout


def test_a_figure_is_the_same_whatever_the_last_bits_of_its_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver of layouts goes by addresses in memory; the ids of an svg are made of positions."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    def drawn_with(noise: float) -> bytes:
        plain = ConstrainedLayoutEngine.execute

        def execute(engine: ConstrainedLayoutEngine, figure: Figure) -> Any:
            found = plain(engine, figure)
            for panel in figure.axes:
                panel._set_position([value + noise for value in panel.get_position(original=True).bounds])  # type: ignore[attr-defined]
            return found

        with monkeypatch.context() as patch, matplotlib.rc_context(house_style.STYLE):
            patch.setattr(ConstrainedLayoutEngine, "execute", execute)
            figure = Figure(figsize=(ONE, 2.0))
            figure.subplots().plot([1, 2], [3, 5])
            frame(figure, "Title", "a:b")
            return rendered(figure, "svg")

    assert drawn_with(0.0) == drawn_with(1e-14)
    assert drawn_with(0.0) != drawn_with(1e-2)
