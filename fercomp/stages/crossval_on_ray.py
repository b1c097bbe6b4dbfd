"""The folds of a cross-validation, side by side on the nodes of a Ray cluster.

Each fold is a task in a process of its own. It leaves its network and its checkpoint where one machine
leaves them, so that a run goes on, here or there, from what either has left. What a fold says meanwhile comes
by a file on the disk that all nodes see.
"""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.ray.cluster import connected
from fercomp.core.ray.job import SharedJob
from fercomp.core.ray.nodes import on_each_node
from fercomp.core.ray.tasks import NO_BLIND_RETRIES, TaskPlan, plan_tasks, task_results
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backend.choice import hide_gpus
from fercomp.stages.fold import Fold, say_taken
from fercomp.stages.forecast import say_how_long, time_batches

if TYPE_CHECKING:
    import pandas as pd

_BACKEND: Final = "KERAS_BACKEND"

_MEMORY: Final = 1_200_000_000
"""Bytes that a fold takes at least: `compact` took 1.2e9 at its peak, most of it TensorFlow."""

_PATIENCE: Final = 30.0
"""Seconds in which a process of Ray ends whose node or command was killed; until then it has the fold."""


@dataclass(frozen=True, kw_only=True)
class FoldJob(SharedJob):
    """A fold, and where it is trained.

    Attributes:
        here: The current folder of the command.
        name: Name of the ensemble.
        fold: Number of the fold.
        plan: How to train.
        workspace: Where everything is, as seen from `here`.
        backend: What Keras runs on, where that is asked for.
        log: What is said goes here.
    """

    here: Path
    name: str
    fold: int
    plan: Plan
    workspace: Workspace
    backend: str | None
    log: Path

    def begin(self) -> None:
        """Makes a process ready to train.

        Raises:
            FercompError: The node does not see what it should, or lacks something.
        """
        os.chdir(self.here)
        if self.backend:
            os.environ[_BACKEND] = self.backend
        if self.plan.machine.device == "cpu":
            hide_gpus()
        self.prepare()


def judge_on_ray(folds: Sequence[Fold], name: str, plan: Plan, workspace: Workspace) -> "list[pd.DataFrame]":
    """Trains the networks of folds as `Fold.train` does, and asks them as `Fold.judge` does, on a cluster.

    Args:
        folds: The folds, at least one.
        name: Name of the ensemble.
        plan: How to train; but for the device `cpu`, GPUs are used where the cluster has some.
        workspace: Where everything is; all nodes see it.

    Returns:
        What each says, in their order; nothing where another process is at some of them.

    Raises:
        FercompError: There is no cluster, a node sees other files or has other versions, or a fold cannot be
            trained, whose number stands before what is wrong.
    """
    logs = workspace.training / "locks"
    said = {f"fold {fold.fold}": _Said(logs / fold.name / "said.txt") for fold in folds}

    def listen() -> None:
        for title, log in said.items():
            for line in log.news():
                say(f"{title}: {line}")

    with connected(NO_BLIND_RETRIES):
        shares = plan_tasks(len(folds), plan.machine.device != "cpu", _MEMORY)
        jobs = {
            title: FoldJob(
                threads=shares.threads,
                sample=(workspace.raw / fold.photos["image_path"].iloc[0]).absolute(),
                same=workspace.photos.absolute(),
                here=Path.cwd(),
                name=name,
                fold=fold.fold,
                plan=plan,
                workspace=workspace,
                backend=os.environ.get(_BACKEND),
                log=log.path.absolute(),
            )
            for fold, (title, log) in zip(folds, said.items(), strict=True)
        }
        on_each_node(FoldJob.wrong, next(iter(jobs.values())))
        say(f"on Ray: {shares.told('fold')}")
        left = [fold for fold in folds if not fold.is_trained()]
        if left:
            at_once = min(len(left), shares.most)
            some = {f"fold {fold.fold}": jobs[f"fold {fold.fold}"] for fold in left[:at_once]}
            timed = partial(_timed, some, shares)
            say_how_long({name: plan}, left[0].photos, len(left), at_once, timed)
        judged: dict[str, pd.DataFrame | None] = {}
        for title, table in task_results(judge_fold, jobs, shares, listen):
            judged[title] = table
            said[title].path.unlink(missing_ok=True)
            if table is not None:
                done = sum(table is not None for table in judged.values())
                say(f"{title} is done, {done} of {len(folds)}")
    tables = [judged[title] for title in said]
    if taken := [fold for fold, table in zip(folds, tables, strict=True) if table is None]:
        say_taken(taken)
        return []
    return [table for table in tables if table is not None]


def _timed(
    jobs: Mapping[str, FoldJob], shares: TaskPlan, plan: Plan, train: int, holdout: int
) -> tuple[float, bool]:
    """Times folds side by side, as they will be trained, and says what the slowest one takes."""

    def time_fold(job: FoldJob) -> tuple[float, bool]:
        job.begin()
        return time_batches(plan, train, holdout)

    return max(result for _, result in task_results(time_fold, jobs, shares, lambda: None))


def judge_fold(job: FoldJob) -> "pd.DataFrame | None":
    """A task: trains the network of a fold, and asks it about the photos that it has not seen.

    Args:
        job: Which fold.

    Returns:
        What it says, `Fold.judge`; `None` where another process is at the fold.

    Raises:
        FercompError: The node does not see what it should, or lacks something, or training fails.
    """
    job.begin()
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("w", encoding="utf-8", buffering=1) as log, redirect_stderr(log):
        fold = Fold(job.name, job.fold, job.plan, PHOTOS.read(job.workspace.photos), job.workspace)
        fold.train(f"on {platform.node()}", _PATIENCE)
        if not fold.is_trained():
            return None
        say(fold.scored())
        return fold.judge()


class _Said:
    """What a fold says, as it comes; a fold that is begun again says it from the start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._heard = 0
        path.unlink(missing_ok=True)

    def news(self) -> Iterator[str]:
        """Yields the whole lines that have come since the last time."""
        with suppress(FileNotFoundError), self.path.open("rb") as log:
            if os.fstat(log.fileno()).st_size < self._heard:
                self._heard = 0
            log.seek(self._heard)
            for line in log:
                if line.endswith(b"\n"):
                    self._heard += len(line)
                    yield line.decode(errors="replace").strip()
