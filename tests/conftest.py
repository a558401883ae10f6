"""What tests of every folder share: modules by their place, the command, the hostile outputs, and one Chromium."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from socketserver import BaseServer
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


@cache
def _module(file: Path) -> ModuleType:
    """A module of tests, which are no package; loaded once."""
    spec = importlib.util.spec_from_file_location(f"tests_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
HOSTILE: dict[str, str] = _module(HERE / "annotation" / "hostile.py").HOSTILE


@pytest.fixture(scope="session")
def paper() -> ModuleType:
    """What sets tables in LaTeX and reads them back: tests/paper.py."""
    return _module(HERE / "paper.py")


@pytest.fixture(scope="session")
def module_of() -> Callable[[Path], ModuleType]:
    """module_of(path): a file of tests as a module, the same one for all."""
    return _module


@pytest.fixture(scope="session")
def benchmark() -> Callable[[str], ModuleType]:
    """benchmark(name): the module benchmarks/<name>.py, which finds its neighbours as it does when it is run."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(HERE.parent / "benchmarks")
            return import_module(name)

    return load


@pytest.fixture(scope="session")
def gainsift_command() -> list[str]:
    """What a person types as `gainsift`; arguments follow. By this Python, whatever is installed."""
    return [sys.executable, "-c", "from gainsift.cli.main import main; main()"]


@pytest.fixture(scope="session")
def gainsift(gainsift_command: list[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """gainsift(*arguments, timeout=120, **environment): the command in a process of its own, to its end."""

    def run(*arguments: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*gainsift_command, *arguments],
            env={**os.environ, **environment}, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def answering() -> Iterator[Callable[[BaseServer], None]]:
    """Has a server answer on a thread of its own until the test is over."""
    with ExitStack() as ends:

        def begin(server: BaseServer) -> None:
            thread = Thread(target=server.serve_forever)
            thread.start()
            for end in (thread.join, server.server_close, server.shutdown):
                ends.callback(end)

        yield begin


@pytest.fixture(scope="session")
def hostile() -> dict[str, str]:
    """Every hostile output by the name of its kind."""
    return dict(HOSTILE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which can reach nothing but 127.0.0.1."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "no Chromium: run `make system`"
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page, what it asked of others than this disk, and what should never happen: complaints, dialogs, windows."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        size = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(size))


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Opened]]:
    """open_page(path, width=1280, **context options): a file in a window of that width, with nothing else at hand."""
    contexts = []

    def open_file(path: Path, width: int = 1280, **options: Any) -> Opened:
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, **options))
        found = Opened(contexts[-1].new_page())

        def dismiss(dialog: Any) -> None:
            found.complaints.append(f"dialog {dialog.message}")
            dialog.dismiss()

        def ask(request: Any) -> None:
            if not request.url.startswith(("file:", "data:")):
                found.asked.append(request.url)

        def hear(message: Any) -> None:
            if message.type in ("error", "warning"):
                found.complaints.append(message.text)

        found.page.on("request", ask)
        found.page.on("dialog", dismiss)
        found.page.on("console", hear)
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("popup", lambda window: found.complaints.append(f"window {window.url}"))
        found.page.goto(path.as_uri())
        found.page.wait_for_load_state("load")
        return found

    yield open_file
    for context in contexts:
        context.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `hostile_output` runs once for each of them."""
    if "hostile_output" in metafunc.fixturenames:
        metafunc.parametrize("hostile_output", HOSTILE.values(), ids=HOSTILE.keys())
