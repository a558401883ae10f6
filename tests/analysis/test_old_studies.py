"""Studies of earlier formats are analysed as they were meant, figure by figure."""

from __future__ import annotations

import shutil
from fractions import Fraction as F
from pathlib import Path

import pytest

from gainsift.analysis.results import analyse
from gainsift.schemas.study import Study

STUDIES = Path(__file__).parent.parent / "schemas"


def test_version_1_knew_no_audit(tmp_path: Path) -> None:
    """Two outputs of one item, drawn with 1/2: both are judged, and nothing was left out by an audit.

    The judgement was made for a study of another id, which is put right in a copy.
    """
    folder = tmp_path / "version_1"
    shutil.copytree(STUDIES / "version_1", folder)
    study = Study.open(folder)
    text = study.annotations_file.read_text("utf-8")
    study.annotations_file.write_text(text.replace('"study": "0123456789ab"', f'"study": "{study.id}"'), "utf-8")
    results = analyse(study)
    shares = {(row["series"], row["category"]): row["share"].point for row in results.tables["shares"].rows}
    assert shares == {("unpatched", "homograph_copy"): 1, ("tgt, layer 2", "homograph_copy"): 1}
    assert results.audit is None
    assert "audit" not in results.tables


def test_version_2_by_hand() -> None:
    """Units weigh one over the joint probability of their items (drawn 1 or 3/5, a reference answer asked with 1/2).

    Gift 1 (gift, Gift); dog 1 / (1/2) = 2 (one item, correct, for both sides); house and hotel 1 / (3/5 * 1/2) = 10/3
    each. N = 29/3. House: an unlisted synonym, then the listed word: success alone moves.
    Hotel: empty, then right. So success rises by 2 * 10/3 / N, the human verdict by half of it, and the other half
    are missed answers. Tree and bank were not drawn; of sun and cat a reference answer was not asked about.
    """
    results = analyse(Study.open(STUDIES / "version_2"))
    (contrast,) = results.contrasts
    parts = {name: estimate.point for name, estimate in contrast.split.parts.items()}
    assert contrast.split.weight == pytest.approx(float(F(29, 3)))
    for name, value in {"apparent": F(20, 29), "human": F(10, 29), "missed": F(10, 29), "undeserved": F(0)}.items():
        assert parts[name] == pytest.approx(float(value), abs=1e-12)
    assert (contrast.split.units, contrast.split.decided, contrast.units.outside) == (4, 4, 4)
    assert results.audit is not None
    assert (results.audit.asked, results.audit.unasked, results.audit.wrong) == (3, 2, 0)
    # Gebäude and Hund where the label was shown; where it was withheld Haus, and Gebäude once more, `unsure`
    whole = results.anchoring[0]
    assert (whole.shown.point, whole.withheld.point, whole.difference.point) == (1, 0.5, 0.5)
    assert results.adjudicated == {"variation": 1, "error": 1}
    assert results.left_out == {
        "control tasks (made-up items with a known answer)": 3,
        "repeated judgements (kept for self-agreement)": 2,
        "items that the audit did not ask about (unjudged, outside the sample)": 2,
        "automatic pre-labels (never count as judgements)": 1,
        "simulated judgements (there are human ones)": 1,
        "tasks skipped by annotators": 1,
        "judgements that did not pass the checks (annotations.jsonl says why)": 1,
        "drafts never submitted": 1,
        "tasks submitted without an answer": 1,
        "judgements of answers that are no item of the plan": 1,
        "judgements `unsure`": 1,
    }
