"""A kernel that runs, followed to its end."""

import hashlib
import json
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.polling import paced
from fercomp.core.progress import say
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.refusals import Refused, Unanswered
from fercomp.kaggle.kernels.calls import (
    AT_WORK,
    LAST_LINES,
    KernelOutput,
    KernelStatus,
    kernel_output,
    kernel_page,
    kernel_status,
)
from fercomp.kaggle.kernels.log_tail import LogTail
from fercomp.kaggle.kernels.outputs import MANIFEST, Manifest, read_manifest
from fercomp.kaggle.kernels.runs import RemoteRun, brought_folder, write_run

POLL_KERNEL = 10.0
LONGEST_KERNEL_POLL: Final = 60.0
"""Seconds between two questions how far a kernel is: at first, and at the most."""

UNANSWERED: Final = 30
"""How often in a row that question may stay without an answer."""

REFUSED: Final = 5
"""How often in a row it may be refused: a kernel that was just pushed may not be known everywhere."""

LOOKS: Final = 6
"""How often it is looked for the manifest of a kernel that has just ended."""


def follow_part(
    run: RemoteRun, kaggle: Account, workspace: Workspace
) -> tuple[RemoteRun, Manifest, KernelOutput]:
    """Waits for the end of a run's last kernel.

    Returns:
        The run with what became of it, what the kernel says that it has left, and where that is.

    Raises:
        FercompError: It failed, or got no further than the kernel before it; or Kaggle does not answer.
    """
    slug = run.parts[-1].slug
    status = _wait(slug, kaggle)
    if status.state != "complete":
        raise _failed(run, status, kernel_output(kaggle, slug), kaggle, workspace)
    for _ in paced(POLL_KERNEL, patience=LOOKS * POLL_KERNEL):
        output = kernel_output(kaggle, slug)
        if MANIFEST in output.files:
            break
    manifest = read_manifest(kaggle, slug, run.run, output, brought_folder(workspace))
    return _written_down(run, manifest, workspace), manifest, output


def _wait(slug: str, kaggle: Account) -> KernelStatus:
    with LogTail(kaggle, slug) as log:
        return _ask_until_ended(slug, kaggle, log)


def _ask_until_ended(slug: str, kaggle: Account, log: LogTail) -> KernelStatus:
    before, pace = "", paced(POLL_KERNEL, LONGEST_KERNEL_POLL)
    while True:
        next(pace)
        status = status_of(slug, kaggle, UNANSWERED)
        if status.state != before:
            say(f"{slug}: {status.state}")
            before, pace = status.state, paced(POLL_KERNEL, LONGEST_KERNEL_POLL)
            next(pace)  # its first turn, which is at once
        for line in log.new_lines():
            say(f"  {line}")
        if status.state not in AT_WORK:
            return status


def status_of(slug: str, kaggle: Account, unanswered: int = 0) -> KernelStatus:
    """Asks how far a kernel is; where that is refused, a few times more.

    Args:
        slug: The kernel's.
        kaggle: The account.
        unanswered: How often in a row the question may stay without an answer.

    Raises:
        FercompError: Kaggle does not show the kernel, or does not answer.
    """
    failed, pace = 0, paced(POLL_KERNEL, LONGEST_KERNEL_POLL)
    while True:
        next(pace)
        try:
            return kernel_status(kaggle, slug)
        except (Unanswered, Refused) as error:
            failed += 1
            page = kernel_page(kaggle, slug)
            if type(error) is Refused and failed > REFUSED:
                raise FercompError(
                    f"Kaggle does not show {page} ({error.words}): was it deleted? `fercomp kernels cancel` "
                    "forgets it"
                ) from error
            if type(error) is not Refused and failed > unanswered:
                raise FercompError(
                    f"{error}; the kernel goes on: {page}, the same command finds it"
                ) from error


def _failed(
    run: RemoteRun, status: KernelStatus, output: KernelOutput, kaggle: Account, workspace: Workspace
) -> FercompError:
    write_run(run.now("failed"), workspace)
    for line in output.log[-LAST_LINES:]:
        say(f"  {line}")
    why = f" ({status.failure})" if status.failure else ""
    what = "was cancelled" if status.state == "cancelled" else f"failed{why}, its last lines are above"
    page = kernel_page(kaggle, run.parts[-1].slug)
    return FercompError(f"the kernel {what}, all of them at {page}: the same command starts another")


def _written_down(run: RemoteRun, manifest: Manifest, workspace: Workspace) -> RemoteRun:
    if manifest.state == "done":
        run = run.now("done")
    else:
        content = [(file.path, file.sha256) for file in manifest.files]
        files = hashlib.sha256(json.dumps(content).encode()).hexdigest() if content else ""
        if not files or files in [one.files for one in run.parts[:-1]]:
            write_run(run.now("failed"), workspace)
            raise FercompError(
                f"the kernel {manifest.slug} got no further in its session than the one before: what it "
                "saves after, an epoch or 10,000 photos of `predict`, takes too long (`submit --kernel` has "
                "one session); take a smaller network, a smaller size, or fewer photos (train.photos)"
            )
        say(f"{manifest.slug} came near the limit of its session: going on in the next kernel")
        run = run.now("cut", files)
    write_run(run, workspace)
    return run
