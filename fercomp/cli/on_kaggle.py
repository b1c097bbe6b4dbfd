"""How commands run at Kaggle, and what they say of it."""

import sys
from typing import TYPE_CHECKING

import typer

from fercomp.cli.words import say_next, tell

if TYPE_CHECKING:
    from fercomp.stages.at_kaggle.jobs import Job


def run_on_kaggle(job: "Job", yes: bool, no_wait: bool, anew: bool = False, again: str = "") -> bool:
    """Runs a command at Kaggle.

    Args:
        job: The command.
        yes: Do not ask before the first kernel.
        no_wait: Do not wait for its end.
        anew: Run it though it has run.
        again: What to type to find it again; by default its command, option and name.

    Returns:
        Whether its results are here.
    """
    from fercomp.core.paths import Workspace
    from fercomp.stages.at_kaggle.remote import run_remote

    outcome = run_remote(job, Workspace(), lambda: yes or asked(), wait=not no_wait, anew=anew)
    if outcome.files is None:
        tell(f"{job.name} runs at Kaggle: {outcome.page}")
        again = again or f"fercomp {' '.join(job.words[:3])} --on kaggle, with the same options"
        say_next(again, f"fercomp kernels show {job.name}")
        return False
    tell(*(f"{path}: from {outcome.page}" for path in outcome.files))
    return True


def asked() -> bool:
    """Asks before the first kernel; without a terminal nobody can be asked, which is an error."""
    from fercomp.core.errors import FercompError

    if not sys.stdin.isatty():
        raise FercompError("nobody can be asked here whether to push a kernel: add --yes")
    return typer.confirm("Push it?", err=True)
