"""The demo's figures as a paper takes them: their width and their fonts. `make system` installs what reads them."""

from __future__ import annotations

import re
import subprocess

import pytest

from gainsift.analysis.house_style import ONE, TWO
from gainsift.schemas.study import Study

pytestmark = pytest.mark.demo


def test_every_figure_has_the_width_of_a_paper_and_its_fonts(study: Study) -> None:
    drawn = sorted(study.report_folder.glob("figures/*.pdf"))
    assert len(drawn) > 15
    for figure in drawn:
        told, fonts = (
            subprocess.run([program, str(figure)], capture_output=True, text=True, check=True, timeout=60).stdout
            for program in ("pdfinfo", "pdffonts")
        )
        width = re.search(r"Page size: +([\d.]+) x", told)
        assert width is not None
        assert float(width[1]) / 72 in (pytest.approx(ONE), pytest.approx(TWO)), figure.stem
        assert all("TrueType" in line and line.split()[-5] == "yes" for line in fonts.splitlines()[2:]), fonts
