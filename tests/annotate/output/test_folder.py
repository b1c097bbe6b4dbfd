import json
import os
import shutil
import subprocess
from contextlib import nullcontext
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fercomp.annotate.output.encoding import encode
from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.output.run_file import RunFile
from fercomp.annotate.records.rows import face_rows, problem_row
from fercomp.annotate.sources.found import Found, Photo
from fercomp.annotate.sources.walk import find_sources
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.faces.found import Faces
from fercomp.media.image_formats import HEIC_SUFFIXES, IMAGE_SUFFIXES
from fercomp.media.images import ImageProblem, decode_image, read_image

NO_FACES = Faces(np.empty((0, 4), np.float32), np.empty(0, np.float32))
FORMATS = {
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
SETTINGS = {"fercomp": "1", "fingerprint": "0", "model": "tiny"}
GREY = np.full((40, 60, 3), 90, dtype=np.uint8)


def opened(photos, output, **settings):
    found = find_sources([photos], output).found
    return OutputFolder(output, photos, found, EMOTIONS, {**SETTINGS, **settings})


def no_face(photo):
    return face_rows(photo.file, NO_FACES)


def finish(folder, photo):
    folder.write_copy(photo, encode(photo, GREY))
    folder.records.append(no_face(photo))


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_a_copy_keeps_name_and_format(tmp_path, suffix):
    photo = Photo(tmp_path / f"in/x{suffix}", f"sub/x{suffix}")
    gradient = np.repeat(np.arange(60, dtype=np.uint8)[None, :, None] * 4, 40, axis=0).repeat(3, axis=2)
    gradient[..., 1] //= 2
    with OutputFolder(tmp_path / "out", tmp_path / "in", Found.of([photo]), EMOTIONS, {}) as folder:
        folder.write_copy(photo, encode(photo, gradient))
    copy = tmp_path / "out" / "sub" / (f"x{suffix}.jpg" if suffix in HEIC_SUFFIXES else f"x{suffix}")
    assert np.abs(read_image(copy).astype(int) - gradient).mean() < 4
    with Image.open(copy) as image:
        assert image.format == FORMATS.get(suffix, "JPEG")


def test_a_photo_named_as_something_else_is_copied_as_a_png(tmp_path):
    photo = Photo(tmp_path / "clip.mp4", "clip.mp4")
    with OutputFolder(tmp_path / "out", tmp_path, Found.of([photo]), EMOTIONS, {}) as folder:
        finish(folder, photo)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "clip.mp4.png"), GREY)


def test_a_jpeg_keeps_all_of_its_colour(tmp_path):
    stripes = np.zeros((16, 16, 3), dtype=np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 255  # red and blue in turn: violet where colour is halved
    data = encode(Photo(tmp_path / "x.jpg", "x.jpg"), stripes)
    assert np.abs(decode_image(data).astype(int) - stripes).mean() < 3
    with Image.open(BytesIO(data)) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".gif"])
def test_more_pixels_than_a_format_holds_is_a_problem_of_that_photo(tmp_path, suffix):
    photo = Photo(tmp_path / f"long{suffix}", f"long{suffix}")
    with pytest.raises(ImageProblem, match="has 70000x8 pixels, too many for"):
        encode(photo, np.zeros((8, 70000, 3), dtype=np.uint8))


def test_what_is_on_record_is_not_done_again(photos, tmp_path):
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 6
        for photo in list(folder.todo)[:4]:
            finish(folder, photo)
    with opened(photos, tmp_path / "out") as folder:
        assert [photo.file for photo in folder.todo] == ["two.webp", "ünïcode, name.jpg"]


@pytest.mark.parametrize("change", ["photo changed", "copy removed", "could not be read", "cut off", "new"])
def test_what_is_not_done_is_done_again_and_comes_to_its_place(photos, tmp_path, change):
    out = tmp_path / "out"
    with opened(photos, out) as folder:
        for photo in folder.todo:
            if change == "could not be read" and photo.file == "a/face.jpg":
                folder.records.append([problem_row(photo.file, "truncated")])
            else:
                finish(folder, photo)
    redo = ["a/face.jpg"]
    if change == "photo changed":
        later = (out / "a/face.jpg").stat().st_mtime + 5
        os.utime(photos / "a/face.jpg", (later, later))
    elif change == "copy removed":
        (out / "a/face.jpg").unlink()
    elif change == "cut off":
        os.truncate(out / "records.csv", (out / "records.csv").stat().st_size - 3)
        redo = ["ünïcode, name.jpg"]
    elif change == "new":
        (photos / "a" / "also.jpg").write_bytes((photos / "a/face.jpg").read_bytes())
        redo = ["a/also.jpg"]
    with opened(photos, out) as folder:
        assert [photo.file for photo in folder.todo] == redo
        finish(folder, folder.todo[0])
    assert list(folder.records.index()) == [photo.file for photo in find_sources([photos], out).found]
    assert all(rows[0]["status"] == "no_face" for rows in folder.records.pictures())


def test_photos_that_are_gone_are_off_the_record(photos, tmp_path):
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    (photos / "two.webp").unlink()
    with opened(photos, tmp_path / "out") as folder:
        assert list(folder.todo) == []
    assert "two.webp" not in folder.records.index()


def test_other_settings_start_anew_and_say_so(photos, tmp_path, capsys):
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    capsys.readouterr()
    with opened(photos, tmp_path / "out", detector="whole") as folder:
        assert len(folder.todo) == 6
        assert folder.records.index() == {}
    assert capsys.readouterr().err == (
        f"{tmp_path / 'out'} holds another run (detector None): its rows are now records.1.csv; copies of "
        "the same name are replaced, so to keep both use --output DIR\n"
    )
    for people in (False, True):
        with opened(photos, tmp_path / "out", detector="whole", people=people):
            pass
    assert "another run (without people): starting anew" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "", "[]", "{", "\xff"])
def test_without_a_readable_run_record_the_records_start_anew(photos, tmp_path, text):
    with opened(photos, tmp_path / "out") as folder:
        finish(folder, folder.todo[0])
    settings = tmp_path / "out" / "run.json"
    settings.unlink()
    if text is not None:
        settings.write_text(text, encoding="latin-1")
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 6


def test_after_an_error_what_was_finished_stays(photos, tmp_path):
    with pytest.raises(KeyboardInterrupt), opened(photos, tmp_path / "out") as folder:
        finish(folder, folder.todo[2])
        raise KeyboardInterrupt
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 5


def test_the_photos_themselves_are_never_overwritten(photos):
    for output in (photos, photos / "a" / ".."):
        with pytest.raises(FercompError, match="would overwrite the originals"):
            opened(photos, output)
    (photos / "a" / "a").mkdir()
    (photos / "a" / "a" / "face.jpg").write_bytes(b"")  # its copy in photos/ would be a/face.jpg
    with pytest.raises(FercompError, match="would overwrite the originals"):
        OutputFolder(photos, photos / "a", find_sources([photos / "a"], photos).found, EMOTIONS, {})


def test_an_output_that_cannot_be_a_folder_is_one_line(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FercompError, match="choose another folder"), opened(photos, tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_text() == ""


def test_a_folder_of_somebody_else_is_refused(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").write_bytes(b"")  # of the system, nobody's work
    with opened(photos, out):
        pass
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with (
        pytest.raises(FercompError, match=r"holds files that annotate did not write.*--force"),
        opened(photos, other),
    ):
        pass
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    with OutputFolder(other, photos, find_sources([photos], other).found, EMOTIONS, {}, force=True) as folder:
        assert len(folder.todo) == 6
    assert (other / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", ["two.webp", "a/face.jpg"])
def test_a_file_of_somebody_else_among_the_copies_is_refused(photos, tmp_path, name):
    out = tmp_path / "out"
    first = find_sources([photos / "landscape.png"], out).found
    with OutputFolder(out, photos, first, EMOTIONS, SETTINGS) as folder:
        finish(folder, folder.todo[0])
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("drawn by hand")
    with (
        pytest.raises(FercompError, match=f"{name} would be replaced, which annotate did not write"),
        opened(photos, out),
    ):
        pass
    assert (out / name).read_text() == "drawn by hand"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_run_that_was_killed_as_it_began_goes_on(photos, tmp_path, kind, monkeypatch):
    """Its records are there, without a row, and nothing says by what they are made."""
    found = find_sources([photos], tmp_path / "out").found

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    def begun():
        return OutputFolder(tmp_path / "out", photos, found, EMOTIONS, SETTINGS, kind)

    with monkeypatch.context() as patch:
        patch.setattr(RunFile, "write", kill)
        with pytest.raises(Killed), begun():
            pass
    with begun() as folder:
        assert len(folder.todo) == 6
        finish(folder, folder.todo[0])
    with begun() as folder:
        assert len(folder.todo) == 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.json", '{"wandb": 1}'),
        ("records.jsonl", '{"file": "x.wav", "text": "mine"}\n'),
        ("records.csv", "file,status,who\nx.wav,done,me\n"),
    ],
)
def test_a_file_that_is_called_as_ours_does_not_make_a_folder_ours(photos, tmp_path, name, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(text)
    with pytest.raises(FercompError, match="annotate did not write"), opened(photos, tmp_path / "out"):
        pass
    assert (tmp_path / "out" / name).read_text() == text


@pytest.mark.parametrize("run", [None, "{"])
def test_without_a_run_record_only_what_has_rows_is_replaced(photos, tmp_path, run):
    out = tmp_path / "out"
    with opened(photos, out) as folder:
        finish(folder, folder.todo[0])
    (out / "run.json").unlink()
    if run:
        (out / "run.json").write_text(run)
    with opened(photos, out):  # its copy is in the way, but has a row
        pass
    (out / "two.webp").write_text("drawn by hand")
    (out / "run.json").unlink()
    with pytest.raises(FercompError, match=r"two\.webp would be replaced"), opened(photos, out):
        pass


def test_no_original_is_overwritten_through_a_link(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").symlink_to(photos / "a")
    before = (photos / "a/face.jpg").read_bytes()
    with pytest.raises(FercompError, match="would overwrite the originals"):
        opened(photos, out)
    assert (photos / "a/face.jpg").read_bytes() == before


def test_a_second_process_is_told(photos, tmp_path):
    with opened(photos, tmp_path / "out") as folder:
        finish(folder, folder.todo[0])
        with (
            pytest.raises(FercompError, match="another fercomp is writing into"),
            opened(photos, tmp_path / "out"),
        ):
            pass
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 5
    assert not list((tmp_path / "out").glob(".*"))


def test_what_a_killed_run_left_is_removed_in_all_folders(photos, tmp_path):
    out = tmp_path / "out"
    with opened(photos, out) as folder:
        for photo in folder.todo:
            finish(folder, photo)
    process = subprocess.Popen(["true"])
    process.wait()
    parts = [out / place / f".part.{process.pid}.0123abcd.jpg" for place in ("", "a", "a/deep", "b")]
    for part in parts:
        part.write_bytes(b"half")
    with opened(photos, out):
        pass
    assert not any(part.exists() for part in parts)


@pytest.mark.parametrize("change", ["size", "time", "inode", "older"])
def test_a_replaced_source_is_noticed(photos, tmp_path, change):
    source = photos / "a/face.jpg"
    status = source.stat()
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    if change == "inode":  # another file of the same size and time, as cp -p makes it
        other = photos / "a" / "new"
        other.write_bytes(source.read_bytes()[::-1])
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.replace(source)
    elif change == "size":
        source.write_bytes(source.read_bytes() + b" ")
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    else:
        moved = 1 if change == "time" else -(10**12)
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + moved))
    with opened(photos, tmp_path / "out") as folder:
        assert [photo.file for photo in folder.todo] == ["a/face.jpg"]


def test_one_photo_after_the_other_stays_on_record(photos, tmp_path):
    for name in ("two.webp", "landscape.png"):
        found = find_sources([photos / name], tmp_path / "out").found
        with OutputFolder(tmp_path / "out", photos, found, EMOTIONS, SETTINGS) as folder:
            finish(folder, folder.todo[0])
    assert list(folder.records.index()) == ["landscape.png", "two.webp"]
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 4


def test_earlier_records_are_kept_aside(photos, tmp_path, capsys):
    for model in ("one", "two", "three"):
        with opened(photos, tmp_path / "out", model=model) as folder:
            finish(folder, folder.todo[0])
    told = capsys.readouterr().err
    for number in (1, 2):
        assert "a/deep/face.png" in (tmp_path / "out" / f"records.{number}.csv").read_text()
        assert f"its rows are now records.{number}.csv; " in told


def test_photos_that_are_gone_are_told(photos, tmp_path, capsys):
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    (photos / "two.webp").unlink()
    with opened(photos, tmp_path / "out"):
        pass
    assert "1 file no longer in" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["column", "line ends", "jsonl key", "other model's"])
def test_records_that_were_changed_by_hand_are_kept_aside(photos, tmp_path, capsys, change):
    kind = "jsonl" if change == "jsonl key" else "csv"
    found = find_sources([photos], tmp_path / "out").found

    def again(classes=EMOTIONS):
        return OutputFolder(tmp_path / "out", photos, found, classes, SETTINGS, kind)

    with again() as folder:
        for photo in folder.todo:
            finish(folder, photo)
    records = folder.records.path
    text = records.read_text()
    changed = {
        "column": text.replace("\n", ",mine\n"),
        "line ends": text.replace("\n", "\r\n"),
        "jsonl key": text.replace('"file"', '"mine": 1, "file"', 1),
        "other model's": text,
    }[change]
    records.write_text(changed, newline="")
    with again(EMOTIONS[:3] if change == "other model's" else EMOTIONS) as folder:
        assert len(folder.todo) == 6
    assert records.with_stem("records.1").read_bytes() == changed.encode()
    told = f"a records.{kind} that was changed by another program: its rows are now records.1.{kind}"
    assert told in capsys.readouterr().err


def test_a_header_that_was_cut_off_is_no_other_run(photos, tmp_path, capsys):
    with opened(photos, tmp_path / "out") as folder:
        pass
    os.truncate(folder.records.path, 20)
    with opened(photos, tmp_path / "out"):
        pass
    assert capsys.readouterr().err == ""
    assert not list((tmp_path / "out").glob("records.1.csv"))


@pytest.mark.parametrize("gone", [False, True])
def test_what_is_annotated_one_after_the_other_has_copies_of_its_own(photos, tmp_path, gone):
    out = tmp_path / "out"

    def annotated(name):
        found = find_sources([photos / name], out).found
        with OutputFolder(out, photos, found, EMOTIONS, SETTINGS) as folder:
            for photo in folder.todo:
                finish(folder, photo)
        return folder.copy_of(found[0]).name, len(folder.todo)

    data = (photos / "landscape.png").read_bytes()
    (photos / "x").write_bytes(data)
    assert annotated("x") == ("x.png", 1)
    (photos / "x.png").write_bytes(data)
    if gone:
        (photos / "x").unlink()
        assert annotated("x.png") == ("x.png", 1)
        return
    assert annotated("x.png") == ("x (2).png", 1)
    assert annotated("x") == ("x.png", 0)
    assert annotated("x.png") == ("x (2).png", 0)


def test_names_that_an_earlier_version_wrote_are_known(photos, tmp_path):
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    path = tmp_path / "out" / "run.json"
    run = json.loads(path.read_text())
    path.write_text(json.dumps({**run, "written": list(run["written"])}))
    with opened(photos, tmp_path / "out") as folder:
        assert list(folder.todo) == []
    assert json.loads(path.read_text()) == run


@pytest.mark.parametrize("gone", ["a copy", "the folder"])
def test_copies_that_are_removed_meanwhile_are_told_at_the_end(photos, tmp_path, gone):
    if gone == "the folder" and os.name == "nt":
        pytest.skip("Windows removes no open files")
    with (
        pytest.raises(FercompError, match=r"copies of 1 file in .*\(a/face\.jpg, \.\.\.\): the same command"),
        opened(photos, tmp_path / "out") as folder,
    ):
        bad, *others = sorted(folder.todo, key=lambda photo: photo.file == "a/face.jpg")
        folder.records.append([problem_row(bad.file, "truncated")])  # has no copy
        finish(folder, others[-1])
        shutil.rmtree(tmp_path / "out" / "a" if gone == "a copy" else tmp_path / "out")
        for photo in others[:-1]:
            finish(folder, photo)
    with opened(photos, tmp_path / "out") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    assert (tmp_path / "out" / "a" / "face.jpg").is_file()


@pytest.mark.parametrize("gone", ["x.mp4", "x.timeline.png"])
@pytest.mark.parametrize("copied", [True, False])
def test_a_clip_lacks_its_timeline_and_its_copy_if_it_is_to_have_one(tmp_path, gone, copied):
    source = tmp_path / "in" / "x.mov"
    source.parent.mkdir()
    source.write_bytes(b"frames")
    done = partial(opened, source.parent, tmp_path / "out", video=copied)

    def finish_clip(folder):
        clip = folder.todo[0]
        folder.copy_of(clip).write_bytes(b"copy")
        folder.timeline_of(clip).write_bytes(b"timeline")
        folder.records.append(no_face(clip))

    with done() as folder:
        finish_clip(folder)
    with done() as folder:
        assert not folder.todo
    (tmp_path / "out" / gone).unlink()
    lacks = copied or gone == "x.timeline.png"
    with done() as folder:
        assert bool(folder.todo) == lacks
        if lacks:
            finish_clip(folder)
    told = pytest.raises(FercompError, match=r"copies of 1 file .*x\.mov") if lacks else nullcontext()
    with told, done() as folder:
        assert not folder.todo
        (tmp_path / "out" / gone).unlink(missing_ok=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open files")
@pytest.mark.parametrize("change", ["removed", "replaced", "a folder"])
def test_records_that_are_taken_while_they_are_written_are_there_again(photos, tmp_path, capsys, change):
    aside = "" if change == "removed" else ", and what was there is now records.1.csv"

    def take():
        folder.records.path.unlink()
        if change == "replaced":
            folder.records.path.write_text("file,status")
        elif change == "a folder":
            folder.records.path.mkdir()

    with opened(photos, tmp_path / "out") as folder:
        for photo in list(folder.todo)[:3]:
            finish(folder, photo)
            if photo.file == "a/face.jpg":
                take()
        told = f"records.csv was removed or replaced while it was written: its rows are there again{aside}\n"
        assert capsys.readouterr().err.endswith(told), "at the next photo, not at the end"
        take()
    with opened(photos, tmp_path / "out") as folder:
        assert len(folder.todo) == 3
    if change == "replaced":
        assert (tmp_path / "out" / "records.1.csv").read_text() == "file,status"


def test_work_is_not_begun_anew_for_another_common_folder_unasked(photos, tmp_path, capsys):
    """Seen: a list that grew by a path elsewhere had all of its photos annotated anew."""

    def run(root, **more):
        found = find_sources([root], tmp_path / "out").found
        return OutputFolder(tmp_path / "out", root, found, EMOTIONS, {**SETTINGS, "input": str(root)}, **more)

    with run(photos / "a") as folder:
        for photo in folder.todo:
            finish(folder, photo)
    with (
        pytest.raises(FercompError, match=f"2 files on record .* once {photos}/a, now {photos}; "),
        run(photos),
    ):
        pass
    assert not list((tmp_path / "out").glob("records.1.csv"))
    with run(photos / "a") as folder:
        assert len(folder.todo) == 0
    with run(photos / "b") as folder:  # other photos are another run
        assert len(folder.todo) == 1
    assert "its rows are now records.1.csv" in capsys.readouterr().err
    with run(photos / "b") as folder:
        finish(folder, folder.todo[0])
    with run(photos, force=True) as folder:
        assert len(folder.todo) == 6
