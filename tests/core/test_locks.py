"""One process at a time, whatever ends it; what killed ones left goes, what is being written stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.locks import Busy, exclusive, locked
from fercomp.core.temporary import sweep_parts

HOLDER = """
import sys, time
from pathlib import Path
from fercomp.core.locks import exclusive
with exclusive(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    time.sleep(60)
"""

CROWD = """
import os, sys, time
from pathlib import Path
from fercomp.core.locks import Busy, exclusive
folder, end, wins = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    try:
        with exclusive(folder, "busy"):
            os.close(os.open(folder / "alone", os.O_CREAT | os.O_EXCL))  # fails where somebody else is inside
            wins += 1
            (folder / "alone").unlink()
    except Busy:
        pass
print(wins)
"""


@pytest.fixture
def ended():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, name):
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(Busy, match="wait for it"),
            exclusive(tmp_path, "wait for it"),
        ):
            pass
        holder.send_signal(getattr(signal, name))
        holder.wait()
    with exclusive(tmp_path, "busy"):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_of_many_who_come_and_go_one_at_a_time_is_inside(tmp_path):
    crowd = [
        subprocess.Popen([sys.executable, "-c", CROWD, tmp_path, "1.5"], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    wins = [int(process.communicate()[0]) for process in crowd]
    assert [process.returncode for process in crowd] == [0] * 4
    assert sum(wins) > 100
    assert list(tmp_path.iterdir()) == []


def test_the_same_process_is_kept_out_too_and_an_error_gives_the_lock_back(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a" / ".lock", "busy"):
        with pytest.raises(Busy, match="busy"), locked(tmp_path / "a" / ".lock", "busy"):
            pass
        raise ZeroDivisionError
    with locked(tmp_path / "a" / ".lock", "busy"):
        pass


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_folder_that_cannot_be_locked_is_told(tmp_path, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        (place / ".lock").mkdir(parents=True)
    else:
        place.mkdir()
        (place / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FercompError, match=r"cannot write .*place"), exclusive(place, "busy"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_what_a_killed_writer_left_goes_when_the_folder_is_taken(tmp_path, ended):
    left = [tmp_path / f".part.{ended}.0123abcd.csv", tmp_path / f".part.{10**30}.0123456789ab.csv"]
    other = [
        tmp_path / ".part.notes.csv",
        tmp_path / f".part.{ended}.zip",
        tmp_path / f".part.{ended}.a.csv",
        tmp_path / f".part.{os.getppid()}.0123abcd.csv",
        tmp_path / f"a.{ended}.b",
    ]
    for path in (*left, *other):
        path.touch()
    (tmp_path / f".part.{ended}.folder").mkdir()
    with atomic_file(tmp_path / "mine.csv") as temporary, exclusive(tmp_path, "busy"):
        assert temporary.is_file()
        assert not any(path.exists() for path in left)
        assert all(path.exists() for path in other)


def test_a_leftover_whose_writer_had_our_number_goes_too(tmp_path):
    """In a container, the first process has the same number after every start."""
    left = tmp_path / f".part.{os.getpid()}.deadbeef.csv"
    left.touch()
    with atomic_file(tmp_path / "mine.csv") as temporary:
        sweep_parts(tmp_path)
        assert temporary.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    assert not left.exists()


def test_somebody_elses_file_of_the_lock_s_name_stays(tmp_path):
    (tmp_path / ".lock").write_text("mine")
    with exclusive(tmp_path, "busy"), pytest.raises(Busy), exclusive(tmp_path, "busy"):
        pass
    assert (tmp_path / ".lock").read_text() == "mine"


def test_a_disk_that_does_not_lock_is_used_without(tmp_path, monkeypatch):
    def refused(descriptor: int, blocking: bool) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("filelock.lock_descriptor", refused)
    with exclusive(tmp_path, "busy"):
        Path(tmp_path, "a").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
