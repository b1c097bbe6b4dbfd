import json
import tracemalloc
from pathlib import Path

from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.records.rows import problem_row
from fercomp.annotate.sources.found import Found, Photo, Video
from fercomp.annotate.sources.walk import find_sources
from fercomp.core.classes import EMOTIONS


def test_sources_come_folder_by_folder_and_are_known_by_name():
    elsewhere = Photo(Path("elsewhere/y.jpg"), "a/y.jpg")
    found = Found(Path("in"), {"a-b/x.jpg": None, "a/y.jpg": elsewhere, "b.MP4": None, "a/b/z.jpg": None})
    assert list(found) == [
        Photo(Path("in/a/b/z.jpg"), "a/b/z.jpg"),
        elsewhere,
        Photo(Path("in/a-b/x.jpg"), "a-b/x.jpg"),
        Video(Path("in/b.MP4"), "b.MP4"),
    ]
    assert all(file in found for file in found.files)
    assert not any(file in found for file in ("", "a", "a/", "a/b", "c.jpg", Path("b.MP4")))
    clips = found.only(found.is_video)
    assert (list(clips), "a/y.jpg" in clips) == ([found[3]], False)


def test_what_several_relative_paths_have_in_common_keeps_their_names(tmp_path, monkeypatch):
    for name in ("in/a/x.jpg", "in/b/y.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    sources = find_sources([Path("in/a"), Path("in/b/y.jpg")], Path("out"))
    assert [str(source.path) for source in sources.found] == [
        str(Path("in/a/x.jpg")),
        str(Path("in/b/y.jpg")),
    ]
    assert sources.root == tmp_path / "in"


def test_many_photos_take_little_memory(tmp_path):
    def most_bytes(number):
        """Lists and puts on record so many photos; returns the most memory that Python held meanwhile."""
        photos, out = tmp_path / f"in{number}", tmp_path / f"out{number}"
        photos.mkdir()
        for i in range(number):
            (photos / f"photo-{i:05}.jpg").touch()
        tracemalloc.start()
        sources = find_sources([photos], out)
        with OutputFolder(out, photos, sources.found, EMOTIONS, {}) as folder:
            for photo in folder.todo:
                folder.records.append([problem_row(photo.file, "empty")])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        text = (out / "run.json").read_text()
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
        return most

    most_bytes(10)  # what is imported on the way
    first = most_bytes(100)
    assert (most_bytes(1100) - first) / 1000 < 400
