"""Files and folders are the old ones or the new ones, whatever happens to the writer."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.files import (
    atomic_file,
    atomic_folder,
    is_disk_full,
    require_space,
    sha256,
    write_json,
    write_text,
)
from fercomp.core.temporary import sweep_parts

LIMITED = """
import resource, sys
from pathlib import Path
from fercomp.core.files import is_disk_full
from fercomp.core.files import write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), "x" * 100_000)
except OSError as error:
    sys.exit(7 if is_disk_full(error) else 8)
"""

STUCK = """
import sys, time
from pathlib import Path
from fercomp.core.files import atomic_file
from fercomp.core.files import atomic_folder
path, kind = Path(sys.argv[1]), sys.argv[2]
with {"file": atomic_file, "folder": atomic_folder}[kind](path) as temporary:
    (temporary if kind == "file" else temporary / "a").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_file_is_written_with_missing_parents_and_ordinary_permissions(tmp_path):
    path = tmp_path / "a" / "b" / "text.csv"
    write_text(path, "né\n")
    assert path.read_bytes() == "né\n".encode()
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    assert left_over(path.parent) == []


def test_temporary_file_keeps_the_suffix_and_stands_beside(tmp_path):
    with atomic_file(tmp_path / "picture.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_raise_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(error), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_raise_leaves_the_old_folder(tmp_path, error):
    path = tmp_path / "raw"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(error), atomic_folder(path) as temporary:
        (temporary / "half").touch()
        raise error
    assert [child.name for child in path.iterdir()] == ["old"]
    assert left_over(tmp_path) == []


def test_folder_replaces_the_old_one_whole(tmp_path):
    path = tmp_path / "raw"
    for name in ("old", "new"):
        with atomic_folder(path) as temporary:
            assert list(temporary.iterdir()) == []
            (temporary / name).touch()
    assert [child.name for child in path.iterdir()] == ["new"]
    plain = tmp_path / "plain"
    plain.mkdir()
    assert path.stat().st_mode == plain.stat().st_mode
    assert left_over(tmp_path) == []


def test_old_folder_comes_back_where_the_new_one_cannot_take_its_place(tmp_path):
    path = tmp_path / "raw"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(FileNotFoundError), atomic_folder(path) as temporary:
        temporary.rmdir()
    assert [child.name for child in path.iterdir()] == ["old"]
    assert left_over(tmp_path) == []


def test_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    disk = tmp_path / "disk"
    (disk / "raw").mkdir(parents=True)
    (disk / "raw" / "old").touch()
    link = tmp_path / "raw"
    link.symlink_to(disk / "raw")
    with atomic_folder(link) as temporary:
        (temporary / "new").touch()
    assert link.is_symlink()
    assert [child.name for child in (disk / "raw").iterdir()] == ["new"]
    assert left_over(tmp_path) == left_over(disk) == []


def test_wrong_kind_of_place_is_told(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FercompError, match=r"is a folder, a file was expected"), atomic_file(tmp_path):
        pass
    with pytest.raises(FercompError, match=r"is a file, a folder was expected"), atomic_folder(file):
        pass
    for place in (file / "under.txt", Path("/proc/fercomp/a.txt")):
        with pytest.raises(FercompError, match=r"cannot write .*; choose another folder"):
            write_text(place, "x")
    assert file.read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_killed_writer_leaves_the_old(tmp_path, kind):
    path = tmp_path / "thing"
    if kind == "file":
        path.write_text("old")
    else:
        path.mkdir()
        (path / "a").write_text("old")
    writer = subprocess.Popen([sys.executable, "-c", STUCK, path, kind], stdout=subprocess.PIPE)
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)
    assert (path if kind == "file" else path / "a").read_text() == "old"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_goes_when_the_next_writes_there(tmp_path, kind):
    writer = subprocess.Popen([sys.executable, "-c", STUCK, tmp_path / "a", kind], stdout=subprocess.PIPE)
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        (left,) = left_over(tmp_path)
        sweep_parts(tmp_path)
        assert left_over(tmp_path) == [left], "it still writes"
        writer.send_signal(signal.SIGKILL)
    write_text(tmp_path / "b.txt", "")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_a_folder_that_a_killed_writer_had_set_aside_comes_back(tmp_path):
    killed = f".part.{10**30}.0123456789ab"
    for name, there in (("gone", False), ("there", True)):
        (tmp_path / f"{killed}.{name}.old").mkdir()
        (tmp_path / f"{killed}.{name}.old" / "old").touch()
        if there:
            (tmp_path / name).mkdir()
    (tmp_path / f".part.{10**30}.mine").mkdir()
    sweep_parts(tmp_path)
    assert left_over(tmp_path) == [f".part.{10**30}.mine"]
    assert (tmp_path / "gone" / "old").exists()
    assert not list((tmp_path / "there").iterdir())


def test_what_another_machine_writes_on_the_same_disk_stays_unless_the_folder_is_locked(tmp_path):
    left = tmp_path / f".part.{10**30}.0123456789ab.csv"
    left.touch()
    write_text(tmp_path / "a.txt", "")
    assert left.exists()
    sweep_parts(tmp_path)
    assert not left.exists()


def test_a_writer_killed_at_any_moment_never_shows_a_half(tmp_path):
    path = tmp_path / "counts.json"
    script = (
        "import sys; from pathlib import Path; from fercomp.core.files import write_json\n"
        "for n in range(10**9): write_json(Path(sys.argv[1]), {'n': n, 'more': [n] * 20_000})"
    )
    for wait in (0.0, 0.013, 0.031):
        writer = subprocess.Popen([sys.executable, "-c", script, path])
        with writer:
            deadline = time.monotonic() + 30
            path.unlink(missing_ok=True)
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(wait)
            writer.send_signal(signal.SIGKILL)
        value = json.loads(path.read_text())
        assert value["more"] == [value["n"]] * 20_000


def test_no_room_leaves_the_old_file_and_is_told_from_other_errors(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = subprocess.run([sys.executable, "-c", LIMITED, path], check=False).returncode
    assert code == 7
    assert path.read_text() == "old"
    assert left_over(tmp_path) == []
    assert not is_disk_full(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    assert not is_disk_full(OSError("no number"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_the_full_device_is_a_full_disk():
    with pytest.raises(OSError) as caught, open("/dev/full", "w") as file:  # noqa: PTH123 - a device, not a path
        file.write("x")
        file.flush()
    assert is_disk_full(caught.value)


def test_json_is_readable_and_refuses_what_json_has_not(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"né": 1.5})
    assert path.read_text(encoding="utf-8") == '{\n  "né": 1.5\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, float("nan"))
    assert json.loads(path.read_text(encoding="utf-8")) == {"né": 1.5}


def test_sha256(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_required_space_is_looked_up_where_the_folder_will_be(tmp_path):
    require_space(tmp_path / "not" / "yet", 1)
    with pytest.raises(FercompError, match=r"not enough disk under .*1.0 EB needed"):
        require_space(tmp_path / "not" / "yet", 10**18)


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe"])
@pytest.mark.parametrize("make", [atomic_file, atomic_folder])
def test_devices_and_pipes_are_never_replaced(tmp_path, kind, make):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to a pipe").symlink_to(tmp_path / "pipe")
    with pytest.raises(FercompError, match="is a device or a pipe"), make(tmp_path / kind):
        raise AssertionError("nothing may be written")
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link to a pipe", "pipe"]
