"""The study's own Label Studio, as `gainsift annotate serve` runs it."""

from __future__ import annotations

import json
import urllib.request


def test_it_answers(label_studio) -> None:
    request = urllib.request.Request(
        f"{label_studio.url}/api/current-user/whoami", headers={"Authorization": f"Token {label_studio.token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["email"] == label_studio.accounts["lead"].email


def test_restart_after_kill(new_label_studio) -> None:
    server = new_label_studio()
    token, url = server.token, server.url
    server.kill()
    server.restart()
    assert (server.token, server.url) == (token, url)
