"""How a cluster is shared out among tasks; that Ray does so, `tests/test_ray.py` tests."""

import pytest

from fercomp.core.parallel import limit_threads
from fercomp.core.ray import tasks
from fercomp.core.ray.tasks import TaskPlan, plan_tasks

GB = 10**9


def node(cpus, memory=64 * GB, **gpus):
    return {"CPU": float(cpus), "memory": float(memory), **gpus}


@pytest.mark.parametrize(
    ("nodes", "by_gpu", "most", "cpus", "told"),
    [
        ([node(2)], False, 2, 1, "1 node, 2 tasks at once, 1 CPU for each"),
        ([node(16)], False, 5, 3, "1 node, 5 tasks at once, 3 CPUs for each"),
        ([node(16)] * 2, False, 5, 5, "2 nodes, 5 tasks at once, 5 CPUs for each"),
        ([node(16)] * 8, False, 5, 16, "8 nodes, 5 tasks at once, 16 CPUs for each"),
        ([node(16, 5 * GB)], False, 2, 8, "1 node, 2 tasks at once, 8 CPUs for each"),
        ([node(4, GB)], False, 1, 4, "1 node, 1 task at once, 4 CPUs for each"),
        ([node(16, GPU=2.0)] * 2, True, 4, 8, "2 nodes, 4 tasks at once, 8 CPUs and a GPU for each"),
        ([node(2, GPU=4.0)], True, 2, 1, "1 node, 2 tasks at once, 1 CPU and a GPU for each"),
    ],
)
def test_as_many_tasks_as_cpus_memory_and_gpus_allow(nodes, by_gpu, most, cpus, told, monkeypatch):
    monkeypatch.setattr(tasks, "computing_nodes", lambda _: (nodes, by_gpu))
    plan = plan_tasks(5, gpus=True, memory=2 * GB)
    memory = min(2 * GB, int(nodes[0]["memory"]))
    assert plan == TaskPlan(len(nodes), most, cpus, cpus, float(by_gpu), memory, int(nodes[0]["memory"]))
    assert plan.told("task") == told


def test_threads_are_limited_by_the_machine(monkeypatch):
    monkeypatch.setattr(tasks, "computing_nodes", lambda _: ([node(16)], False))
    limit_threads(2)
    try:
        plan = plan_tasks(2, gpus=False, memory=GB)
    finally:
        limit_threads(None)
    assert (plan.cpus, plan.threads) == (8, 2)
