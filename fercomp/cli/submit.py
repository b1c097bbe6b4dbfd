"""`fercomp submit`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercomp.cli.on_kaggle import asked
from fercomp.cli.options import Set, Yes, model_option, open_workspace
from fercomp.cli.words import say_next, tell

if TYPE_CHECKING:
    from fercomp.core.paths import Workspace
    from fercomp.kaggle.submissions.submit import Outcome


_Csv = Annotated[
    Path | None,
    typer.Argument(metavar="CSV", help="What to send.", show_default="written last into submissions/"),
]
_Message = Annotated[
    str | None,
    typer.Option(
        "--message",
        "-m",
        metavar="TEXT",
        help="What Kaggle shows beside it.",
        show_default="the model and its holdout accuracy",
    ),
]
_Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Send even if this file was sent and scored before, or comes from the drawn demo.",
    ),
]
_NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait for the score, nor, with --kernel, for the kernel.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything but send.")]
_Kernel = Annotated[
    bool,
    typer.Option(
        "--kernel", help="For a code competition: predict in a private kernel, and submit what it leaves."
    ),
]
_Model = Annotated[str | None, model_option("trained last", "With --kernel: the model.", names=("--model",))]


def submit(
    csv: _Csv = None,
    message: _Message = None,
    force: _Force = False,
    no_wait: _NoWait = False,
    dry_run: _DryRun = False,
    kernel: _Kernel = False,
    model: _Model = None,
    yes: Yes = False,
    set_: Set = None,
) -> None:
    """Send a CSV to Kaggle, wait for its score, and write both down in submissions/history.csv.

    The CSV is checked against the sample submission. The same bytes are not sent twice: a tag in the message
    tells them, also after a lost answer or a kill. The same command then goes on from there.

    A code competition takes no CSV. With --kernel, predict and submission run at Kaggle without internet; the
    model travels as a private dataset.

    \b
    Examples:
      fercomp submit
      fercomp submit submissions/vote.csv -m "three networks"
      fercomp submit --dry-run
      fercomp submit --kernel --model compact
    """
    from fercomp.core.errors import FercompError
    from fercomp.demo.competition import is_demo

    workspace, params = open_workspace(set_)
    if is_demo(workspace.raw) and not (force or dry_run):
        raise FercompError(
            "the photos here are the drawn demo, which Kaggle does not know: `fercomp fetch --source kaggle` "
            "brings the competition's; --dry-run does everything but send"
        )
    if kernel and csv is not None:
        raise FercompError(f"--kernel submits what a model predicts at Kaggle: leave out {csv}")
    if not kernel and (model is not None or yes):
        raise FercompError("--model and --yes are for --kernel: name the CSV, such as submissions/NAME.csv")
    how = {"force": force, "wait": not no_wait, "dry_run": dry_run}
    if kernel:
        from fercomp.modeling.bundle.find import resolve_model
        from fercomp.stages.at_kaggle.code_submission import submit_by_kernel

        folder = resolve_model(model, workspace)
        _say(submit_by_kernel(folder, workspace, params, lambda: yes or asked(), message=message, **how))
    else:
        _submit_file(csv, message, workspace, params.fetch.competition, how)


def _submit_file(
    csv: Path | None, message: str | None, workspace: "Workspace", competition: str, how: dict[str, bool]
) -> None:
    from fercomp.kaggle.client.credentials import find_credentials
    from fercomp.kaggle.submissions.candidate import choose
    from fercomp.kaggle.submissions.submit import submit as send

    chosen = choose(csv, message, workspace)
    tell(f"{chosen.path}: {chosen.rows:,} rows, as in the sample; message: {chosen.message}")
    if how["dry_run"] and find_credentials(os.environ, Path.home()) is None:
        tell(
            "Kaggle was not asked: no credentials (whether it was sent before, and how many submissions are "
            "left, is unknown)"
        )
        return
    _say(send(chosen, workspace, competition, **how))


def _say(outcome: "Outcome") -> None:
    if outcome.page:
        tell(f"the kernel runs at Kaggle, nothing is submitted yet: {outcome.page}")
        say_next("the same command, which submits what it leaves", "fercomp kernels")
        return
    if outcome.resumed:
        tell("it was sent by an earlier run")
    else:
        left = "an unknown number of" if outcome.left is None else outcome.left
        tell(f"{left} submissions were left at Kaggle")
    if outcome.ref is None:
        tell("a dry run: nothing was sent")
    elif outcome.score is None:
        tell(f"sent as {outcome.ref}; `fercomp submissions` shows the score when it is there")
    else:
        public, private = outcome.score.public, outcome.score.private
        tell(f"public score {public or 'not shown'}, private score {private or 'not shown yet'}")
