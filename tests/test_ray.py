"""Two Ray nodes on this machine do what one machine does, whoever of them is killed meanwhile."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from fercomp.annotate import on_ray
from fercomp.annotate.batch import annotate_media
from fercomp.annotate.options import Options
from fercomp.core.errors import FercompError
from fercomp.core.locks import exclusive
from fercomp.core.params import Plan, PredictParams, TrainParams
from fercomp.core.ray import actors
from fercomp.core.ray.cluster import _ENVIRONMENT, connected
from fercomp.core.ray.tasks import plan_tasks, task_results
from fercomp.core.shards import OwnPart, shards_beside
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import CARD
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.ray_job import ModelJob
from fercomp.stages import crossval_on_ray, forecast
from fercomp.stages.crossval import cross_validate
from fercomp.stages.predicting import in_parts
from fercomp.stages.predicting import on_ray as predicting_on_ray
from fercomp.stages.predicting.predict import predict_test
from tests.drawn import draw_face
from tests.drawn.cast import CAST, distinct_person, draw_scene

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None, reason="Ray is not installed: uv run --extra ray pytest ..."
    ),
    pytest.mark.timeout(600),
]

OPTIONS = Options(detector="whole")
STARTS = 3


class Nodes:
    """A cluster of two nodes with a CPU each and nowhere to spill to, and who may be killed of it."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        no_disk = {"automatic_object_spilling_enabled": False, "local_fs_capacity_threshold": 0.0}
        node = {
            "num_cpus": 1,
            "object_store_memory": 2**27,
            "include_dashboard": False,
            "_system_config": no_disk,
        }
        self.cluster = Cluster(initialize_head=True, head_node_args=node)
        self.second = self.add()

    def add(self):
        return self.cluster.add_node(num_cpus=1, object_store_memory=2**27)

    def kill_node(self):
        self.cluster.remove_node(self.second, allow_graceful=False)

    def kill_actor(self):
        actors = [
            p for p in psutil.process_iter(["cmdline"]) if "MapWorker" in " ".join(p.info["cmdline"] or [])
        ]
        actors[0].send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def nodes():
    os.environ |= _ENVIRONMENT  # as a command has it before it imports Ray
    for left in reversed(range(STARTS)):
        try:
            nodes = Nodes()
        except Exception as error:  # a raylet that was too slow, on a busy machine
            if not left:
                pytest.skip(f"Ray cannot start here: {error}")
        else:
            break
    os.environ["RAY_ADDRESS"] = nodes.cluster.address
    yield nodes
    del os.environ["RAY_ADDRESS"]
    nodes.cluster.shutdown()


@pytest.fixture(scope="module")
def bundle(tiny_bundle_folder):
    return load_bundle(tiny_bundle_folder)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Photos that take a while, and some that are none."""
    folder = tmp_path_factory.mktemp("media")
    noise = np.random.default_rng(1).integers(0, 255, (800, 1000, 3), dtype=np.uint8)
    noise[:96, :96] = face = draw_face("happy", np.random.default_rng(1), 96)
    Image.fromarray(noise).save(folder / "0.png", compress_level=1)
    (folder / "sub").mkdir()
    for number in range(1, 47):
        os.link(folder / "0.png", folder / "sub" / f"{number}.png")
    Image.fromarray(face).save(folder / os.fsdecode(b"no \xff text.jpg"))
    (folder / "bad.jpg").write_text("no picture")
    (folder / os.fsdecode(b"bad \xff.jpg")).write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory, media, bundle):
    """What one machine makes of them."""
    folder = tmp_path_factory.mktemp("alone")
    annotate_media(media, folder, bundle, OPTIONS)
    return folder


def files_of(folder):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    return {**files, "run.json": json.loads(files["run.json"])}


def rows_of(folder: Path) -> int:
    records = folder / "records.csv"
    return records.read_bytes().count(b"\n") - 1 if records.is_file() else 0


def wait_for(driver, folder, rows):
    while rows_of(folder) < rows:
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)


def test_killed_actors_nodes_and_drivers_change_nothing(nodes, media, alone, bundle, tmp_path):
    out = tmp_path / "out"
    words = [
        "annotate",
        media,
        "--output",
        out,
        "--model",
        bundle.folder,
        "--detector",
        "whole",
        "--on",
        "ray",
    ]
    command = [sys.executable, "-m", "fercomp", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as driver:
        wait_for(driver, out, 4)
        nodes.kill_actor()
        wait_for(driver, out, 12)
        nodes.kill_node()
        wait_for(driver, out, 24)
        driver.kill()
    nodes.second = nodes.add()
    before = rows_of(out)
    assert 24 <= before < 49
    done = annotate_media(media, out, bundle, OPTIONS, on_ray="cpu")
    assert (done.photos, done.problems) == (50, dict.fromkeys(("bad.jpg", "bad \\udcff.jpg"), "not_an_image"))
    assert done.earlier >= before - 9, "what was on record is not done again"
    assert files_of(out) == files_of(alone)


def test_photos_of_a_store_are_annotated_as_those_of_a_folder(nodes, media, alone, bundle, tmp_path):
    """A store that fsspec opens, and a list of addresses in it, one of which is not there."""
    few = tmp_path / "few"
    shutil.copytree(media, few, ignore=shutil.ignore_patterns("sub", "0.png"))
    names = [few / "gone.jpg", *few.iterdir()]
    (tmp_path / "list.txt").write_bytes(b"".join(b"file://%s\n" % os.fsencode(name) for name in names))
    done = annotate_media(tmp_path / "list.txt", tmp_path / "out", bundle, OPTIONS, on_ray="cpu")
    assert (done.photos, done.problems["gone.jpg"]) == (4, "missing")
    rows = (tmp_path / "out" / "records.csv").read_text().splitlines()
    there = (alone / "records.csv").read_text().splitlines()
    assert {row for row in rows if not row.startswith("gone.jpg,")} < set(there)


def test_a_full_object_store_ends_the_run_and_the_same_command_goes_on(nodes, bundle, tmp_path, monkeypatch):
    """With --people: they have the numbers that one machine gives them."""
    import ray
    from ray.exceptions import OutOfDiskError

    options, media, out = Options(people=True), tmp_path / "media", tmp_path / "out"
    media.mkdir()
    cast = [distinct_person(seed) for seed in CAST[:3]]
    for seed, who in enumerate([(0, 1), (2, 0), (1,)]):
        scene = next(draw_scene([cast[i] for i in who], seed, 400, 240))
        Image.fromarray(scene).save(media / f"{seed}.jpg", quality=92)
        if seed == 0:
            annotate_media(media, out, bundle, options)
    alone = annotate_media(media, tmp_path / "alone", bundle, options)
    look, held = on_ray.on_each_node, []

    def fill(*arguments):
        look(*arguments)
        for size in (2**22, 2**16, 2**10, 1):
            with pytest.raises(OutOfDiskError):
                while True:
                    held.append(ray.put(np.zeros(size, np.uint8)))

    with monkeypatch.context() as patch:
        patch.setattr(on_ray, "on_each_node", fill)
        with pytest.raises(FercompError, match="the object store of a Ray node is full"):
            annotate_media(media, out, bundle, options, on_ray="cpu")
    held.clear()
    done = annotate_media(media, out, bundle, options, on_ray="cpu")
    assert (done.earlier, done.people) == (1, alone.people) == (1, 3)
    assert files_of(out) == files_of(tmp_path / "alone")


def test_test_photos_are_classified_as_on_one_machine(nodes, workspace, monkeypatch):
    """A run that wrote some shards and ended goes on with the others, and with those that are not whole."""
    monkeypatch.setattr(predicting_on_ray, "_AT_ONCE", 4)
    folder, params, merge = workspace.bundle("tiny"), PredictParams(), in_parts.merge_predictions
    alone = predict_test(folder, workspace, params)
    whole = alone.path.read_bytes()
    alone.path.unlink()

    def ended(*_):
        raise FercompError("ended")

    monkeypatch.setattr(in_parts, "merge_predictions", ended)
    with pytest.raises(FercompError, match="ended"):
        predicting_on_ray.predict_on_ray(folder, workspace, params)
    first, second, *others = (shard.beside(alone.path) for shard in shards_beside(alone.path, OwnPart))
    assert others
    first.unlink()
    second.write_text("cut off")
    before = [path.stat().st_mtime_ns for path in others]

    def looked(*arguments):
        assert [path.stat().st_mtime_ns for path in others] == before, "what was written stays"
        return merge(*arguments)

    monkeypatch.setattr(in_parts, "merge_predictions", looked)
    assert predicting_on_ray.predict_on_ray(folder, workspace, params) == alone
    assert alone.path.read_bytes() == whole
    assert not shards_beside(alone.path, OwnPart)


def test_a_node_that_sees_another_disk_is_named(nodes, workspace, monkeypatch):
    monkeypatch.setattr(ModelJob, "__post_init__", lambda job: object.__setattr__(job, "sum", "another"))
    with pytest.raises(FercompError, match=r"the Ray node \S+ \([\d.]+\) does not see the same .*photos.csv"):
        predicting_on_ray.predict_on_ray(workspace.bundle("tiny"), workspace, PredictParams())


def test_a_cluster_of_another_version_is_told(nodes, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "2.99.0")
    with pytest.raises(FercompError, match=r"runs other versions than this machine, Ray 2.99"), connected():
        pass


def test_actors_that_cannot_work_end_the_run_with_a_line(nodes, monkeypatch):
    """One that may not start, one that has no use for its photos, one that dies, one that says too much."""
    import pyarrow

    class Actor:
        def __init__(self, job):
            self.job = job
            if job == "start":
                raise FercompError("there is no detector")

        def __call__(self, photos):
            if self.job == "die":
                os._exit(1)
            if self.job == "full":
                return pyarrow.table({"number": [bytes(2**27)]})
            raise FercompError("the disk is full")

    monkeypatch.setattr(actors, "RETRIES", 1)
    told = {"start": "there is no detector", "work": "the disk is full", "die": "the work on Ray has ended"}
    told["full"] = "the object store of a Ray node is full"
    with connected():
        plan = actors.plan_actors(gpus=False)
        for job, line in told.items():
            with pytest.raises(FercompError, match=line):
                list(actors.results([pyarrow.table({"number": [1]})], Actor, job, plan))


def test_a_node_that_dies_loses_nothing_and_gets_work_when_it_comes_back(nodes, tmp_path):
    import pyarrow

    class Actor:
        def __init__(self, job):
            self.hurry = job

        def __call__(self, photos):
            import ray

            if not self.hurry.exists():
                time.sleep(0.1)
            return photos.append_column("node", [[ray.get_runtime_context().get_node_id()]])

    parts = [pyarrow.table({"number": [number]}) for number in range(1000)]
    seen, came, killed, hurry = [], [], False, tmp_path / "hurry"
    with connected(), closing(actors.results(parts, Actor, hurry, actors.plan_actors(gpus=False))) as done:
        for part in done:
            came += part["number"].to_pylist()
            seen += set(part["node"].to_pylist()) - set(seen)
            if len(seen) == 2 and not killed:
                nodes.kill_node()
                nodes.second, killed = nodes.add(), True
            if len(seen) == 3:
                hurry.touch()
    assert len(seen) == 3
    assert sorted(came) == list(range(1000))


def bytes_of(*folders: Path) -> dict[str, bytes]:
    return {f"{path}": path.read_bytes() for folder in folders for path in folder.rglob("*.*")}


def test_folds_are_trained_side_by_side_as_one_after_the_other(
    nodes, workspace, shallow, monkeypatch, tmp_path, capsys
):
    """Of two folds one is taken at first; then its process is killed and begun again; then both fail."""
    photos = PHOTOS.read(workspace.photos)
    folds = photos["fold"].where(photos["fold"] < 0, photos["fold"] % 2)
    PHOTOS.write(photos.assign(fold=folds), workspace.photos)
    plan = Plan(train=TrainParams(size=16, epochs=1, batch_size=32, seed=7))
    results = workspace.bundle("cv"), workspace.training / "folds"
    card = cross_validate("cv", plan, workspace)
    alone = bytes_of(*results)
    for folder in (workspace.bundle("cv"), workspace.training, workspace.decoded):
        shutil.rmtree(folder)
    capsys.readouterr()
    killed, broken = tmp_path / "killed", tmp_path / "broken"
    first = (results[1] / "cv-0" / CARD).absolute()  # a worker begins in another folder

    def judge(job):
        """What a worker does; it is sent there as it stands here."""
        from fercomp.stages import crossval_on_ray, fold

        def die(*_, **__):
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)

        crossval_on_ray._PATIENCE = 0.0
        if broken.exists():
            raise FercompError("the disk is full")
        if first.exists() and not killed.exists() and job.fold == 1:
            fold.train_bundle = die
        elif (job.fold == 1) == first.exists():  # not where all is done: this takes 5 s
            from fercomp.modeling.backbones import compact

            compact.BLOCKS, compact.CHANNELS = 1, {"compact": (16,)}
        return crossval_on_ray.judge_fold(job)

    monkeypatch.setattr(crossval_on_ray, "judge_fold", judge)
    with exclusive(workspace.training / "locks" / "cv-1", "taken"), monkeypatch.context() as patch:
        patch.setattr(forecast, "FEW", 0)
        patch.setattr(crossval_on_ray, "time_batches", lambda *_: (90.0, False))  # sent there, too
        assert cross_validate("cv", plan, workspace, on_ray=True) is None
    said = capsys.readouterr().err
    assert re.search(r"training 2 networks on \d+ photos, 2 at once: about 2 min on these CPUs", said)
    assert "on Ray: 2 nodes, 2 folds at once, 1 CPU for each" in said
    assert "fold 0: on " in said
    assert "fold 0: holdout accuracy " in said
    assert "another process is at fold 1" in said
    written = first.stat().st_mtime_ns
    assert cross_validate("cv", plan, workspace, on_ray=True) == card
    assert killed.exists()
    assert capsys.readouterr().out == "", "Ray says itself what has died"
    assert not list(workspace.training.rglob("said.txt"))
    assert first.stat().st_mtime_ns == written, "a finished fold was trained again"
    assert bytes_of(*results) == alone
    broken.touch()
    with pytest.raises(FercompError, match=r"^fold [01]: the disk is full$"):
        cross_validate("cv", plan, workspace, on_ray=True)


def test_tasks_for_which_memory_ends_get_more_of_it(nodes):
    def task(needed):
        import ray
        from ray.exceptions import OutOfMemoryError

        given = ray.get_runtime_context().get_assigned_resources()["memory"]
        if given < needed:
            raise OutOfMemoryError("killed")
        return int(given)

    with connected():
        plan = replace(plan_tasks(2, gpus=False, memory=10**6), most_memory=4 * 10**6)
        done = dict(task_results(task, {"small": 10**6, "large": 3 * 10**6}, plan, lambda: None))
        assert done == {"small": 10**6, "large": 4 * 10**6}
        with pytest.raises(FercompError, match=r"^huge: the memory of a node does not suffice"):
            list(task_results(task, {"huge": 5 * 10**6}, plan, lambda: None))
