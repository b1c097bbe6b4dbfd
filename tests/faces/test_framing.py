import cv2
import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.faces.crop import face_input
from fercomp.faces.detect import make_detector
from fercomp.faces.framing import ENOUGH, measure_margin
from tests.drawn import draw_face


@pytest.fixture(scope="module")
def heads():
    rng = np.random.default_rng(0)
    return [draw_face(EMOTIONS[i % 9], rng, 120) for i in range(60)]


@pytest.fixture(scope="module")
def yunet():
    return make_detector("yunet")


@pytest.mark.slow
def test_a_found_face_is_framed_like_the_photos(heads, yunet):
    """Heads on a wall, cut out with the measured margin, show as much as the photos do."""
    margin = measure_margin(heads, yunet)
    assert 0 < margin < 0.6
    differences = []
    for head in heads:
        wall = np.full((400, 400, 3), 127, np.uint8)
        wall[140:260, 140:260] = head
        for box in yunet.detect(wall).boxes:
            cut = face_input(wall, box, 120, margin)
            again = yunet.detect(cut).boxes
            whole = yunet.detect(head).boxes
            if len(again) == len(whole) == 1:
                differences.append(np.ptp(again[0][1::2]) / np.ptp(whole[0][1::2]))
    assert len(differences) > 40
    assert np.median(differences) == pytest.approx(1, abs=0.05)


def test_a_wider_frame_needs_a_wider_margin(heads, yunet):
    wide = [cv2.copyMakeBorder(head, 30, 30, 30, 30, cv2.BORDER_REPLICATE) for head in heads]
    tight, loose = measure_margin(heads, yunet), measure_margin(wide, yunet)
    assert 1 + 2 * loose == pytest.approx((1 + 2 * tight) * 180 / 120, rel=0.08)


def test_too_few_faces_measure_nothing(heads, yunet):
    assert measure_margin([], yunet) == 0
    assert measure_margin(heads[: ENOUGH // 2], yunet) == 0
    assert measure_margin([np.zeros((50, 50, 3), np.uint8)] * 30, yunet) == 0
