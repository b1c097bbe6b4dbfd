"""A run's next kernel, sent once: where an answer was lost, or a client killed, it is looked for first."""

import re
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.git import head
from fercomp.core.paths import Workspace
from fercomp.core.polling import paced
from fercomp.core.progress import say
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.refusals import Refused, TooMany, Unanswered
from fercomp.kaggle.kernels.calls import Kernel, Push, find_kernel, gpu_hours_left, kernel_page, save_kernel
from fercomp.kaggle.kernels.datasets import upload_dataset
from fercomp.kaggle.kernels.packing import Packed, kernel_text, needed_packages, pack, packed_at, tag_line
from fercomp.kaggle.kernels.runs import Part, RemoteRun, forget_run, runs_folder, write_run
from fercomp.kaggle.kernels.work import KernelJob, Work

SESSION = 31_500
"""Seconds that a kernel may run: Kaggle ends sessions with a GPU after nine hours."""

MARGIN: Final = 600
"""Seconds before that in which a run ends itself and saves."""

SUBMITTED: Final = "submission.csv"
"""What a kernel's submission is called in its output."""

LEAST_QUOTA: Final = 1_800
"""Seconds of quota for which a kernel is started at all."""

SHOWS_UP = 30.0
SHOW_EVERY = 3.0
"""Seconds in which a kernel shows up whose answer was lost, and between two looks."""


def kernel_slug(run: RemoteRun, number: int) -> str:
    """Returns the last part of the address of a run's kernel, at most 50 characters."""
    name = re.sub("[^a-z0-9]+", "-", run.name.lower()).strip("-")[:28].strip("-")
    return f"fercomp-{name}-{run.run[:6]}-{number}"


def next_part(run: RemoteRun, workspace: Workspace) -> RemoteRun:
    """Writes down that another kernel is about to be pushed."""
    part = Part(slug=kernel_slug(run, len(run.parts) + 1), state="pushing")
    run = run.model_copy(update={"parts": (*run.parts, part), "pulled": False})
    write_run(run, workspace)
    return run


def pack_work(run: RemoteRun, work: Work, workspace: Workspace) -> Packed:
    """Packs what the kernels of a run read. It is kept until the run is over, so that all have the same."""
    return pack(archive_of(run, workspace), {**work.files, **work.further})


def archive_of(run: RemoteRun, workspace: Workspace) -> Path:
    """Returns where that is."""
    return runs_folder(workspace) / f"{run.name}.packed"


def is_pushed(kernel: Kernel | None, run: RemoteRun, kaggle: Account) -> bool:
    """Tells whether a kernel that was looked for is there.

    Raises:
        FercompError: It is, and something else made it.
    """
    if kernel is None:
        return False
    if tag_line(run.run) not in kernel.source[:1000]:
        raise FercompError(
            f"{kernel_page(kaggle, kernel.slug)} is there, and was not made by this command: it is not "
            "overwritten; rename or delete it, then try again"
        )
    return True


def push_part(run: RemoteRun, work: Work, kaggle: Account, workspace: Workspace) -> RemoteRun:
    """Pushes the kernel that `next_part` wrote down, unless it is there.

    Raises:
        FercompError: Kaggle refuses, does not answer, or has something else of its name.
    """
    part = run.parts[-1]
    if not is_pushed(find_kernel(kaggle, part.slug), run, kaggle):
        archive = archive_of(run, workspace)
        packed = packed_at(archive) if archive.is_file() else pack_work(run, work, workspace)
        try:
            if not packed.inline and not run.dataset:
                run = run.model_copy(update={"dataset": upload_dataset(kaggle, packed)})
                write_run(run, workspace)
            _send(run, work, packed, kaggle)
        except Refused:  # there is nothing that could be followed
            _take_back(run, workspace)
            raise
        say(f"pushed {kernel_page(kaggle, part.slug)}")
    run = run.now("running")
    write_run(run, workspace)
    return run


def _take_back(run: RemoteRun, workspace: Workspace) -> None:
    if len(run.parts) == 1:
        forget_run(run.name, workspace)
        archive_of(run, workspace).unlink(missing_ok=True)
    else:
        write_run(run.model_copy(update={"parts": run.parts[:-1]}), workspace)


def _send(run: RemoteRun, work: Work, packed: Packed, kaggle: Account) -> None:
    slug, seconds = run.parts[-1].slug, session_seconds(run.gpu, kaggle)
    job = KernelJob(
        run=run.run,
        slug=slug,
        after=run.going_on_from,
        competition=run.competition,
        gpu=run.gpu,
        seconds=seconds,
        margin=min(MARGIN, seconds / 2),
        internet=work.internet,
        requires=needed_packages(everything=any(step.words[0] == "dvc" for step in work.steps)),
        payload="" if packed.inline else packed.name,
        commit=head() or "",
        steps=work.steps,
        done=work.done,
        cut=work.cut,
        submits=work.submits,
        submits_as=SUBMITTED,
    )
    push = Push(
        slug=slug,
        text=kernel_text(job, packed),
        gpu=run.gpu,
        internet=work.internet,
        seconds=seconds,
        datasets=[run.dataset] if run.dataset else [],
        kernels=[run.going_on_from] if run.going_on_from else [],
    )
    for _ in range(2):
        try:
            save_kernel(kaggle, push)
            return
        except (Unanswered, TooMany) as error:
            lost: FercompError = error
        say(f"the answer was lost ({lost}): looking whether Kaggle has got the kernel")
        for _ in paced(SHOW_EVERY, patience=SHOWS_UP):
            if is_pushed(find_kernel(kaggle, slug), run, kaggle):
                return
    raise FercompError(f"Kaggle does not take the kernel ({lost}): the same command tries again")


def session_seconds(gpu: bool, kaggle: Account) -> int:
    """Returns how long a kernel may run: Kaggle's limit, or what is left of the quota.

    Raises:
        Refused: Too little is left.
    """
    left = gpu_hours_left(kaggle) if gpu else None
    if left is None:
        return SESSION
    if left[0] * 3600 < LEAST_QUOTA:
        raise Refused(
            f"{left[0]:.1f} of {left[1]:.0f} GPU hours are left this week: wait until Kaggle gives new ones, "
            "or run without a GPU by --set machine.device=cpu"
        )
    return min(SESSION, int(left[0] * 3600))
