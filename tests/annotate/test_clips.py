import signal
import subprocess
import sys
import threading
import time

import av
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.annotate import clips
from fercomp.annotate.batch import annotate_media
from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.options import Options
from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.faces.clip_yunet import ClipYuNet
from fercomp.faces.found import Faces
from fercomp.media.clips import Clip, Frame
from tests.forks import MAIN

CLI = (sys.executable, "-c", MAIN, "annotate")
RAW = [f"raw_{emotion}" for emotion in EMOTIONS]


def pictures(faces, n):
    """Two people, of whom the second is there from the tenth frame on; nobody in the last three."""
    for i in range(n):
        image = np.full((180, 320, 3), 190, dtype=np.uint8)
        if i < n - 3:
            image[40:136, 30 + i % 4 : 126 + i % 4] = faces[4]
            if i >= 10:
                image[50:146, 200:296] = faces[0]
        yield image


@pytest.fixture
def clip(tmp_path, faces, write_clip):
    (tmp_path / "in").mkdir()
    return write_clip(tmp_path / "in" / "two.mp4", list(pictures(faces, 30)), sound="aac")


def table_of(done):
    return pd.read_csv(done.records, keep_default_na=False)


def test_a_clip(bundle, clip, tmp_path):
    done = annotate_media(clip, tmp_path / "out", bundle)
    assert (done.videos, done.photos, done.frames, done.without_face) == (1, 0, 30, 3)
    assert done.problems == {}
    table = table_of(done)
    assert table["frame"].drop_duplicates().tolist() == list(range(30))
    np.testing.assert_allclose(table["time"], table["frame"] / 25, atol=1e-3)
    assert table.loc[table["frame"] < 10, "track"].tolist() == ["0"] * 10
    assert table.loc[table["frame"].between(10, 26), "track"].tolist() == ["0", "1"] * 17
    assert table["status"].tolist()[-3:] == ["no_face"] * 3
    found = table[table["status"] == "face"].astype(dict.fromkeys([*EMOTIONS, *RAW], float))
    np.testing.assert_allclose(found[RAW].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found.iloc[0][list(EMOTIONS)], found.iloc[0][RAW])
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "two.mp4",
        "two.timeline.png",
        "records.csv",
        "run.json",
    }
    with Image.open(tmp_path / "out" / "two.timeline.png") as timeline:
        assert timeline.width > 1000
    with Clip(clip) as before, Clip(tmp_path / "out" / "two.mp4") as after:
        assert (after.width, after.height, after.rate, after.count) == (320, 180, 25, 30)
        assert after.seconds == pytest.approx(before.seconds, abs=1 / 25)
        drawn = [np.abs(a.image.astype(int) - b.image).mean() for a, b in zip(before, after, strict=True)]
    assert min(drawn[:27]) > 1.5 > max(drawn[27:])
    with av.open(str(tmp_path / "out" / "two.mp4")) as container:
        assert len(container.streams.audio) == 1


def test_batches_and_single_frames_give_the_same(bundle, clip, tmp_path, monkeypatch):
    together = table_of(annotate_media(clip, tmp_path / "a", bundle))
    monkeypatch.setattr(clips, "FRAME_BATCH", 1)
    alone = table_of(annotate_media(clip, tmp_path / "b", bundle))
    numbers = [*EMOTIONS, *RAW]
    np.testing.assert_allclose(
        *(t.loc[t["status"] == "face", numbers].astype(float) for t in (together, alone)), atol=2e-6
    )
    pd.testing.assert_frame_equal(*(t.drop(columns=["confidence", *numbers]) for t in (together, alone)))


def test_every_nth_frame_is_classified_and_a_new_face_at_once(bundle, clip, tmp_path):
    table = table_of(annotate_media(clip, tmp_path / "out", bundle, Options(every=8)))
    classified = table[table["raw_happy"] != ""]
    assert classified.loc[classified["track"] == "0", "frame"].tolist() == [0, 8, 16, 24]
    assert classified.loc[classified["track"] == "1", "frame"].tolist() == [10, 16, 24]
    first = table[(table["track"] == "1") & table["frame"].between(10, 15)]
    assert len(first) == 6
    assert first["happy"].nunique() == 1


def test_records_only(bundle, clip, tmp_path):
    options = Options(video=False, records="jsonl")
    done = annotate_media(clip, tmp_path / "out", bundle, options)
    names = {"two.timeline.png", "records.jsonl", "run.json"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == names
    rows = pd.read_json(done.records, lines=True)
    assert rows["frame"].nunique() == done.frames == 30
    assert annotate_media(clip, tmp_path / "out", bundle, options).earlier == 1


def test_photos_and_clips_of_one_folder(bundle, clip, photos, faces, tmp_path, write_clip, capsys):
    source = tmp_path / "photos"
    clip.rename(source / "b" / "two.mp4")
    write_clip(source / "b" / "two.mov", list(pictures(faces, 12)))
    whole = write_clip(source / "half.mp4", list(pictures(faces, 100)), encoder="mpeg4")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    Image.fromarray(faces[0]).save(tmp_path / "x.jpg")
    (tmp_path / "x.jpg").rename(source / "photo.mp4")
    done = annotate_media(source, tmp_path / "out", bundle)
    assert (done.photos, done.videos) == (6, 4)
    assert done.problems == {"half.mp4": "truncated", "photo.mp4": "not_a_video"}
    told = capsys.readouterr().err
    assert "half.mp4 ends after" in told
    assert "photo.mp4 is not a video" in told
    table = table_of(done)
    assert table["file"].drop_duplicates().tolist() == sorted(table["file"].unique())
    assert (table["file"] == "half.mp4").sum() > 20
    made = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.mp4")}
    assert made == {"b/two.mp4.mp4", "b/two.mov.mp4", "half.mp4"}
    again = annotate_media(source, tmp_path / "out", bundle)
    assert (again.earlier, again.problems) == (8, done.problems)
    pd.testing.assert_frame_equal(table_of(again), table)


def test_a_failure_in_any_stage_ends_the_run_with_its_message(bundle, clip, tmp_path, monkeypatch):
    before = threading.active_count()
    for place, name in ((ClipRecogniser, "name"), (ClipYuNet, "detect"), (clips, "draw")):
        calls, real = [], getattr(place, name)

        def fail(*arguments, calls=calls, name=name, real=real):
            calls.append(1)
            if len(calls) > 2:
                raise FercompError(f"{name} broke")
            return real(*arguments)

        with monkeypatch.context() as patch, pytest.raises(FercompError, match=f"{name} broke"):
            patch.setattr(place, name, fail)
            patch.setattr(clips, "FRAME_BATCH", 2)
            annotate_media(clip, tmp_path / "out", bundle)
        assert not list((tmp_path / "out").glob("*.mp4"))
        assert threading.active_count() == before
    assert annotate_media(clip, tmp_path / "out", bundle).earlier == 0


@pytest.mark.slow
@pytest.mark.parametrize("stop", ["SIGKILL", "SIGINT"])
def test_a_stopped_run_begins_the_clip_anew(bundle, faces, tmp_path, stop, write_clip):
    clip = write_clip(tmp_path / "long.mp4", list(pictures(faces, 400)), sound="aac")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*CLI, str(clip), "-o", str(out), "-m", str(bundle.folder)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (out / "records.csv").is_file() or (out / "records.csv").stat().st_size < 20_000:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    number = getattr(signal, stop)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == (130 if stop == "SIGINT" else -number)
    assert "Traceback" not in told
    if stop == "SIGINT":
        with Clip(out / "long.mp4") as half:
            frames = len(list(half))
        assert 10 < frames < 400
        assert abs(frames - pd.read_csv(out / "records.csv")["frame"].nunique()) <= 1
    assert not (out / "long.timeline.png").exists()
    done = annotate_media(clip, out, bundle)
    assert (done.earlier, done.frames) == (0, 400)
    with Clip(out / "long.mp4") as whole:
        assert len(list(whole)) == 400


@pytest.mark.slow
def test_a_full_disk_is_one_line(bundle, faces, tmp_path, write_clip):
    """A real limit on the size of files makes writing fail as a full disk does."""
    resource = pytest.importorskip("resource")
    noise = np.random.default_rng(0).integers(0, 256, (200, 180, 320, 3), dtype=np.uint8)
    clip = write_clip(tmp_path / "noise.mp4", list(noise))
    limit = 300_000
    run = subprocess.run(
        [*CLI, str(clip), "-o", str(tmp_path / "out"), "-m", str(bundle.folder)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert run.returncode == 1, run.stderr
    assert run.stderr.strip().splitlines()[-1].startswith("error: the disk is full")
    assert "Traceback" not in run.stderr
    assert not list((tmp_path / "out").glob("*.mp4"))


def test_two_hundred_faces_in_a_frame(bundle):
    class Crowd:
        framed = False

        def detect(self, image):
            x, y = np.meshgrid(np.arange(20) * 30, np.arange(10) * 30)
            corners = np.stack([x.ravel(), y.ravel()], axis=1)
            return Faces.within(image, np.hstack((corners, corners + 28)), np.ones(200), 1)

    recogniser = ClipRecogniser(bundle, Crowd)
    image = np.random.default_rng(0).integers(0, 256, (300, 600, 3), dtype=np.uint8)
    for i in range(3):
        named = recogniser.look(Frame(i, i / 25, i, image)).faces
        assert sorted(named.tracks) == list(range(200))
        assert len(named.emotions) == 200
        assert draw(image, named).shape == image.shape


@pytest.mark.parametrize("every", [0, -3])
def test_every_must_be_a_number_of_frames(every):
    with pytest.raises(FercompError, match="expected at least 1"):
        Options(every=every)
