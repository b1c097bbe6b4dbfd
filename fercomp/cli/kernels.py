"""`fercomp kernels`."""

from enum import StrEnum
from typing import Annotated

import typer

from fercomp.cli.words import say_next, tell


class KernelAction(StrEnum):
    """What is done with a run."""

    LIST = "list"
    SHOW = "show"
    PULL = "pull"
    CANCEL = "cancel"


def kernels(
    action: Annotated[KernelAction, typer.Argument(help="What to do.")] = KernelAction.LIST,
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
    from fercomp.kaggle.kernel_runs import run_names
    from fercomp.kaggle.kernels import CODE_PAGE, LAST_LINES
    from fercomp.stages.kernels import bring_run, cancel_run, require_run, show_run

    workspace = Workspace()
    names = run_names(workspace)
    if action is KernelAction.LIST:
        damaged: list[FercompError] = []
        for each in names:
            try:
                run = require_run(each, workspace)
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
        return
    if name is None and len(names) != 1:
        raise FercompError(f"which run? expected one of {', '.join(names) or 'none'}")
    name = name or names[0]
    if action is KernelAction.SHOW:
        state, page, log = show_run(name, workspace)
        tell(f"{name}: {state}, {page}")
        for line in log[-LAST_LINES:]:
            tell(f"  {line}")
    elif action is KernelAction.PULL:
        for path in bring_run(name, workspace):
            tell(f"{path}: from the run {name}")
    else:
        for page in cancel_run(name, workspace):
            tell(f"deleted {page}")
        tell(f"{name} is ended")
