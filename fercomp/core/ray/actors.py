"""Work on a cluster of Ray in pieces of seconds: nodes are shared out among actors, and what comes back."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fercomp.core.parallel import thread_limit
from fercomp.core.progress import count
from fercomp.core.ray.nodes import RETRIES, computing_nodes, told_of_actors

MOST_THREADS: Final = 8
"""Of an actor: on larger nodes there are several, since threads of one process take turns in Python."""


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
    # Where the actors of a dead node moved to another one, they would share its cores, and the node that
    # comes back had nothing to do. Asking for this much leaves no room for another actor on a node of one
    # CPU, or of as many as it has threads; on larger ones some may move. Ray takes fractions of one CPU only.
    cpus = each - 1 if each > 1 else 0.25 if with_gpu else 0.6
    return ActorPlan(len(nodes), most, each, cpus, 1.0 if with_gpu else 0.0)


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
    with told_of_actors():
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
        yield from rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
