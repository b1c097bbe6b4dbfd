import numpy as np
import pytest
from PIL import Image

from fercomp.annotate.drawing.timeline import LARGEST, Timeline
from fercomp.annotate.recognise.recogniser import Picture
from fercomp.core.palette import EMOTION_COLOURS
from fercomp.faces.found import Faces
from fercomp.media.clips import Frame


def frame(index, emotions):
    """A frame at 10 per second with the emotions of some tracks."""
    n = len(emotions)
    faces = Faces(
        np.zeros((n, 4), np.float32),
        np.ones(n, np.float32),
        tracks=np.array([*emotions], dtype=np.int64),
        emotions=tuple(emotions.values()),
    )
    shown = Frame(index, index / 10, index, np.zeros((1, 1, 3), np.uint8))
    return Picture(shown, faces, np.ones(n, dtype=bool), ())


def test_a_stretch_for_each_change():
    timeline = Timeline(0.1)
    for i in range(30):
        timeline.add(frame(i, {0: "happy" if i < 20 else "sad"} if i != 7 else {}))
    assert timeline.longest() == {0: [(0, 2.0, "happy"), (2.0, pytest.approx(3.0), "sad")]}


def test_out_of_sight_is_a_gap():
    timeline = Timeline(0.1)
    for i in (*range(5), *range(20, 25)):
        timeline.add(frame(i, {3: "fear"}))
    (stretches,) = timeline.longest().values()
    assert stretches == [(0, pytest.approx(0.5), "fear"), (2.0, pytest.approx(2.5), "fear")]


def test_those_who_are_seen_longest_are_drawn(tmp_path):
    timeline = Timeline(0.1)
    for i in range(40):
        timeline.add(frame(i, {track: "happy" for track in range(40) if track >= i}))
    assert list(timeline.longest()) == list(range(40 - LARGEST, 40))
    timeline.draw("clip.mp4", tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert (pixels == EMOTION_COLOURS["happy"]).all(axis=1).mean() > 0.2


@pytest.mark.parametrize(
    ("people", "title"), [(3, "clip.mp4: 3 tracks"), (19, "clip.mp4: 12 longest of 19 tracks")]
)
def test_the_title_says_how_many_are_left_out(tmp_path, monkeypatch, people, title):
    written = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda self, text, **_: written.append(text))
    timeline = Timeline(0.1)
    timeline.add(frame(0, dict.fromkeys(range(people), "sad")))
    timeline.draw("clip.mp4", tmp_path / "t.png")
    assert written == [title]


def test_a_clip_without_faces_says_so(tmp_path):
    timeline = Timeline(0.1)
    timeline.add(frame(0, {}))
    timeline.draw("clip.mp4", tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 2000
