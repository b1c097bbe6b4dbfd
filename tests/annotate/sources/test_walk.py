import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.sources.walk import find_sources
from fercomp.core.errors import FercompError
from tests.forks import MAIN

CLI = (sys.executable, "-c", MAIN, "annotate")


def names(folder, output):
    return [photo.file for photo in find_sources([folder], output).found]


def test_photos_of_all_sub_folders_in_the_order_of_their_names(photos, tmp_path):
    (photos / "labels.csv").write_text("image_path\n")
    (photos / ".hidden.jpg").write_bytes(b"")
    (photos / ".git").mkdir()
    (photos / ".git" / "icon.png").write_bytes(b"")
    (photos / "UPPER.JPG").write_bytes(b"")
    assert names(photos, tmp_path / "out") == [
        "UPPER.JPG",
        "a/deep/face.png",
        "a/face.jpg",
        "b/face.jpg",
        "landscape.png",
        "two.webp",
        "ünïcode, name.jpg",
    ]


def test_the_output_folder_is_no_source(photos):
    assert not any(name.startswith("a/") for name in names(photos, photos / "a"))


def test_one_photo_is_taken_whatever_its_name(tmp_path):
    (tmp_path / "scan").write_bytes(b"")
    photo = find_sources([tmp_path / "scan"], tmp_path / "out").found[0]
    assert (photo.path, photo.file) == (tmp_path / "scan", "scan")


def test_links_to_folders_do_not_lead_in_circles(photos):
    (photos / "b" / "back").symlink_to(photos)
    assert len(names(photos, photos / "out")) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_has_a_name_on_record(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.jpg")).touch()
    photo = find_sources([tmp_path / "in"], tmp_path / "out").found[0]
    assert photo.file.encode("utf-8")
    assert photo.path.is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_of_several_lines_is_one_line_on_record(bundle, photos, tmp_path):
    data = (photos / "a/face.jpg").read_bytes()
    (photos / "new\nline.jpg").write_bytes(data)
    (photos / "carriage\rreturn.jpg").write_bytes(data)
    for earlier in (0, 8):
        done = annotate_media(photos, tmp_path / "out", bundle)
        assert (done.photos, done.earlier) == (8, earlier)
    files = set(pd.read_csv(done.records)["file"])
    assert {"new\\x0aline.jpg", "carriage\\x0dreturn.jpg"} < files


def test_no_path_and_no_photos_are_one_line(tmp_path):
    with pytest.raises(FercompError, match="missing not found: name a photo, a video or a folder"):
        find_sources([tmp_path / "missing"], tmp_path / "out")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FercompError, match=r"holds no photos and no videos \(.*jpg.*mp4.*png"):
        find_sources([tmp_path], tmp_path / "out")


def test_linked_sub_folders_are_looked_into_once(photos, tmp_path):
    other = tmp_path / "other" / "deep"
    other.mkdir(parents=True)
    (other / "far.jpg").write_bytes(b"")
    (photos / "0 first").symlink_to(photos / "b")  # what it links to is found under its own name
    (photos / "b" / "linked").symlink_to(tmp_path / "other")
    (photos / "b" / "again").symlink_to(other)
    (photos / "self").symlink_to("self")
    (photos / "up").symlink_to(tmp_path)
    (other / "back").symlink_to(photos)
    found = names(photos, tmp_path / "out")
    assert sorted(name.rsplit("/", 1)[-1] for name in found) == sorted(
        ["face.png", "face.jpg", "face.jpg", "landscape.png", "two.webp", "ünïcode, name.jpg", "far.jpg"]
    )
    assert "b/face.jpg" in found


def test_deep_folders(tmp_path):
    deep = (tmp_path / "in").joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(b"")
    assert names(tmp_path / "in", tmp_path / "out") == ["d/" * 300 + "a.jpg"]


def test_what_is_left_out_is_told_by_suffix(photos, tmp_path):
    for name in ("a.txt", "b.TXT", "c.pdf", "README", "._a.jpg", ".hidden", "d.jp\ng"):
        (photos / name).write_bytes(b"")
    told = find_sources([photos], tmp_path / "out").told_left_out()
    assert told == "left out: 2 .txt, 1 hidden, 1 without suffix, 1 .pdf, 1 .jp\\x0ag"
    assert find_sources([photos / "a"], tmp_path / "out").told_left_out() == ""


def test_several_paths_are_named_from_the_folder_that_all_are_in(photos, tmp_path):
    found = find_sources([photos / "a", photos / "two.webp", photos / "a" / "face.jpg"], tmp_path / "out")
    assert found.root == photos
    assert [source.file for source in found.found] == ["a/deep/face.png", "a/face.jpg", "two.webp"]
    alike = find_sources([photos / "a/face.jpg", photos / "b/face.jpg"], tmp_path / "out")
    assert [source.file for source in alike.found] == ["a/face.jpg", "b/face.jpg"]


def test_a_file_that_is_named_in_several_ways_is_one(bundle, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    ways = [Path("two.webp"), photos / "two.webp", Path("a/../two.webp"), Path("a"), Path("a/../a/face.jpg")]
    done = annotate_media(ways, tmp_path / "out", bundle)
    assert (done.photos, done.faces) == (3, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_no_two_names_become_one_by_escaping(tmp_path):
    (tmp_path / "in").mkdir()
    for name in (
        "a\n.jpg",
        "a\\x0a.jpg",
        "a\\x5cx0a.jpg",
        "a\\n.jpg",
        os.fsdecode(b"\xe9.jpg"),
        "\\udce9.jpg",
    ):
        (tmp_path / "in" / name).write_bytes(b"")
    assert len(set(names(tmp_path / "in", tmp_path / "out"))) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_a_folder_that_may_not_be_looked_into_has_a_row(bundle, photos, tmp_path, without_privileges):
    (photos / "closed").mkdir(mode=0)
    (photos / "secret.jpg").write_bytes((photos / "a/face.jpg").read_bytes())
    (photos / "secret.jpg").chmod(0)
    out = tmp_path / "out"
    run = subprocess.run(
        [*CLI, str(photos), "-o", str(out), "-m", str(bundle.folder)],
        capture_output=True,
        text=True,
        preexec_fn=without_privileges,
    )
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    table = pd.read_csv(out / "records.csv", keep_default_na=False)
    status = dict(zip(table["file"], table["status"], strict=True))
    assert status["closed/"] == status["secret.jpg"] == "permission_denied"
    assert (table["status"] == "face").sum() == 6
