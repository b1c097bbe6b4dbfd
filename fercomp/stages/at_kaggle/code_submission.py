"""`fercomp submit --kernel`: what a code competition takes, a kernel that predicts without internet.

    ask whether it may be sent -> run the kernel -> note what is about to be sent -> submit -> wait for the
    score

A kernel is submitted once for each model and parameters: what tells it again is what it ran, not the bytes
that it left, since Kaggle runs it once more on photos that nobody sees.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.locks import exclusive
from fercomp.core.params import Params
from fercomp.core.paths import Workspace
from fercomp.kaggle.client.competition import KernelFile, connect
from fercomp.kaggle.kernels.calls import find_kernel, kernel_page
from fercomp.kaggle.kernels.pushing import SUBMITTED, is_pushed
from fercomp.kaggle.kernels.runs import RemoteRun
from fercomp.kaggle.submissions.candidate import Candidate, message_of
from fercomp.kaggle.submissions.history import BUSY, model_origin
from fercomp.kaggle.submissions.submit import Outcome, look_ahead, submit
from fercomp.modeling.bundle.find import output_name
from fercomp.stages.at_kaggle.jobs import submission_job
from fercomp.stages.at_kaggle.remote import run_remote
from fercomp.stages.at_kaggle.results import nothing_empty


def submit_by_kernel(
    folder: Path,
    workspace: Workspace,
    params: Params,
    agree: Callable[[], bool],
    *,
    message: str | None = None,
    force: bool = False,
    wait: bool = True,
    dry_run: bool = False,
) -> Outcome:
    """Predicts in a kernel, submits what it leaves, writes it down, and waits for its score.

    The same call after a kill goes on from where the killed one was: there is one kernel, and one submission.

    Args:
        folder: The model's.
        workspace: Where the record is, and the CSV goes.
        params: The parameters.
        agree: Is asked before the first kernel.
        message: What Kaggle shows; by default the model's name and holdout accuracy.
        force: Submit it though it was submitted before.
        wait: Wait for the kernel and the score; else a call that finds the kernel ended submits it.
        dry_run: Ask what can be asked, push and submit nothing.

    Raises:
        FercompError: See `submit` and `run_remote`; or the competition takes a CSV.
    """
    job = submission_job(folder, params, workspace)
    name = output_name(folder, workspace)
    origin, csv = model_origin(folder, name), workspace.submission(name)
    tagged = message_of(message, origin, name, job.fingerprint)
    candidate = Candidate(csv, b"", 0, job.fingerprint, origin, tagged, KernelFile("", 0, SUBMITTED))
    with (
        nothing_empty(job.work.done, workspace),
        exclusive(workspace.submissions, BUSY),
        connect(job.competition) as kaggle,
    ):
        ahead = look_ahead(kaggle, candidate, workspace, force=force, wait=wait, dry_run=dry_run)
    if isinstance(ahead, Outcome):
        return ahead
    ran = run_remote(job, workspace, agree, wait=wait)
    if ran.files is None:
        return Outcome(None, ahead[1], False, None, ran.page)
    made = _made_by(ran.run)
    return submit(replace(candidate, kernel=made), workspace, job.competition, force=force, wait=wait)


def _made_by(run: RemoteRun) -> KernelFile:
    """Says which version of a run's kernel has left the submission."""
    slug = run.parts[-1].slug
    with connect(run.competition) as kaggle:
        kernel = find_kernel(kaggle, slug)
        if kernel is None or not is_pushed(kernel, run, kaggle):
            raise FercompError(f"{kernel_page(kaggle, slug)} is gone: the same command makes another kernel")
    return KernelFile(slug, kernel.version or 1, SUBMITTED)
