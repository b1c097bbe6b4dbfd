import socket
import sys
from threading import Event, Thread

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.parallel import limit_threads
from fercomp.core.ray import cluster as ray_cluster
from fercomp.core.ray.actors import plan_actors
from fercomp.core.ray.cluster import connected, require_ray


def node(**resources):
    return {"Alive": True, "Resources": resources}


@pytest.fixture
def cluster(monkeypatch):
    """Says which nodes Ray has, to whoever asks."""

    def of(*nodes):
        monkeypatch.setitem(sys.modules, "ray", type("Ray", (), {"nodes": staticmethod(lambda: nodes)}))

    return of


@pytest.mark.parametrize(
    "address",
    ["nowhere", "ray://10.0.0.5:10001", ":6379", "10.0.0.5:", "10.0.0.5:0", "10.0.0.5:99999", "http://x:1"],
)
def test_an_address_that_is_none_is_refused(monkeypatch, address):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(FercompError, match=r"expected the address of a cluster's head"), connected():
        pass


def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with (
        pytest.raises(FercompError, match=r"no Ray cluster answers at RAY_ADDRESS=127.* refused"),
        connected(),
    ):
        pass


@pytest.mark.parametrize(
    ("said", "told"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Ray cluster: "), (b"", "timed out")]
)
def test_something_else_that_listens_is_told(monkeypatch, said, told):
    monkeypatch.setattr(ray_cluster, "_ANSWERS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{server.getsockname()[1]}")

        def answer():
            with server.accept()[0] as connection:
                connection.sendall(said)
                connection.recv(1)
                ended.wait()

        ended = Event()
        listener = Thread(target=answer)
        listener.start()
        with pytest.raises(FercompError, match=told), connected():
            pass
        ended.set()
        listener.join()


def test_without_ray_a_line_says_which_extra(monkeypatch):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None if name == "ray" else name)
    with pytest.raises(FercompError, match=r"needs ray: install fercomp's extra `ray`"):
        require_ray()


@pytest.mark.parametrize(
    ("cpus", "actors", "threads", "asked"),
    [((1,), 1, 1, 0.6), ((2,), 1, 2, 1), ((16,), 2, 8, 7), ((4, 16, 0), 5, 4, 3), ((64, 64), 16, 8, 7)],
)
def test_actors_leave_cpus_for_reading(cluster, cpus, actors, threads, asked):
    cluster(*(node(CPU=n) for n in cpus), {"Alive": False, "Resources": {"CPU": 1}})
    plan = plan_actors(gpus=True)
    assert (plan.most, plan.threads, plan.cpus, plan.gpus) == (actors, threads, asked, 0)
    for n in filter(None, cpus):
        assert n // threads * asked < n


def test_gpus_are_used_unless_they_are_unwanted(cluster):
    cluster(node(CPU=16, GPU=4), node(CPU=64))
    plan = plan_actors(gpus=True)
    assert (plan.nodes, plan.most, plan.threads, plan.gpus) == (1, 4, 4, 1)
    assert plan.told() == "1 node, 4 actors of 4 threads with a GPU each"
    assert plan_actors(gpus=False).gpus == 0


def test_fewer_threads_are_taken_where_the_machine_may_have_no_more(cluster):
    cluster(node(CPU=16))
    limit_threads(2)
    try:
        assert plan_actors(gpus=False).threads == 2
    finally:
        limit_threads(None)


def test_a_cluster_without_cpus_is_told(cluster):
    cluster(node(CPU=0), node(memory=1))
    with pytest.raises(FercompError, match="no node of the Ray cluster has a CPU"):
        plan_actors(gpus=True)
