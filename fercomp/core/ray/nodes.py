"""The nodes of a cluster of Ray: what they have, what they see, and what is said of what fails there."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from fercomp.core.errors import FercompError, last_line
from fercomp.core.progress import count, waiting

RETRIES: Final = 5
"""Photos are so often given to an actor again when one has died of them, or beside them: else for ever."""

_OURS: Final = re.compile(r"^fercomp\.[\w.]+: (.+)$", re.MULTILINE)
"""An error of ours in the text of a traceback."""

_FULL: Final = re.compile("OutOfDiskError|ObjectStoreFullError")
"""What Ray raises, here or in an actor, where an object finds no room."""

_LOOK: Final = 300.0
"""Seconds in which each node is to say what it sees; the first start of Python there compiles packages."""


def computing_nodes(gpus: bool) -> tuple[list[dict[str, float]], bool]:
    """Returns what those nodes have that are to compute.

    Args:
        gpus: Take only those with a GPU, where there are any.

    Returns:
        Their resources, and whether they compute on GPUs.

    Raises:
        FercompError: No node computes.
    """
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    with_cpu = [node for node in alive if node.get("CPU", 0) >= 1]
    with_gpu = [node for node in with_cpu if gpus and node.get("GPU", 0) >= 1]
    if not with_cpu:
        raise FercompError(
            "no node of the Ray cluster has a CPU to offer: look at `ray status`, and add nodes"
        )
    return with_gpu or with_cpu, bool(with_gpu)


def on_each_node(look: Callable[[Any], str], job: object) -> None:
    """Lets each node of the cluster say what is wrong with it.

    Args:
        look: A function that is called there; returns what is wrong, or nothing.
        job: What it is called with.

    Raises:
        FercompError: Something is, on one node at least; or one does not answer.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = {}
    for node in ray.nodes():
        if node["Alive"]:
            strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(num_cpus=0, max_retries=1, scheduling_strategy=strategy)(look)
            asked[task.remote(job)] = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
    with waiting(f"asking {count(len(asked), 'node')} of the cluster"):
        _, late = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK)
    if late:
        raise FercompError(
            f"the Ray node {asked[late[0]]} does not answer within {_LOOK:.0f} s: look at `ray status`, and "
            "restart it"
        )
    for answer, node in asked.items():
        try:
            wrong = ray.get(answer)
        except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
            continue  # it has left; where it comes back, its actors look
        except Exception as error:
            raise FercompError(
                f"the Ray node {node} cannot run fercomp ({last_line(error):.200}): install the same version "
                "with its extra `ray` in the Python that `ray start` ran there"
            ) from error
        if wrong:
            raise FercompError(f"the Ray node {node} {wrong}")


@contextmanager
def told_of_actors() -> Iterator[None]:
    """Turns what Ray raises for an actor or a task into what that raised."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, SystemError) as error:
        # Ray Data keeps the text of what an actor raised, not the error.
        if said := _OURS.findall(str(error)):
            raise FercompError(said[-1]) from error
        if _FULL.search(f"{type(error).__name__} {error}"):
            raise FercompError(
                "the object store of a Ray node is full, and so is the disk that it spills to: see `ray "
                "memory` and `df` there, free some, or give `ray start` a larger --object-store-memory; then "
                "give the same command again, which goes on from here"
            ) from error
        raise FercompError(
            f"the work on Ray has ended ({type(error).__name__}: {last_line(error):.200}): look at `ray "
            "status`, and whether nodes lack memory, then give the same command again, "
            "which goes on from here"
        ) from error
