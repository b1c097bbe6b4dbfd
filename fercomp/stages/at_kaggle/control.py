"""`fercomp kernels`: the runs at Kaggle that were started here, looked at, brought here, and ended."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.locks import locked
from fercomp.core.paths import Workspace
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.competition import Kaggle, connect
from fercomp.kaggle.kernels.calls import (
    AT_WORK,
    KernelStatus,
    delete_kernel,
    find_kernel,
    kernel_output,
    kernel_page,
)
from fercomp.kaggle.kernels.datasets import delete_dataset
from fercomp.kaggle.kernels.following import follow_part, status_of
from fercomp.kaggle.kernels.log_tail import LogTail
from fercomp.kaggle.kernels.pushing import archive_of, is_pushed
from fercomp.kaggle.kernels.runs import RemoteRun, forget_run, read_run, run_file, run_lock, run_names
from fercomp.stages.at_kaggle.remote import pull_run
from fercomp.stages.at_kaggle.results import check_places, nothing_empty

LISTEN = 3.0
"""Seconds in which a kernel that runs sends what it has printed."""


def require_run(name: str, workspace: Workspace) -> RemoteRun:
    """Reads a run.

    Raises:
        FercompError: There is none of that name.
    """
    names = run_names(workspace)
    if not names:
        raise FercompError(
            f"no run {name!r}: no command was run at Kaggle from here; `--on kaggle` starts one"
        )
    run = read_run(name, workspace) if name in names else None
    if run is None:
        raise unknown_name("run", name, names)
    return run


def show_run(name: str, workspace: Workspace) -> tuple[str, str, list[str]]:
    """Asks Kaggle how far a run is.

    Returns:
        Its state, the address of its last kernel, and the last lines that this has printed.
    """
    run = require_run(name, workspace)
    with _signed_in(run, workspace) as kaggle:
        slug = run.parts[-1].slug
        status = status_of(slug, kaggle)
        log = _last_lines(kaggle, slug, status)
        failure = f": {status.failure}" if status.failure else ""
        return f"{status.state}{failure}", kernel_page(kaggle, slug), log


def _last_lines(kaggle: Account, slug: str, status: KernelStatus) -> list[str]:
    if status.state not in AT_WORK:
        return kernel_output(kaggle, slug).log
    with LogTail(kaggle, slug) as log:
        time.sleep(LISTEN)
        return log.new_lines()


def bring_run(name: str, workspace: Workspace) -> tuple[Path, ...]:
    """Brings what a run has left.

    Returns:
        The folders and files that were written.

    Raises:
        FercompError: It is not done, or its results cannot be put in their places.
    """
    run = require_run(name, workspace)
    check_places(run.leaves, workspace)
    with nothing_empty(run.leaves, workspace), _alone(run, workspace), _signed_in(run, workspace) as kaggle:
        state = status_of(run.parts[-1].slug, kaggle).state
        if state in AT_WORK:
            raise FercompError(
                f"{name} is {state}: try again later, or type its command again to wait for it"
            )
        run, manifest, output = follow_part(run, kaggle, workspace)
        if manifest.state == "cut":
            raise FercompError(f"{name} is to go on in another kernel: type `{run.typed}`")
        return pull_run(run, manifest, output, kaggle, workspace)


def cancel_run(name: str, workspace: Workspace) -> list[str]:
    """Ends a run by deleting its kernels and what they read at Kaggle, and forgets it.

    Returns:
        The addresses of the kernels that were deleted.
    """
    run = require_run(name, workspace)
    deleted = []
    with nothing_empty((), workspace), _alone(run, workspace), _signed_in(run, workspace) as kaggle:
        for part in reversed(run.parts):
            if is_pushed(find_kernel(kaggle, part.slug), run, kaggle):
                delete_kernel(kaggle, part.slug)
                deleted.append(kernel_page(kaggle, part.slug))
        if run.dataset:
            delete_dataset(kaggle, run.dataset)
        forget_run(name, workspace)
        archive_of(run, workspace).unlink(missing_ok=True)
    return deleted


@contextmanager
def _signed_in(run: RemoteRun, workspace: Workspace) -> Iterator[Kaggle]:
    """Signs in as the one whose run it is: of another account's kernels nothing is known."""
    with connect(run.competition) as kaggle:
        if kaggle.owner != run.owner:
            raise FercompError(
                f"{run.name} runs at Kaggle for {run.owner}, and these credentials are those of "
                f"{kaggle.owner}: sign in as {run.owner}; to forget it without ending it, remove "
                f"{run_file(run.name, workspace)}"
            )
        yield kaggle


def _alone(run: RemoteRun, workspace: Workspace) -> AbstractContextManager[None]:
    busy = f"another fercomp follows {run.name}: stop it first (the kernel goes on)"
    return locked(run_lock(run.name, workspace), busy)
