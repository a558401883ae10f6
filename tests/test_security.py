"""What docs/security.md promises of the code itself: no way to run what is read, no secret in what is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from gainsift.schemas.campaign import Annotator
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.model import CheckpointSpec, ModelSpec

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("schemas", "generation", "annotation", "analysis", "cli")
UNPICKLERS = {"pickle", "cPickle", "shelve", "dill", "marshal", "joblib", "cloudpickle", "jsonpickle"}
CALLS = {
    "eval", "exec", "compile", "os.system", "os.popen", "os.execv", "os.execvp", "pty.spawn", "tempfile.mktemp",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "yaml.Loader", "yaml.UnsafeLoader",
    "pd.read_pickle", "pandas.read_pickle", "pd.eval", "logging.config.listen", "ast.literal_eval",
    "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
"""Run what they are given, or build objects from it."""
GIVEN = {"shell": True, "allow_pickle": True, "weights_only": False, "trust_remote_code": True, "verify": False}
"""Arguments that no call may be given as a constant."""


def dangers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of whatever could run what is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
            yield from ((node.lineno, name) for name in names if name in UNPICKLERS)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in UNPICKLERS:
            yield node.lineno, str(node.module)
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "yaml", "tempfile", "ast"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((node.lineno, name) for name in names if name in CALLS)
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = ast.unparse(node.func)
    given = {one.arg: one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)}
    if name in CALLS:
        yield node.lineno, name
    for argument, value in GIVEN.items():
        if argument in given and given[argument] is value:
            yield node.lineno, f"{name}({argument}={value})"
    if name == "torch.load" and given.get("weights_only") is not True:
        yield node.lineno, "torch.load without weights_only=True"
    if name.rpartition(".")[2] == "Environment" and given.get("autoescape") is not True:
        yield node.lineno, f"{name} without autoescape=True"
    if name == "__import__" and node.args and not isinstance(node.args[0], ast.Constant | ast.Name):
        yield node.lineno, name


def test_nothing_that_is_read_can_run() -> None:
    for stage in STAGES:
        for path in (ROOT / stage).rglob("*.py"):
            assert not [f"{path}:{line}: {name}" for line, name in dangers(ast.parse(path.read_text("utf-8")))]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from pickle import loads", "import joblib.numpy_pickle", "eval(x)", "exec(x)",
        "yaml.load(x, y)", "from yaml import unsafe_load", "torch.load(p)", "torch.load(p, weights_only=False)",
        "np.load(p, allow_pickle=True)", "subprocess.run(x, shell=True)", "os.system(x)", "pd.read_pickle(x)",
        "AutoModel.from_pretrained(p, trust_remote_code=True)", "jinja2.Environment()", "httpx.Client(verify=False)",
    ],
)  # fmt: skip
def test_a_danger_is_seen(text: str) -> None:
    assert list(dangers(ast.parse(text)))


def test_code_of_a_model_is_run_only_when_study_yaml_says_so() -> None:
    assert ModelSpec.model_fields["trust_remote_code"].default is False
    template = next((ROOT / "cli").rglob("*study*.yaml"), None) or next(ROOT.rglob("templates/study*.yaml"))
    assert not re.search(r"^\s*trust_remote_code:\s*true", template.read_text("utf-8"), re.M)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/etc/passwd", ".hidden", "a\x1b[2J", "a\nb", "-rf", "\u202ea", "", "a\0"]
)
def test_names_that_become_files_are_plain(name: str) -> None:
    for make in (
        lambda: CheckpointSpec(name=name, path="x"),
        lambda: Annotator(name=name),
        lambda: StudyConfig.model_validate({
            "name": name, "model": {"name": "m", "checkpoints": [{"name": "c", "path": "x"}]},
            "trained_languages": ["en"], "language_pairs": [["en", "de"]],
        }),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            make()
