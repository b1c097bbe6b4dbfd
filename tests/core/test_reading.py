"""Small files from anywhere: in the place of each may stand anything, and it may hold anything."""

import json
import os
import socket
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.output.run_file import is_ours
from fercomp.core.errors import FercompError
from fercomp.core.params import load_machine, load_params
from fercomp.core.paths import Workspace
from fercomp.core.reading import LARGEST_YAML, parse_yaml, read_json
from fercomp.kaggle.submissions.history import kaggle_scores, read_history
from fercomp.labels.journal import Journal, read_decisions
from fercomp.stages.doctor import diagnose


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**33)


PLACES = {
    "a folder": Path.mkdir,
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a folder": lambda path: path.symlink_to("."),
    "a huge file": _huge,
}


def _open_journal(path: Path) -> None:
    with Journal(path):
        pass


def _in_workspace(path: Path) -> Workspace:
    Path("submissions").mkdir()
    Path("submissions/history.csv").symlink_to(Path("..") / path)
    return Workspace()


WAYS = {
    "load_params": load_params,
    "load_machine": load_machine,
    "read_json": lambda path: read_json(path, 100, "make it anew"),
    "read_decisions": read_decisions,
    "Journal": _open_journal,
    "read_history": lambda path: read_history(_in_workspace(path)),
    "kaggle_scores": lambda path: kaggle_scores(_in_workspace(path)),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="what only POSIX has")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", WAYS)
def test_what_stands_in_the_place_of_a_file_is_told(tmp_path, monkeypatch, way, place):
    if place == "a huge file" and way in ("Journal", "read_history", "kaggle_scores"):
        pytest.skip("a table or an open journal may be as large as it is")
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    PLACES[place](Path("it.yaml"))
    with pytest.raises(FercompError) as told:
        WAYS[way](Path("it.yaml"))
    assert "\n" not in str(told.value)
    assert any(word in str(told.value) for word in ("is a", "cannot read", "has more than"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="what only POSIX has")
def test_a_folder_of_records_that_are_a_pipe_is_looked_at_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "records.csv")
    assert not is_ours(tmp_path)


def test_doctor_tells_of_a_folder_in_the_place_of_the_parameters(tmp_path):
    (tmp_path / "params.yaml").mkdir()
    found = next(f for f in diagnose(Workspace(tmp_path)) if f.subject == "params.yaml")
    assert (found.state, found.remedy) == ("problem", "correct the file")
    assert "is a folder" in found.found


def laughs(width: int, depth: int) -> str:
    lines = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, depth)]
    return "\n".join(["a0: &a0 [x, x]", *lines])


def merges(width: int, depth: int) -> str:
    lines = [f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * width)}]\n  k{i}: 1" for i in range(1, depth)]
    return "\n".join(["a0: &a0 {x: 1}", *lines])


BOMBS = {
    **{f"laughs {w} {d}": laughs(w, d) for w, d in ((2, 40), (3, 30), (10, 9), (100, 5), (5000, 2))},
    **{f"merges {w} {d}": merges(w, d) for w, d in ((1, 3000), (2, 40), (3, 30), (100, 5))},
    "one alias often": "a: &a [1, 2, 3]\nb: [" + "*a, " * 5000 + "]",
    "keys": "a: &a {? [x] : y}\n" + "\n".join(f"b{i}: *a" for i in range(5000)),
    "holds itself": "train: &x\n  backbone: *x\n",
    "list that holds itself": "&x [*x]",
    "two that hold each other": "&x [&y [*x]]",
    "merges itself": "a: &a\n  <<: *a\n",
    "many values": "[" + "1, " * 20_000 + "]",
    "many keys": "\n".join(f"k{i}: 1" for i in range(6000)),
    "a key often": "a: 1\n" * 10_000,
    "brackets": "[" * LARGEST_YAML,
    "braces": "{" * 20_000,
    "dashes": "- " * 30_000,
    "questions": "? " * 30_000,
    "deep": "".join(" " * i + f"a{i}:\n" for i in range(300)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_time_and_memory(tmp_path, name):
    (tmp_path / "params.yaml").write_text(BOMBS[name])
    began = time.process_time()
    with pytest.raises(FercompError, match=r"is not YAML: |has more than ") as told:
        load_params(tmp_path / "params.yaml")
    assert time.process_time() - began < 5  # a second on a quiet machine
    assert len(str(told.value)) < 500
    if name.startswith(("laughs", "merges")):
        tracemalloc.start()
        with pytest.raises(FercompError):
            load_machine(tmp_path / "params.yaml")
        assert tracemalloc.get_traced_memory()[1] < 30e6
        tracemalloc.stop()


def test_anchors_and_merges_of_ordinary_files_stay(tmp_path):
    text = "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, x: 2}\nc: [*a, *a]\n"
    assert parse_yaml(text, "here") == {
        "a": {"x": 1, "y": [1, 2]},
        "b": {"x": 2, "y": [1, 2]},
        "c": [{"x": 1, "y": [1, 2]}] * 2,
    }
    many = "experiments:\n" + "".join(f"  e{i}: {{epochs: {i}, dropout: 0.1}}\n" for i in range(1, 500))
    (tmp_path / "params.yaml").write_text(many)
    assert len(load_params(tmp_path / "params.yaml").experiments) == 499


@pytest.mark.parametrize(
    "text",
    ["a: !!bool b", "a: !!int b", "a: !!float b", "a: !!timestamp b", "a: !!binary é", "!!set 1",
     "a: !!omap b", "a: !!pairs b", "a: !!python/name:os.system", "a: &x 1\nb: &x 2"],
)  # fmt: skip
def test_tags_that_do_not_fit_and_anchors_that_stand_twice_are_one_line(text):
    with pytest.raises(FercompError, match=r"^here is not YAML: ") as caught:
        parse_yaml(text, "here")
    assert "\n" not in str(caught.value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc é", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=30,
)


@given(_VALUES)
def test_what_is_small_comes_back(value):
    assert parse_yaml(json.dumps(value), "here") == value
