"""What a session of `live` writes down, without a server: its clock is the test's."""

import json
from pathlib import Path

import pandas as pd
import pytest

import fercomp.web.live
from fercomp.annotate.options import Options
from fercomp.faces.track import LONGEST_STEP
from fercomp.modeling.bundle.model import load_bundle
from fercomp.web.live import Session
from fercomp.web.recording import LONG_STEP, Pace
from tests.web.test_live import jpeg, scene


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(fercomp.web.live, "sleepless", clock)
    return clock


@pytest.fixture
def session(clock, tiny_bundle_folder, tmp_path):
    return Session(load_bundle(tiny_bundle_folder), Options(), tmp_path)


def look(session, clock, *steps):
    for step in steps:
        clock.now += step
        answer = session.look(jpeg(scene()))
    return answer


def test_gaps_have_rows_of_their_own_and_the_timeline_has_them(session, clock, tmp_path):
    look(session, clock, *[0.1] * 3)
    session.answer('{"record": true}')
    look(session, clock, *[0.1] * 10)
    answer = look(session, clock, 12.0)
    assert answer["clock"] == {"seconds": 13.0, "missing": 12.0}
    look(session, clock, *[0.1] * 10)
    clock.now += 5.0
    ended = session.answer('{"record": false}')
    timeline = ended["timeline"]
    assert ended["file"] is None
    assert (timeline["seconds"], timeline["missing"]) == (19.0, 17.0)
    assert timeline["gaps"] == [[1.0, 13.0], [14.0, 19.0]]
    assert timeline["everybody"] == 2, "after so long a gap nobody is known"
    ends = [(person["stretches"][0][0], person["stretches"][-1][1]) for person in timeline["people"]]
    assert ends == [pytest.approx((0.0, 1.1), abs=0.11), pytest.approx((13.0, 14.1), abs=0.11)]
    table = pd.read_csv(next(tmp_path.iterdir()))
    gaps = table[table["status"] == "gap"]
    assert gaps["note"].tolist() == ["12.0 s without a frame", "5.0 s without a frame"]
    assert gaps["time"].tolist() == pytest.approx([1.3, 14.3])
    assert (table["status"] == "face").sum() == 21
    assert table["time"].is_monotonic_increasing
    assert session.answer('{"record": false}')["timeline"] is None


@pytest.mark.parametrize("step", [0.6, 1.5, 2.5])
def test_a_slow_camera_has_no_gaps_and_its_people_keep_their_ids(session, clock, step):
    look(session, clock, step, step)
    session.answer('{"record": true}')
    answer = look(session, clock, *[step] * 8)
    assert [face["track"] for face in answer["faces"]] == [0]
    timeline = session.answer('{"record": false}')["timeline"]
    assert timeline["gaps"] == []
    (person,) = timeline["people"]
    assert person["stretches"][-1][1] - person["stretches"][0][0] == pytest.approx(8 * step, rel=0.2)


def test_what_is_a_gap():
    pace = Pace()
    assert pace.step(5.0) == (0.0, False), "the first frame"
    assert pace.missing(5.0 + LONGEST_STEP) == 0
    assert pace.step(5.1)[1] is False
    assert pace.step(5.2 + LONG_STEP)[1] is True
    assert pace.step(6.5)[1] is False
    assert pace.missing(6.5 + 1.1 * LONG_STEP) == pytest.approx(1.1 * LONG_STEP)
    assert pace.missing(6.5 + 0.9 * LONG_STEP) == 0


def test_boxes_and_landmarks_are_in_the_pixels_of_the_camera(session, tmp_path):
    for size in ([480, 270], [1920, 1080]):
        session.answer(json.dumps({"camera": size}))
        session.answer('{"record": true}')
        session.look(jpeg(scene()))
        session.answer('{"record": false}')
    small, large = (pd.read_csv(path).iloc[0] for path in sorted(tmp_path.iterdir()))
    sides = ["x1", "y1", "x2", "y2"]
    assert large[sides].tolist() == pytest.approx((4 * small[sides]).tolist(), abs=0.3)
    assert large["size"] == pytest.approx(4 * small["size"], rel=0.01)
    assert large["roll"] == pytest.approx(small["roll"], abs=0.2)


def test_a_frame_that_is_none_ends_no_recording(session, clock):
    session.answer('{"record": true}')
    answer = session.look(b"no picture")
    assert answer["kind"] == "problem"
    assert answer["recording"] is True
    assert session.look(jpeg(scene()))["clock"]["missing"] == 0


def test_a_recording_that_somebody_has_removed_is_there_again(session, clock, tmp_path):
    file = Path(session.answer('{"record": true}')["file"])
    look(session, clock, 0.1)
    file.unlink()
    look(session, clock, 0.1)
    assert file.is_file()
    file.unlink()  # after its last frame
    session.answer('{"record": false}')
    assert list(tmp_path.iterdir()) == [file]
    assert (pd.read_csv(file)["status"] == "face").sum() == 2
