import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.locks import exclusive
from fercomp.core.params import LayoutParams
from fercomp.stages.fetch import fetch

FILES = {
    "train.csv": ",image_path,emotion\n0,./train/anger/0.jpg,anger\n",
    "sample_submission.csv": "image_path,emotion\n0.jpg,neutral\n",
    "train/anger/0.jpg": "one",
    "train/happy/0.jpg": "two",
    "test_kaggle/0.jpg": "three",
}


def write_files(folder, files=FILES):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def write_zip(path, files=FILES, prefix=""):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in files.items():
            file.writestr(prefix + name, text)
    return path


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def names_beside(raw):
    return [path.name for path in raw.parent.iterdir()]


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "work" / "datasets" / "raw"


@pytest.mark.parametrize("prefix", ["", "competition-files/"])
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_zip_or_folder_arrives_whole_also_from_one_folder_deeper(tmp_path, raw, kind, prefix):
    if kind == "zip":
        source = write_zip(tmp_path / "a.zip", prefix=prefix)
        with zipfile.ZipFile(source, "a") as file:
            file.writestr("__MACOSX/junk" if prefix else "train/happy/", "")
    else:
        source = tmp_path / "files"
        write_files(source / prefix)
    report = fetch(str(source), raw)
    assert files_of(raw) == FILES
    assert (report.train_photos, report.test_photos, report.where) == (2, 1, raw)
    assert names_beside(raw) == ["raw"]


def test_a_folder_on_the_same_disk_takes_no_room(tmp_path, raw):
    source = write_files(tmp_path / "files")
    fetch(str(source), raw)
    assert (raw / "train.csv").samefile(source / "train.csv")


def test_a_folder_is_copied_where_hard_links_do_not_work(tmp_path, raw, monkeypatch):
    def no_link(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("fercomp.stages.fetch.os.link", no_link)
    source = write_files(tmp_path / "files")
    fetch(str(source), raw)
    assert files_of(raw) == FILES
    assert not (raw / "train.csv").samefile(source / "train.csv")


def test_links_in_a_folder_are_followed_but_not_in_circles(tmp_path, raw):
    source = write_files(tmp_path / "files")
    (source / "train").rename(tmp_path / "elsewhere")
    (source / "train").symlink_to(tmp_path / "elsewhere")
    fetch(str(source), raw)
    assert files_of(raw) == FILES
    assert not (raw / "train" / "anger").is_symlink()

    (source / "test_kaggle" / "again").symlink_to(source)
    with pytest.raises(FercompError, match="a link to a folder that it lies in"):
        fetch(str(source), raw)
    (source / "test_kaggle" / "again").unlink()
    (source / "test_kaggle" / "1.jpg").symlink_to("nowhere")
    with pytest.raises(FercompError, match="broken link"):
        fetch(str(source), raw)
    assert files_of(raw) == FILES


@pytest.mark.parametrize("absent", ["train.csv", "sample_submission.csv", "train", "test_kaggle"])
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_missing_files_are_named_and_the_old_data_stays(tmp_path, raw, kind, absent):
    write_files(raw, {"old": "data"})
    files = {name: text for name, text in FILES.items() if name.split("/")[0] != absent}
    source = write_zip(tmp_path / "a.zip", files) if kind == "zip" else write_files(tmp_path / "files", files)
    with pytest.raises(
        FercompError, match=rf"lacks {absent}/?: expected .*train\.csv, sample_submission\.csv"
    ):
        fetch(str(source), raw)
    assert files_of(raw) == {"old": "data"}
    assert names_beside(raw) == ["raw"]


def test_new_data_take_the_place_of_the_old(tmp_path, raw):
    write_files(raw, {"old": "data"})
    fetch(str(write_zip(tmp_path / "a.zip")), raw)
    assert files_of(raw) == FILES
    assert names_beside(raw) == ["raw"]


@pytest.mark.parametrize("source", ["kagle", "demmo", "no/such/file.zip"])
def test_an_unknown_source_lists_what_is_accepted(raw, source):
    with pytest.raises(
        FercompError, match=f"unknown source '{source}': expected 'demo' or 'kaggle', or the path"
    ):
        fetch(source, raw)
    assert not raw.parent.exists()


def test_a_source_and_raw_in_one_another_are_refused(tmp_path, raw):
    write_files(raw)
    (raw / "a.zip").write_bytes(write_zip(tmp_path / "a.zip").read_bytes())
    for source in (raw, raw / "a.zip", raw.parent, tmp_path, raw / "train"):
        with pytest.raises(FercompError, match="lie in one another"):
            fetch(str(source), raw)
    assert (raw / "train.csv").is_file()


def test_a_link_to_another_disk_stays_a_link(tmp_path, raw):
    (tmp_path / "disk").mkdir()
    raw.parent.mkdir(parents=True)
    raw.symlink_to(tmp_path / "disk" / "raw")
    fetch(str(write_files(tmp_path / "files")), raw)
    assert raw.is_symlink()
    assert files_of(tmp_path / "disk" / "raw") == FILES


def test_raw_that_is_a_file_is_refused(tmp_path, raw):
    write_files(raw.parent, {"raw": "a file"})
    with pytest.raises(FercompError, match="is a file"):
        fetch(str(write_files(tmp_path / "files")), raw)


def test_a_second_fetch_waits_for_the_first(tmp_path, raw):
    source = write_files(tmp_path / "files")
    raw.parent.mkdir(parents=True)
    with exclusive(raw.parent, "told elsewhere"), pytest.raises(FercompError, match="another fetch"):
        fetch(str(source), raw)
    fetch(str(source), raw)


def test_a_killed_fetch_leaves_the_old_data_and_the_next_one_cleans_up(tmp_path, raw):
    write_files(raw, {"old": "data"})
    many = write_zip(tmp_path / "many.zip", {**FILES, **{f"train/sad/{i}.jpg": "x" for i in range(20_000)}})
    code = (
        "import sys, pathlib; from fercomp.stages.fetch import fetch; "
        "fetch(sys.argv[1], pathlib.Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(many), str(raw)])
    while process.poll() is None and not list(raw.parent.glob(".part.*/*/train/sad")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"

    assert files_of(raw) == {"old": "data"}
    assert len(set(names_beside(raw)) - {".lock"}) == 2

    fetch(str(write_zip(tmp_path / "few.zip")), raw)
    assert files_of(raw) == FILES
    assert names_beside(raw) == ["raw"]


def test_old_data_that_a_killed_fetch_had_set_aside_come_back(tmp_path, raw):
    killed = f"{10**30}.0000abcd1234"
    write_files(raw.parent / f".part.{killed}.raw.old", {"old": "data"})
    write_files(raw.parent / f".part.{killed}", {"new": "data"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(FercompError, match="lacks"):
        fetch(str(tmp_path / "empty"), raw)
    assert files_of(raw) == {"old": "data"}
    assert names_beside(raw) == ["raw"]


PLACES = {
    "a pipe": lambda path: os.mkfifo(path),
    "a link to a pipe": lambda path: (os.mkfifo("pipe"), path.symlink_to("pipe")),
    "a socket": lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "nothing behind a link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "two links to each other": lambda path: (path.symlink_to("two"), Path("two").symlink_to(path.name)),
    "an empty folder": Path.mkdir,
    "an empty file": Path.touch,
    "memory": lambda path: path.symlink_to("/proc/self/mem"),
    "folders in folders": lambda path: write_files(path / Path(*["d"] * 300)) and write_files(path),
}


@pytest.mark.skipif(sys.platform != "linux", reason="what only POSIX has")
@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("end", ["", "/", "/x"])
def test_a_source_that_is_neither_archive_nor_folder_is_one_line(tmp_path, monkeypatch, raw, name, end):
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    PLACES[name](Path("files.zip"))
    write_files(raw, {"old": "data"})
    with pytest.raises(FercompError) as told:
        fetch(f"files.zip{end}", raw)
    assert "\n" not in str(told.value) and len(str(told.value)) < 500
    assert files_of(raw) == {"old": "data"}
    assert names_beside(raw) == ["raw"]


@pytest.mark.parametrize("source", ["a\0b", "\ud800", "x" * 300, "x/" * 5000, "~nosuchuser/x", "~\0", " "])
def test_a_source_that_is_no_path_is_one_line(raw, source):
    with pytest.raises(FercompError, match=r"unknown source|cannot read|no user is called"):
        fetch(source, raw)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_raw_may_not_be_a_link_to_itself(tmp_path, raw):
    raw.parent.mkdir(parents=True)
    raw.symlink_to(raw.name)
    with pytest.raises(FercompError, match="is a link that leads nowhere: remove it"):
        fetch(str(write_zip(tmp_path / "a.zip")), raw)


def test_in_a_kernel_at_kaggle_the_mounted_files_are_linked(tiny_workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOMP_KAGGLE", str(tmp_path))
    raw = tmp_path / "work" / "raw"
    for place in ("input/competitions/faces", "input/other"):
        shutil.copytree(tiny_workspace.raw, tmp_path / place)
    for competition in ("faces", "other"):
        report = fetch("kaggle", raw, competition)
        assert (report.train_photos, report.test_photos) == (72, 20)
        assert (raw / "train").is_symlink() and (raw / "train.csv").read_text().startswith(",image_path")
    images = tmp_path / "input" / "third"
    (images / "all").mkdir(parents=True)
    shutil.copytree(tiny_workspace.raw / "train", images / "all" / "train")
    shutil.copytree(tiny_workspace.raw / "test_kaggle", images / "all" / "test")
    for name in ("train.csv", "sample_submission.csv"):
        shutil.copy(tiny_workspace.raw / name, images)
    layout = LayoutParams(train="all/train", test="all/test")
    before = sorted(path for path in images.rglob("*"))
    fetch("kaggle", raw, "third", layout)
    assert not (raw / "train").is_symlink() and len(list((raw / "train").rglob("*.jpg"))) == 72
    assert sorted(path for path in images.rglob("*")) == before, "what is mounted was moved"
