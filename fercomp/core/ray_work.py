"""Work on a cluster of Ray: how its nodes are shared out, what they see, and what comes back."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fercomp.core.errors import FercompError, last_line
from fercomp.core.parallel import thread_limit
from fercomp.core.progress import count, say, waiting

MOST_THREADS: Final = 8
"""Of an actor: on larger nodes there are several, since threads of one process take turns in Python."""

RETRIES: Final = 5
"""Photos are so often given to an actor again when one has died of them, or beside them: else for ever."""

_OURS: Final = re.compile(r"^fercomp\.[\w.]+: (.+)$", re.MULTILINE)
"""An error of ours in the text of a traceback."""

_LOOK: Final = 300.0
"""Seconds in which each node is to say what it sees; the first start of Python there compiles packages."""


@dataclass(frozen=True)
class ActorPlan:
    """Actors that fit on a cluster.

    Attributes:
        nodes: How many nodes compute.
        most: How many actors to have at most.
        threads: Threads of each.
        cpus: What each asks Ray for. It is less than the threads: with actors on each CPU none would be left
            for reading and writing, for which all would wait for ever.
        gpus: What each asks for.
    """

    nodes: int
    most: int
    threads: int
    cpus: float
    gpus: float

    def told(self) -> str:
        """Says it in a few words."""
        with_gpus = " with a GPU each" if self.gpus else ""
        actors = f"{count(self.most, 'actor')} of {count(self.threads, 'thread')}"
        return f"{count(self.nodes, 'node')}, {actors}{with_gpus}"


def plan_actors(gpus: bool) -> ActorPlan:
    """Shares the nodes of the cluster out among actors.

    Args:
        gpus: Use GPUs, where nodes have any. Actors without one are not started then, whose answers would
            differ in their last digits.

    Raises:
        FercompError: No node computes.
    """
    nodes, with_gpu = computing_nodes(gpus)
    sizes = [int(node["CPU"]) for node in nodes]
    if with_gpu:
        cards = [int(node["GPU"]) for node in nodes]
        each = max(1, min(size // n for size, n in zip(sizes, cards, strict=True)))
        most = sum(cards)
    else:
        each = min(MOST_THREADS, *sizes)
        most = sum(size // each for size in sizes)
    each = min(each, thread_limit() or each)
    # Ray takes fractions of one CPU only, and whole numbers above.
    cpus = each - 2 if each > 2 else 0.5
    return ActorPlan(len(nodes), most, each, cpus, 1.0 if with_gpu else 0.0)


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


def results(blocks: Iterable[Any], actor: type, job: object, plan: ActorPlan) -> Iterator[Any]:
    """Maps Arrow tables by actors, and gives what they make of them as it comes, in any order.

    Actors that die, with their node or alone, are replaced, and what they had in work is done again. A node
    that comes back, or a new one, gets actors up to the plan's number.

    Args:
        blocks: `pyarrow` tables of the same columns, each the work of seconds.
        actor: A class; made with `job`, it takes a table and returns one.
        job: What each actor is to know.
        plan: How many there are.

    Raises:
        FercompError: An actor has raised one, or cannot be started.
    """
    import ray

    retries = RETRIES
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=plan.most, initial_size=plan.most)
    warnings.filterwarnings("ignore", message="`ray_remote_args_fn` is deprecated")  # nothing in its place
    rows = ray.data.from_arrow(list(blocks)).map_batches(
        actor,
        fn_constructor_args=(job,),
        batch_size=None,
        batch_format="pyarrow",
        compute=pool,
        num_cpus=plan.cpus,
        num_gpus=plan.gpus or None,
        ray_remote_args_fn=lambda: {"max_task_retries": retries},
    )
    with told_of_actors():
        yield from rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


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
        raise FercompError(
            f"the work on Ray has ended ({type(error).__name__}: {last_line(error):.200}): look at `ray "
            "status`, and whether nodes lack memory, then give the same command again, "
            "which goes on from here"
        ) from error


def tell(plan: ActorPlan) -> None:
    """Says what works."""
    say(f"on Ray: {plan.told()}")
