"""`annotate` and `live` from requirements-show.txt alone: without TensorFlow, pandas and all that trains."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import connect

from tests.drawn import draw_clip, draw_group
from tests.forks import Forks
from tests.make_tiny import TINY
from tests.web.conftest import Server, ask
from tests.web.test_live import jpeg

PROJECT = Path(__file__).parents[1]
REQUIREMENTS = PROJECT / "requirements-show.txt"

ALONE = """
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from importlib.util import find_spec
from packaging.requirements import Requirement

def closure(names):
    known, todo = set(), list(names)
    while todo:
        wanted = Requirement(todo.pop())
        name = wanted.name.lower().replace("_", "-")
        if name in known:
            continue
        known.add(name)
        try:
            todo += [r for r in requires(name) or () if applies(Requirement(r), wanted.extras)]
        except PackageNotFoundError:
            pass
    return known

def applies(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))

lines = [line.strip() for line in open(sys.argv.pop(1)) if line.strip() and not line.startswith("#")]
allowed = closure(lines) | {"fercomp", "opencv-python", "opencv-python-headless"}
foreign = {
    module for module, owners in packages_distributions().items()
    if not allowed & {owner.lower().replace("_", "-") for owner in owners}
}

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in foreign:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
for name in [name for name in sys.modules if name.partition(".")[0] in foreign]:
    del sys.modules[name]
for name in ("tensorflow", "keras", "pandas", "sklearn", "dvc", "kaggle"):
    assert name in foreign, name
from fercomp.cli.app import main
main()
"""
"""Runs a command where only what a file lists, and what that needs, can be imported."""


def requirements(lines):
    found = (re.match(r"([A-Za-z0-9._-]+)(\S*)", line) for line in lines if not line.startswith("#"))
    return {each[1]: each[2] for each in found if each}


def test_the_versions_are_those_of_the_project():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = requirements([*project["dependencies"], *project["optional-dependencies"]["headless"]])
    listed = requirements(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    assert listed == {name: known[name] for name in listed}


def alone(*words, cwd):
    command = [sys.executable, "-c", ALONE, REQUIREMENTS, *words]
    environment = {**os.environ, "COLUMNS": "1000"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, cwd=cwd)


IMPORTED_AS = {
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "ruamel.yaml": "ruamel",
    "pi-heif": "pi_heif",
}
OTHERS = {
    "starlette": "is FastAPI's own",
    "pandas": "tables of other commands, and `Faces.to_frame`",
    "sklearn": "scores of trained models",
    "keras": "networks that cannot be exported",
    "tensorflow": "the same",
    "jax": "the same",
    "torch": "the same",
    "pyarrow": "--records parquet",
    "ray": "--on ray",
    "fsspec": "the same",
}
"""What the code that these two commands reach imports besides, for something else."""


@pytest.mark.slow
def test_the_list_has_whatever_they_may_import():
    graph = grimp.build_graph("fercomp", include_external_packages=True, cache_dir=None)
    reached, waiting = set(), {"fercomp.cli.annotate", "fercomp.cli.live", "fercomp.web.live"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        if module.startswith("fercomp"):
            waiting |= graph.find_modules_directly_imported_by(module) - reached
    packages = {module for module in reached if module.partition(".")[0] not in sys.stdlib_module_names}
    listed = requirements(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    modules = {IMPORTED_AS.get(name, name) for name in listed}
    assert {name for name in packages if not name.startswith("fercomp")} - modules == set(OTHERS)


@pytest.mark.slow
def test_photos_and_clips_are_annotated_with_nothing_else(tmp_path, write_clip):
    photos = tmp_path / "in"
    photos.mkdir()
    people = draw_group(["happy", "sad"], np.random.default_rng(3), 640, 480)
    Image.fromarray(people).save(photos / "two.jpg", quality=92)
    frames = draw_clip([("neutral", "happy"), ("sad", "fear")], np.random.default_rng(2), 320, 240, 10)
    write_clip(photos / "clip.mp4", list(frames))
    done = alone("annotate", photos, "--output", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "records.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows if row["status"] == "face"} == {"two.jpg", "clip.mp4"}
    assert len(list((tmp_path / "out").glob("clip*"))) >= 2, "the copy and the timeline"
    shutil.copytree(TINY, tmp_path / "workspace")
    refused = alone("train", cwd=tmp_path / "workspace")
    assert refused.returncode == 1
    told = r"error: this needs \w+, which is not installed: .* TensorFlow, .* pip install '/path/.*\n"
    assert re.fullmatch(told, refused.stderr)


@pytest.mark.slow
def test_live_answers_with_nothing_else(tmp_path):
    forks = Forks("")
    try:
        server = Server(forks, str(REQUIREMENTS), "live", "--output", str(tmp_path), cwd=tmp_path, code=ALONE)
        assert ask(server, f"/?token={server.token}")[0] == 200
        address = f"ws://{server.host}/frames?token={server.token}"
        people = jpeg(draw_group(["happy", "sad"], np.random.default_rng(3), 480, 360))
        with connect(address, origin=f"http://{server.host}") as socket:
            socket.recv()
            for message in ('{"record": true}', people, '{"record": false}'):
                socket.send(message)
                answer = json.loads(socket.recv(timeout=120))
                assert answer["kind"] in ("recording", "faces"), answer
        assert len(answer["timeline"]["people"]) == 2
    finally:
        forks.close()
