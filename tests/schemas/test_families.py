"""Word families: which concepts one cluster holds."""

from __future__ import annotations

from gainsift.schemas.concepts import Concept
from gainsift.schemas.families import word_families


def concept(name: str, en: str, de: str, accepted: str = "") -> Concept:
    forms = {"en": [accepted]} if accepted else {}
    return Concept(id=name, gloss=name, reference={"en": [en], "de": [de]}, accepted=forms)


def test_concepts_that_share_a_headword_are_one_family() -> None:
    """bank and shore share English `bank`, shore and edge share German `Ufer`; gift and poison share a spelling in
    two languages only, accepted forms join nothing."""
    found = word_families(
        [
            concept("shore", "Bank", "Ufer"),
            concept("bank", "bank", "Bank"),
            concept("edge", "edge", "ufer"),
            concept("gift", "gift", "Geschenk"),
            concept("poison", "poison", "Gift", accepted="gift"),
        ]
    )
    assert found == {"shore": "bank", "bank": "bank", "edge": "bank", "gift": "gift", "poison": "poison"}
