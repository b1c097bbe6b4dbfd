import os
import sys

import pandas as pd
import pytest

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.sources import find_sources
from fercomp.core.errors import FercompError


def names(folder, output):
    return [photo.file for photo in find_sources(folder, output)]


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
    photo = find_sources(tmp_path / "scan", tmp_path / "out")[0]
    assert (photo.path, photo.file) == (tmp_path / "scan", "scan")


def test_links_to_folders_do_not_lead_in_circles(photos):
    (photos / "b" / "back").symlink_to(photos)
    assert len(names(photos, photos / "out")) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_has_a_name_on_record(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.jpg")).touch()
    photo = find_sources(tmp_path / "in", tmp_path / "out")[0]
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
        find_sources(tmp_path / "missing", tmp_path / "out")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FercompError, match=r"holds no photos and no videos \(.*jpg.*mp4.*png"):
        find_sources(tmp_path, tmp_path / "out")
