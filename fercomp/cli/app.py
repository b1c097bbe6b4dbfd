"""`fercomp`: its commands, and what a user sees when one of them fails.

Only Typer and the command modules are imported here. A command imports its library when it runs, so
that `fercomp --help` answers at once.
"""

import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from fercomp.cli.annotate import annotate
from fercomp.cli.bench import bench
from fercomp.cli.command import Command, Commands
from fercomp.cli.crossval import crossval
from fercomp.cli.demo import demo
from fercomp.cli.distill import distill
from fercomp.cli.doctor import doctor
from fercomp.cli.ensemble import ensemble
from fercomp.cli.evaluate import evaluate
from fercomp.cli.export import export
from fercomp.cli.fetch import fetch
from fercomp.cli.kernels import kernels
from fercomp.cli.leaderboard import leaderboard
from fercomp.cli.live import live
from fercomp.cli.models import models
from fercomp.cli.predict import predict
from fercomp.cli.prepare import prepare
from fercomp.cli.refit import refit
from fercomp.cli.relabel import relabel
from fercomp.cli.report import report
from fercomp.cli.repro import repro
from fercomp.cli.review import review
from fercomp.cli.robustness import robustness
from fercomp.cli.study import study
from fercomp.cli.submission import submission
from fercomp.cli.submissions import submissions
from fercomp.cli.submit import submit
from fercomp.cli.train import train
from fercomp.cli.uncertain import uncertain
from fercomp.core.errors import FercompError
from fercomp.core.files import is_disk_full
from fercomp.core.progress import close_bars
from fercomp.core.terminal import one_line, show_bug, use_what_there_is
from fercomp.core.version import __version__

COMMANDS: Final[Mapping[str, tuple[Callable[..., Any], ...]]] = {
    "Pipeline": (fetch, prepare, train, uncertain, evaluate, predict, submission),
    "Kaggle": (submit, submissions, leaderboard, kernels, repro),
    "Improve": (
        models,
        bench,
        robustness,
        crossval,
        relabel,
        review,
        ensemble,
        distill,
        refit,
        export,
        study,
    ),
    "Show": (report, annotate, live, demo),
    "Help": (doctor,),
}
"""The commands by help panel, each panel in the order of use."""

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 + SIGINT, what Typer turns a `KeyboardInterrupt` into."""

GO_ON: Final = {
    annotate,
    bench,
    crossval,
    distill,
    fetch,
    kernels,
    refit,
    repro,
    review,
    study,
    submit,
    train,
}
"""The commands that go on where they were stopped; others begin anew, and `predict` with its last part."""

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")
for panel, commands in COMMANDS.items():
    for command in commands:
        summary = (command.__doc__ or "").partition("\n")[0]
        app.command(cls=Command, rich_help_panel=panel, short_help=summary)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fercomp {__version__}")
        raise typer.Exit


@app.callback()
def fercomp(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Win a facial-emotion competition, then show the result on photos, videos and a camera."""


def main() -> None:
    """Runs `fercomp` on the command line's arguments.

    A `FercompError`, a current folder that was removed, a full disk, a path that the system refuses, an
    OpenCV that cannot be loaded and a package that is not installed are one red line and exit code 1, Ctrl-C
    is one line and 130. Typer reports wrong usage itself, with 2. Anything else is a bug and keeps its
    traceback.
    """
    use_what_there_is()
    sys.excepthook = show_bug
    try:
        os.getcwd()  # noqa: PTH109 - only asked whether it is there
    except OSError as error:
        _fail(f"the current folder cannot be used ({error.strerror}): `cd` to one that is there")
    try:
        app(prog_name="fercomp")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _say(_stopped(sys.argv[1:]), "yellow")
        raise
    except FercompError as error:
        _fail(str(error))
    except OSError as error:
        if is_disk_full(error):
            _fail(f"the disk is full ({error}): make room, then run the same command again")
        if error.errno not in (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM):
            raise
        _fail(f"{error.strerror}: {str(error.filename)[:80]}: choose another path")
    except ImportError as error:
        # The one package that depends on the system's libraries, and on which extra was installed.
        if error.name == "cv2":
            _fail(f"OpenCV cannot be loaded ({error}): `fercomp doctor` says what to do")
        package = (error.name or "fercomp").partition(".")[0]
        if package == "fercomp" or not isinstance(error, ModuleNotFoundError):
            raise
        _fail(
            f"this needs {package}, which is not installed: all of fercomp, with TensorFlow, comes by "
            "`./run fercomp ...` in the clone, or by pip install '/path/to/the/clone[headless]'; "
            "requirements-show.txt is enough for annotate and live only"
        )


def _stopped(words: Sequence[str]) -> str:
    """Says what becomes of a command that was interrupted, by what was typed after `fercomp`."""
    name = next((word for word in words if not word.startswith("-")), "")
    elsewhere = any(word.partition("=")[0] == "--on" for word in words)
    if elsewhere or name in {command.__name__ for command in GO_ON}:
        return "stopped; what was finished is kept, the same command goes on from there"
    if name == predict.__name__:  # only of many photos there are parts, and none of a shard
        return "stopped; parts that were finished are kept, the same command does the rest"
    return "stopped; nothing half-finished was written, the same command starts again"


def _fail(message: str) -> None:
    _say(f"error: {message}", "red")
    raise SystemExit(1)


def _say(message: str, colour: str) -> None:
    close_bars()
    typer.secho(one_line(" ".join(message.splitlines())), fg=colour, err=True)
