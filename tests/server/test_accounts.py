"""Pseudonyms, addresses, and the private map."""

from __future__ import annotations

import re

import pytest

from gainsift.annotation.accounts import Account, accounts, keep_private, new_password
from gainsift.schemas.errors import UserError


def with_map(study, text: str):
    study.private_folder.mkdir(exist_ok=True)
    (study.private_folder / "annotators.yaml").write_text(text, "utf-8")
    return study


def test_addresses_come_from_the_private_map_or_are_made_up(empty_study) -> None:
    study = empty_study("ann", "Ben-2")
    assert accounts(study) == [
        Account("lead", "lead@annotators.example", True),
        Account("ann", "ann@annotators.example", False),
        Account("Ben-2", "ben-2@annotators.example", False),
    ]
    with_map(study, "ann: {name: Änne Groß, email: Aenne.Gross@Uni.Example}\nlead: {email: boss@uni.example}\n")
    assert [account.email for account in accounts(study)] == [
        "boss@uni.example",
        "aenne.gross@uni.example",  # the log-in form lowers what is typed
        "ben-2@annotators.example",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann: {name: Anna Secret}", r"key 'ann\.email' is missing"),
        ("ann: {email: nobody}", r"'ann\.email'"),
        ("ann: {email: 'a b@uni.example'}", r"'ann\.email'"),
        ("ann: {email: a@uni.example, phone: 12}", r"unknown key 'ann\.phone'"),
        ("anne: {email: secret@uni.example}", r"'anne' is no annotator of study\.yaml; did you mean ann\?"),
        ("ann: {email: x@uni.example}\nben: {email: X@UNI.example}", r"'ann' and 'ben' have the same address"),
        ("ann: {email: ben@annotators.example}", r"'ann' and 'ben' have the same address"),
        ("- ann", r"write `PSEUDONYM: \{name: \.\.\., email: \.\.\.\}`"),
        ("ann: [", r"annotators\.yaml:1: not YAML"),
        ("ann: {email: a@uni.example}\nann: {email: b@uni.example}", r"annotators\.yaml:2: .*key 'ann' stands twice"),
    ],
)
def test_a_faulty_map_is_refused_by_file_and_key_without_its_secrets(empty_study, text, expected) -> None:
    study = with_map(empty_study("ann", "ben"), text)
    with pytest.raises(UserError, match=expected) as caught:
        accounts(study)
    assert str(caught.value).startswith(str(study.private_folder / "annotators.yaml"))
    assert "Secret" not in str(caught.value)
    assert "secret@" not in str(caught.value)
    assert "uni.example" not in str(caught.value)


def test_an_empty_map_says_nothing(empty_study) -> None:
    study = with_map(empty_study("ann"), "# nobody yet\n")
    assert accounts(study)[1].email == "ann@annotators.example"


def test_passwords_are_long_legible_and_differ() -> None:
    words = {new_password() for _ in range(200)}
    assert len(words) == 200
    for word in words:
        assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", word)
        assert not set(word) & set("il1o0")


def test_an_existing_gitignore_keeps_its_lines(empty_study) -> None:
    study = empty_study("ann")
    file = study.folder / ".gitignore"
    file.write_text("*.log\n/private/\nreport")  # its last line has no end
    keep_private(study)
    keep_private(study)
    assert file.read_text() == "*.log\n/private/\nreport\n/label-studio/\n"
