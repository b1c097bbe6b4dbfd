"""A command at Kaggle: pushed as a kernel, followed, gone on with in the next kernel, and brought here."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.locks import locked
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.competition import connect
from fercomp.kaggle.kernels.calls import AT_WORK, KernelOutput, find_kernel, gpu_hours_left, kernel_page
from fercomp.kaggle.kernels.following import follow_part, status_of
from fercomp.kaggle.kernels.outputs import Manifest, bring_files, forget_files
from fercomp.kaggle.kernels.pushing import archive_of, is_pushed, kernel_slug, next_part, pack_work, push_part
from fercomp.kaggle.kernels.runs import RemoteRun, brought_folder, read_run, run_lock, runs_folder, write_run
from fercomp.stages.at_kaggle.jobs import Job
from fercomp.stages.at_kaggle.results import check_places, nothing_empty, put_in_place


@dataclass(frozen=True)
class RemoteOutcome:
    """What became of a command at Kaggle.

    Attributes:
        run: What is known of it.
        page: Where its last kernel is.
        files: Folders and files that were put in place here; `None` where it still runs.
    """

    run: RemoteRun
    page: str
    files: tuple[Path, ...] | None = None


def run_remote(
    job: Job, workspace: Workspace, agree: Callable[[], bool], wait: bool = True, anew: bool = False
) -> RemoteOutcome:
    """Runs a command at Kaggle, or goes on with the run of it that is there.

    Args:
        job: The command.
        workspace: Where its results go.
        agree: Is asked the first time, after it was said what is about to happen.
        wait: Follow it to its end; else return while it runs.
        anew: Run it once more though it has run.

    Raises:
        FercompError: Kaggle refuses or does not answer, another run of this name is at work, the kernel
            failed, or left something else than the command leaves.
    """
    check_places(job.work.done, workspace)
    busy = f"another fercomp follows {job.name}: wait until it has ended, or stop it"
    with (
        nothing_empty(job.work.done, workspace),
        locked(run_lock(job.name, workspace), busy),
        connect(job.competition) as kaggle,
    ):
        run = _begin(job, kaggle, workspace, agree, anew)
        try:
            while True:
                is_new = run.parts[-1].state == "pushing"
                if is_new:
                    run = push_part(run, job.work, kaggle, workspace)
                slug = run.parts[-1].slug
                page = kernel_page(kaggle, slug)
                if not wait and (is_new or status_of(slug, kaggle).state in AT_WORK):
                    return RemoteOutcome(run, page)
                run, manifest, output = follow_part(run, kaggle, workspace)
                if manifest.state == "done":
                    return RemoteOutcome(run, page, pull_run(run, manifest, output, kaggle, workspace))
                run = next_part(run, workspace)
        except KeyboardInterrupt:
            say(f"the kernel goes on at Kaggle; `fercomp kernels cancel {job.name}` ends it")
            raise


def _begin(
    job: Job, kaggle: Account, workspace: Workspace, agree: Callable[[], bool], anew: bool
) -> RemoteRun:
    """Finds the run of a job, or makes one, with a part that is to be pushed or followed."""
    fingerprint = job.fingerprint
    run = read_run(job.name, workspace)
    same = run is not None and (run.fingerprint, run.owner) == (fingerprint, kaggle.owner) and not anew
    if run and not run.is_over and not same:
        raise FercompError(
            f"{job.name} runs at Kaggle already, for {run.owner}, perhaps with other parameters: wait for it "
            f"with those, or end it by `fercomp kernels cancel {job.name}`"
        )
    if run and same and run.parts[-1].state != "failed":
        say(f"{job.name} was started before: {kernel_page(kaggle, run.parts[-1].slug)}")
        return run
    if run and same:
        say(f"{job.name} failed the last time: starting another kernel")
        pack_work(run, job.work, workspace)
        return next_part(run.model_copy(update={"dataset": ""}), workspace)
    salt = secrets.token_hex(8) if anew else ""
    made = RemoteRun(
        name=job.name,
        run=hashlib.sha256(f"{fingerprint}{salt}".encode()).hexdigest(),
        fingerprint=fingerprint,
        words=job.words,
        competition=job.competition,
        owner=kaggle.owner,
        gpu=job.gpu,
        leaves=job.work.done,
    )
    if not is_pushed(find_kernel(kaggle, kernel_slug(made, 1)), made, kaggle):
        _ask(job, kaggle, agree, first=not any(runs_folder(workspace).glob("*.json")))
    pack_work(made, job.work, workspace)
    return next_part(made, workspace)


def _ask(job: Job, kaggle: Account, agree: Callable[[], bool], first: bool) -> None:
    """Says what is about to happen, and asks where this has not been done here before."""
    left = gpu_hours_left(kaggle) if job.gpu else None
    quota = f"; {left[0]:.1f} of {left[1]:.0f} GPU hours are left this week" if left else ""
    machine = "with a GPU" if job.gpu else "without a GPU"
    command = " ".join(("fercomp", *job.words))
    say(f"a private kernel of {kaggle.owner} at Kaggle runs `{command}` {machine}{quota}")
    if first and not agree():
        raise FercompError("nothing was sent")


def pull_run(
    run: RemoteRun, manifest: Manifest, output: KernelOutput, kaggle: Account, workspace: Workspace
) -> tuple[Path, ...]:
    """Brings what a run has left, and puts it where the command would have written it here.

    Returns:
        The folders and files that were written.

    Raises:
        FercompError: It left something else than the command writes, or see `bring_files`.
    """
    page = kernel_page(kaggle, manifest.slug)
    if strange := [file.path for file in manifest.files if not run.expects(file.path)]:
        raise FercompError(f"{page} left {strange[0]}, which this command does not write: nothing was taken")
    folder = brought_folder(workspace)
    bring_files(kaggle, manifest.slug, manifest.files, output, folder)
    placed = put_in_place(manifest.files, folder, workspace)
    write_run(run.model_copy(update={"pulled": True}), workspace)
    archive_of(run, workspace).unlink(missing_ok=True)
    forget_files(manifest.files, folder)
    return tuple(placed)
