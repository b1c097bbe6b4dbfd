"""A few tasks of hours on a cluster of Ray: how its nodes are shared out among them, and what comes back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from fercomp.core.errors import FercompError
from fercomp.core.parallel import thread_limit
from fercomp.core.progress import count, say
from fercomp.core.ray.nodes import RETRIES, computing_nodes, told_of_actors

_LISTEN: Final = 1.0
"""Seconds between two looks at what tasks say."""

NO_BLIND_RETRIES: Final = MappingProxyType({"RAY_task_oom_retries": "0"})
"""For `cluster.connected`: where memory ends, Ray would begin the same tasks at once again, for ever."""

_A = TypeVar("_A")
_B = TypeVar("_B")


@dataclass(frozen=True)
class TaskPlan:
    """Tasks that fit on a cluster, one for each thing to do, where each takes hours.

    Attributes:
        nodes: How many nodes compute.
        most: How many tasks run at once.
        threads: Threads of each.
        cpus: What each asks Ray for: its share of a node.
        gpus: What each asks for.
        memory: Bytes that each asks for.
        most_memory: Bytes of the node that has most.
    """

    nodes: int
    most: int
    threads: int
    cpus: int
    gpus: float
    memory: int
    most_memory: int

    def told(self, task: str) -> str:
        """Says it in a few words; `task` is what one is called."""
        share = f"{count(self.cpus, 'CPU')}{' and a GPU' if self.gpus else ''}"
        return f"{count(self.nodes, 'node')}, {count(self.most, task)} at once, {share} for each"


def plan_tasks(n: int, gpus: bool, memory: int) -> TaskPlan:
    """Shares the nodes of the cluster out among tasks, so that as many as possible run at once.

    Args:
        n: How many tasks there are.
        gpus: Give each task a GPU, where nodes have any; other nodes do nothing then.
        memory: Bytes that a task needs. Where no node has as much, one task has a node's whole memory.

    Raises:
        FercompError: No node computes.
    """
    nodes, with_gpu = computing_nodes(gpus)
    most_memory = max(int(node.get("memory", memory)) for node in nodes)
    memory = min(memory, most_memory)

    def fitting(cpus: int) -> int:
        """Counts the tasks that run at once, if each has so many CPUs."""
        kinds = [("CPU", cpus), ("memory", memory), *([("GPU", 1)] if with_gpu else [])]
        return sum(min(int(node.get(kind, need) // need) for kind, need in kinds) for node in nodes)

    most = min(n, fitting(1))
    largest = max(int(node["CPU"]) for node in nodes)
    cpus = next(cpus for cpus in range(largest, 0, -1) if cpus == 1 or fitting(cpus) >= most)
    threads = min(cpus, thread_limit() or cpus)
    return TaskPlan(len(nodes), max(1, most), threads, cpus, 1.0 if with_gpu else 0.0, memory, most_memory)


def task_results(
    task: Callable[[_A], _B], jobs: Mapping[str, _A], plan: TaskPlan, listen: Callable[[], None]
) -> Iterator[tuple[str, _B]]:
    """Does jobs that take long, each in a process of its own, and gives what they return as it comes.

    What dies, with its node or alone, is begun again; for want of memory, it asks for twice as much then.

    Args:
        task: What is done with each job.
        jobs: The jobs, by what they are called.
        plan: How many there are at once.
        listen: Called about each second, and before each result.

    Yields:
        The name of a job, and what came of it.

    Raises:
        FercompError: A task has raised one, or cannot be done; the name of the job stands before it.
    """
    import ray

    remote = ray.remote(
        num_cpus=plan.cpus,
        num_gpus=plan.gpus or None,
        max_calls=1,  # the process ends, and with it what it holds of a GPU
        max_retries=RETRIES,
        scheduling_strategy="SPREAD",
    )(task)

    def begun(name: str, memory: int) -> Any:
        return remote.options(memory=memory).remote(jobs[name])

    at_work = {begun(name, plan.memory): (name, plan.memory) for name in jobs}
    while at_work:
        done, _ = ray.wait(list(at_work), timeout=_LISTEN)
        listen()
        for reference in done:
            name, memory = at_work.pop(reference)
            try:
                with told_of_actors():
                    result = ray.get(reference)
            except FercompError as error:
                of_memory = isinstance(error.__cause__, ray.exceptions.OutOfMemoryError)
                if not of_memory:
                    raise FercompError(f"{name}: {error}") from error
                if memory >= plan.most_memory:
                    raise FercompError(
                        f"{name}: the memory of a node does not suffice, though it asked for all of it: add "
                        "nodes with more, then give the same command again, which goes on from here"
                    ) from error
                say(f"{name}: memory did not suffice beside others: it is begun again with twice as much")
                memory = min(2 * memory, plan.most_memory)
                at_work[begun(name, memory)] = name, memory
            else:
                yield name, result
