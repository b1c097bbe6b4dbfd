"""`fercomp kernels`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercomp.cli.words import say_next, tell

if TYPE_CHECKING:
    from fercomp.core.paths import Workspace


def kernels(
    action: Annotated[
        Literal["list", "show", "pull", "cancel"], typer.Argument(metavar="ACTION", help="What to do.")
    ] = "list",
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A run, as `list` calls it.", show_default="the only one"),
    ] = None,
) -> None:
    """Look after the kernels at Kaggle that --on kaggle has started.

    `list` shows what is known of them here, `show` asks Kaggle and gives the last lines of the log, `pull`
    brings what is done, `cancel` ends a run: it deletes its kernels there, and what was uploaded for them.

    \b
    Examples:
      fercomp kernels
      fercomp kernels show train-compact
      fercomp kernels pull train-compact
      fercomp kernels cancel train-compact
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.kaggle.kernels.calls import LAST_LINES
    from fercomp.kaggle.kernels.runs import run_names
    from fercomp.stages.at_kaggle.control import bring_run, cancel_run, show_run

    workspace = Workspace()
    names = run_names(workspace)
    if action == "list":
        _list(names, workspace)
        return
    if name is None and len(names) != 1:
        raise FercompError(f"which run? expected one of {', '.join(names) or 'none'}")
    name = name or names[0]
    if action == "show":
        state, page, log = show_run(name, workspace)
        tell(f"{name}: {state}, {page}", *(f"  {line}" for line in log[-LAST_LINES:]))
    elif action == "pull":
        tell(*(f"{path}: from the run {name}" for path in bring_run(name, workspace)))
    else:
        tell(*(f"deleted {page}" for page in cancel_run(name, workspace)), f"{name} is ended")


def _list(names: Sequence[str], workspace: "Workspace") -> None:
    """Says what is known of runs here; one that is damaged is told when all others were."""
    from fercomp.core.errors import FercompError
    from fercomp.kaggle.kernels.calls import CODE_PAGE
    from fercomp.stages.at_kaggle.control import require_run

    damaged: list[FercompError] = []
    for name in names:
        try:
            run = require_run(name, workspace)
        except FercompError as error:
            damaged.append(error)
            continue
        part = run.parts[-1]
        known = "here" if run.pulled else part.state
        tell(f"{run.name}: {known}, kernel {len(run.parts)}, {CODE_PAGE}/{run.owner}/{part.slug}")
    if damaged:
        raise damaged[0]
    if not names:
        tell("no command was run at Kaggle from here")
        say_next("fercomp train --on kaggle")
