"""`gainsift`: joins the commands and turns errors into one line and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gainsift.cli import (
    agreement,
    analyze,
    annotate,
    checkpoints,
    concepts,
    demo,
    doctor,
    emergence,
    export,
    generate,
    generation_status,
    import_clap,
    init,
    lock,
    power,
    release,
    trace,
)
from gainsift.cli.terminal import Console, say
from gainsift.schemas.errors import OF_THE_DISK, GainsiftError, unwritable

# Idle threads of numerical libraries sleep instead of spinning: on a shared machine that is several times faster.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


UsageError: Any = typer.BadParameter.__mro__[1]
"""What is raised for arguments that do not fit: click's own, or that of the click which Typer brings along."""


class InWorkOrder(TyperGroup):
    """Lists the commands in the order in which a study needs them."""

    order = (
        "demo",
        "init",
        "concepts",
        "checkpoints",
        "lock",
        "generate",
        "status",
        "import",
        "emergence",
        "annotate",
        "analyze",
        "trace",
        "agreement",
        "export",
        "release",
        "power",
        "doctor",
    )

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=self.order.index)


app = typer.Typer(
    name="gainsift",
    cls=InWorkOrder,
    help="Sift apparent translation gains of language models into real gains and shifts in behaviour.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"gainsift {metadata.version('gainsift')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if debug:
        os.environ["GAINSIFT_DEBUG"] = "1"


app.command("init")(init.init)
app.add_typer(concepts.app, name="concepts")
app.command("lock")(lock.lock)
app.command("checkpoints")(checkpoints.checkpoints)
app.command("generate")(generate.generate_command)
app.command("status")(generation_status.generation_status)
app.add_typer(import_clap.app, name="import")
app.add_typer(annotate.app, name="annotate")
app.command("emergence")(emergence.emergence)
app.command("analyze")(analyze.analyze)
app.command("trace")(trace.trace)
app.command("agreement")(agreement.agreement)
app.command("power")(power.power)
app.command("export")(export.export)
app.command("release")(release.release)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Entry point: exit 2 for the user's mistake, 1 for failed work, one line each, no traceback without --debug."""
    try:
        code = app(standalone_mode=False, prog_name="gainsift")
        sys.exit(code if isinstance(code, int) else 0)
    except UsageError as error:
        _say_usage(error)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except GainsiftError as error:
        _failed(error, str(error), error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as in `gainsift … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            _failed(error, str(unwritable(Path(error.filename or "the disk"), error)), 1)
        line = " ".join(f"{type(error).__name__}: {error}".split())
        _failed(error, f"{line}; this is a defect of gainsift: run again with --debug and report the traceback", 1)


def _failed(error: Exception, line: str, code: int) -> NoReturn:
    """End with the line and the exit status, and with --debug the traceback before them."""
    if os.environ.get("GAINSIFT_DEBUG"):
        traceback.print_exception(error)
    _say(line)
    sys.exit(code)


def _say_usage(error: Any) -> None:
    """One line, or the whole help where a command was given nothing at all."""
    if type(error).__name__ == "NoArgsIsHelpError":
        say(error.ctx.get_help())
        return
    where = error.ctx.command_path if error.ctx else "gainsift"
    told = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    _say(f"{where}: {told}; `{where} --help` shows what there is")


def _say(line: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"error: {line}")
