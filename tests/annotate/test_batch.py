import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.options import Options
from fercomp.annotate.records.rows import ROWS
from fercomp.core.errors import FercompError
from fercomp.core.version import __version__
from fercomp.faces.tta import VIEWS
from fercomp.media.images import read_image
from fercomp.modeling.bundle.predict import predict_table
from tests.forks import MAIN

CLI = (sys.executable, "-c", MAIN, "annotate")


def test_a_folder_of_photos(bundle, photos, tmp_path):
    done = annotate_media(photos, tmp_path / "out", bundle)
    table = pd.read_csv(done.records, keep_default_na=False)
    assert (done.photos, done.earlier, done.faces, done.without_face) == (6, 0, 6, 1)
    assert sum(done.emotions.values()) == 6
    assert done.problems == {}
    assert table["file"].tolist() == [
        "a/deep/face.png",
        "a/face.jpg",
        "b/face.jpg",
        "landscape.png",
        "two.webp",
        "two.webp",
        "ünïcode, name.jpg",
    ]
    assert table["status"].tolist() == ["face"] * 3 + ["no_face"] + ["face"] * 3
    copies = {
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    assert copies == {*table["file"], "records.csv", "run.json"}
    copy, small = read_image(tmp_path / "out/a/face.jpg"), read_image(photos / "a/face.jpg")
    assert small.shape == (96, 96, 3)
    assert copy.shape[1] == 288
    assert copy.shape[0] > 288, "three times as large, with room for the label"


def test_one_photo(bundle, photos, tmp_path):
    done = annotate_media(photos / "two.webp", tmp_path / "out", bundle)
    assert (done.photos, done.faces) == (1, 2)
    assert (tmp_path / "out" / "two.webp").is_file()


def test_framed_photos_are_used_whole(bundle, photos, tmp_path):
    """The probabilities on record are those of the whole photo, as `fercomp predict` gives them."""
    done = annotate_media(photos, tmp_path / "out", bundle, Options(detector="whole", views=len(VIEWS)))
    table = pd.read_csv(done.records)
    expected = predict_table(bundle, photos, table["file"].tolist())
    classes = list(bundle.card.classes)
    np.testing.assert_allclose(table[classes], expected[classes], atol=2e-6)


def test_a_bad_file_is_told_and_the_rest_goes_on(bundle, photos, tmp_path, capsys):
    data = (photos / "a/face.jpg").read_bytes()
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "half.jpg").write_bytes(data[: data.index(b"\xff\xda") + 14])
    (photos / "text.png").write_text("not a picture")
    (photos / "folder.jpg").mkdir()
    (photos / "nowhere.png").symlink_to(tmp_path / "missing")
    done = annotate_media(photos, tmp_path / "out", bundle)
    assert done.problems == {
        "empty.jpg": "empty",
        "half.jpg": "truncated",
        "nowhere.png": "missing",
        "text.png": "not_an_image",
    }
    assert done.faces == 6
    told = capsys.readouterr().err
    assert all(name in told for name in done.problems)
    (photos / "half.jpg").write_bytes(data)  # mended: a second run does only what failed
    again = annotate_media(photos, tmp_path / "out", bundle)
    assert (again.earlier, len(again.problems), again.faces) == (6, 3, 7)


def test_records_are_kept_where_nothing_that_is_named_can_be_used(bundle, photos, tmp_path):
    """Seen: for a text file, the records of an earlier run were set aside before it was told."""
    out, others = tmp_path / "out", tmp_path / "others"
    others.mkdir()
    annotate_media(photos / "two.webp", out, bundle)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    strange = {
        "README.md": (b"# Title", "is not a picture: JPEG, .* were expected"),
        "empty.jpg": (b"", "is empty"),
        "text.jpg": (b"text", "is not a picture"),
        "text.mp4": (b"text", "is not a video that can be read"),
        "book.pdf": (b"%PDF-1.7", "is not a picture"),
    }
    for name, (data, told) in strange.items():
        (others / name).write_bytes(data)
        with pytest.raises(FercompError, match=f"{name} {told}.*; nothing can be annotated, so .* stays as"):
            annotate_media(others / name, out, bundle)
    (others / "list.txt").write_text(f"{others}/README.md\n{others}/missing.jpg\n")
    for nothing in (others, others / "list.txt"):
        with pytest.raises(FercompError, match=r"; nothing can be annotated"):
            annotate_media(nothing, out, bundle)
    with pytest.raises(FercompError, match=r"records\.csv stays as it is"):  # nor do they lose their run.json
        annotate_media(others / "empty.jpg", out, bundle, Options(records="jsonl"))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    shutil.copy(photos / "two.webp", others / "two.webp")
    assert len(annotate_media(others, out, bundle).problems) == 3
    assert (out / "records.1.csv").read_bytes() == before["records.csv"]


def test_a_folder_that_cannot_be_looked_into_has_one_row(bundle, photos, tmp_path, lock):
    for is_locked in (True, True, False, True):
        lock(photos / "a", is_locked)
        done = annotate_media(photos, tmp_path / "out", bundle)
        assert done.problems == ({"a/": "permission_denied"} if is_locked else {})
        files = pd.read_csv(done.records)["file"].tolist()
        assert files.count("a/") == is_locked
        assert files.count("b/face.jpg") == 1


def test_a_second_run_has_nothing_to_do(bundle, photos, tmp_path):
    first = annotate_media(photos, tmp_path / "out", bundle)
    before = snapshot(tmp_path / "out")
    second = annotate_media(photos, tmp_path / "out", bundle)
    assert (second.earlier, second.emotions) == (6, first.emotions)
    assert snapshot(tmp_path / "out") == before


def test_another_model_or_detector_starts_anew(bundle, photos, tmp_path, capsys):
    annotate_media(photos, tmp_path / "out", bundle)
    done = annotate_media(photos, tmp_path / "out", bundle, Options(detector="whole"))
    assert (done.earlier, done.faces) == (0, 6)
    assert "another run (detector yunet): its rows are now records.1.csv" in capsys.readouterr().err


def test_a_run_of_an_earlier_fercomp_that_looked_otherwise_starts_anew(bundle, photos, tmp_path, capsys):
    photo, run = photos / "a" / "face.jpg", tmp_path / "out" / "run.json"
    annotate_media(photo, tmp_path / "out", bundle)
    run.write_text(run.read_text().replace(f"{__version__}+rows.{ROWS}", __version__))
    assert annotate_media(photo, tmp_path / "out", bundle).earlier == 0
    told = f"holds another run (fercomp {__version__}): its rows are now records.1.csv"
    assert told in capsys.readouterr().err
    assert annotate_media(photo, tmp_path / "out", bundle).earlier == 1


def test_output_inside_the_input_is_not_annotated(bundle, photos):
    first = annotate_media(photos, photos / "annotated", bundle)
    second = annotate_media(photos, photos / "annotated", bundle)
    assert first.photos == second.photos == second.earlier == 6


def test_one_thread_or_many_give_the_same(bundle, photos, tmp_path, monkeypatch):
    annotate_media(photos, tmp_path / "many", bundle)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    annotate_media(photos, tmp_path / "one", bundle)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "many")


def test_no_photos_and_no_detector_are_one_line(bundle, photos, tmp_path):
    with pytest.raises(FercompError, match="not found"):
        annotate_media(tmp_path / "missing", tmp_path / "out", bundle)
    with pytest.raises(FercompError, match="unknown detector"):
        annotate_media(photos, tmp_path / "out", bundle, Options(detector="eyes"))
    assert not (tmp_path / "out").exists()


@pytest.fixture
def many(tmp_path, photos):
    """A folder of 150 photos of faces."""
    for i in range(150):
        shutil.copy(photos / "two.webp", photos / f"{i:03}.webp")
    return photos


@pytest.mark.parametrize("stop", ["SIGKILL", pytest.param("SIGINT", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_result(bundle, many, tmp_path, stop):
    annotate_media(many, tmp_path / "whole", bundle)
    out = tmp_path / "out"
    command = [*CLI, str(many), "--output", str(out), "--model", str(bundle.folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_rows(out / "records.csv", process)
    number = getattr(signal, stop)
    process.send_signal(number)
    _, told = process.communicate(timeout=200)  # beside what else the machine does
    assert process.returncode == (-number if stop == "SIGKILL" else 130)
    assert "Traceback" not in told
    on_record = len(pd.read_csv(out / "records.csv", on_bad_lines="skip")["file"].unique())
    assert 0 < on_record < 156
    done = annotate_media(many, out, bundle)
    assert done.earlier > 0
    assert snapshot(out) == snapshot(tmp_path / "whole")


def wait_for_rows(records, process):
    deadline = time.monotonic() + 60
    while not records.is_file() or len(records.read_bytes().splitlines()) < 20:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def snapshot(folder):
    """Returns the bytes of every file but the run's settings, which name the input."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if not path.name.startswith(".")  # a killed process leaves its temporary file
    }


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_next_run_goes_on(bundle, many, tmp_path):
    """A real limit on the size of files makes writing fail as a full disk does."""
    resource = pytest.importorskip("resource")
    out = tmp_path / "out"
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(many / "100.png")
    command = [*CLI, str(many), "--output", str(out), "--model", str(bundle.folder)]
    limit = 100_000
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1].startswith("error: the disk is full")
    assert "Traceback" not in run.stderr
    done = annotate_media(many, out, bundle)
    assert 0 < done.earlier < done.photos == 157


def test_the_package_is_importable_without_keras():
    code = "import sys, fercomp.annotate.batch; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_photo_that_lacks_its_end_is_annotated_and_noted(bundle, photos, tmp_path, capsys):
    path = photos / "a/face.jpg"
    path.write_bytes(path.read_bytes()[:-2])
    done = annotate_media(photos, tmp_path / "out", bundle)
    assert (done.problems, done.cut_off, done.faces) == ({}, 1, 6)
    table = pd.read_csv(done.records, keep_default_na=False).set_index("file")
    assert table.loc["a/face.jpg", ["status", "note"]].tolist() == ["face", "truncated"]
    assert (table["note"] == "truncated").sum() == 1
    assert "a/face.jpg lacks its end" in capsys.readouterr().err
    again = annotate_media(photos, tmp_path / "out", bundle)
    assert (again.earlier, again.cut_off) == (again.photos, 1)


@pytest.mark.parametrize("stage", ["look", "draw", "encode", "write"])
def test_whatever_goes_wrong_with_one_photo_is_its_row(bundle, photos, tmp_path, monkeypatch, stage):
    """An error that nobody has thought of, in any stage."""

    def broken(real, number):
        calls = []

        def call(*arguments, **options):
            calls.append(1)
            if len(calls) == number:
                raise {"write": OSError(5, "the disk failed")}.get(stage, ZeroDivisionError("of all things"))
            return real(*arguments, **options)

        return call

    place, name = {
        "look": ("fercomp.annotate.recognise.recogniser.Recogniser", "look"),
        "draw": ("fercomp.annotate.photos", "draw"),
        "encode": ("fercomp.annotate.photos", "encode"),
        "write": ("fercomp.annotate.output.folder.OutputFolder", "write_copy"),
    }[stage]
    owner = pkgutil.resolve_name(place)
    monkeypatch.setattr(owner, name, broken(getattr(owner, name), 3))
    done = annotate_media(photos, tmp_path / "out", bundle)
    assert list(done.problems.values()) == ["failed"]
    assert len(pd.read_csv(done.records)["file"].unique()) == 6
    monkeypatch.undo()
    again = annotate_media(photos, tmp_path / "out", bundle)
    assert (again.problems, again.earlier) == ({}, 5)


@pytest.mark.parametrize("length", [240, 250, 255])
def test_a_name_that_is_too_long_for_its_copy_is_shortened(
    bundle, photos, tmp_path, write_clip, faces, length
):
    (photos / ("p" * (length - 4) + ".jpg")).write_bytes((photos / "a/face.jpg").read_bytes())
    (photos / ("q" * length)).write_bytes((photos / "a/face.jpg").read_bytes())
    write_clip(tmp_path / "c.mp4", [np.pad(faces[0], ((8, 8), (8, 8), (0, 0)))] * 3)
    (tmp_path / "c.mp4").rename(photos / ("v" * (length - 4) + ".mp4"))
    paths = [photos, photos / ("q" * length)]
    done = annotate_media(paths, tmp_path / "out", bundle)
    assert done.problems == {}
    assert (done.photos, done.videos) == (8, 1)
    assert annotate_media(paths, tmp_path / "out", bundle).earlier == 9


def test_links_to_themselves_are_rows(bundle, photos, tmp_path):
    for name in ("self.jpg", "self.mp4", "self"):
        (photos / name).symlink_to(name)
    done = annotate_media(photos, tmp_path / "out", bundle)
    assert done.problems == {"self.jpg": "unreadable", "self.mp4": "unreadable"}
    assert done.faces == 6
    with pytest.raises(FercompError, match=r"self\.jpg cannot be read"):
        annotate_media(photos / "self.jpg", tmp_path / "out2", bundle)


MEASURE = """
import resource, sys
from pathlib import Path
from fercomp.annotate.batch import annotate_media
from fercomp.annotate.options import Options
from fercomp.modeling.bundle.model import load_bundle
bundle, photos, out = sys.argv[1:]
options = Options(detector="whole")
annotate_media(Path(photos) / "small.png", Path(out) / "small", load_bundle(Path(bundle)), options)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = annotate_media(Path(photos), Path(out) / "all", load_bundle(Path(bundle)), options)
assert not done.problems, done.problems
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_many_large_photos_take_bounded_memory(bundle, faces, tmp_path):
    """Of 24 photos of 48 megapixels, 144 MB each, never more than a few are in memory."""
    (tmp_path / "in").mkdir()
    Image.fromarray(faces[0]).save(tmp_path / "in" / "small.png")
    Image.fromarray(faces[0]).resize((8000, 6000)).save(tmp_path / "in" / "0.jpg", quality=90)
    for i in range(1, 24):
        shutil.copy(tmp_path / "in" / "0.jpg", tmp_path / "in" / f"{i}.jpg")
    arguments = [str(bundle.folder), str(tmp_path / "in"), str(tmp_path / "out")]
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, timeout=250
    )
    assert run.returncode == 0, run.stderr[-2000:]
    megabytes = float(run.stdout.split()[-1])
    assert megabytes < 1800  # 26 pictures alone would be 3,744
