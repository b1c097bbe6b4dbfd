"""YuNet on OpenVINO says the same as OpenCV's, frame after frame."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fercomp.faces.clip_yunet import ClipYuNet
from fercomp.faces.detect import make_detector
from fercomp.faces.found import PerThread
from fercomp.faces.yunet import yunet_clip_scale
from fercomp.faces.yunet_network import YUNET_FILE
from tests.drawn import draw_face


def opencv(image, min_score=0.7):
    """What OpenCV finds where `ClipYuNet` looks: boxes, landmarks and scores, in pixels of the picture."""
    scale = yunet_clip_scale(*image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    method = cv2.INTER_LINEAR if scale >= 0.5 else cv2.INTER_AREA
    look = cv2.cvtColor(cv2.resize(image, size, interpolation=method), cv2.COLOR_RGB2BGR)
    _, rows = cv2.FaceDetectorYN.create(str(YUNET_FILE), "", size, min_score, 0.4).detect(look)
    rows = np.empty((0, 15), np.float32) if rows is None else rows
    rows = rows[np.argsort(rows[:, 0])]
    points = rows[:, :14].reshape(-1, 7, 2) * (image.shape[1] / size[0], image.shape[0] / size[1])
    corner, sides, landmarks = points[:, 0], points[:, 1], points[:, 2:]
    return np.hstack((corner, corner + sides)), landmarks, rows[:, 14]


def scene(height, width, faces, seed):
    """A picture with drawn faces of several sizes beside each other."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), (210, 180, 160), dtype=np.uint8)
    left = 10
    for _ in range(faces):
        side = int(rng.uniform(0.3, 0.44) * min(height, width))
        image[20 : 20 + side, left : left + side] = draw_face("happy", rng, side)
        left += side + 20
    return image


@pytest.mark.parametrize(("height", "width"), [(270, 480), (180, 320), (360, 641), (1080, 1920), (640, 360)])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_landmarks_and_scores_are_those_of_opencv(height, width, seed):
    image = scene(height, width, 2, seed)
    faces = ClipYuNet().detect(image)
    boxes, landmarks, scores = opencv(image)
    assert len(faces) == len(boxes) > 0
    np.testing.assert_allclose(faces.landmarks, landmarks, atol=0.01)
    np.testing.assert_allclose(faces.boxes, np.clip(boxes, 0, (width, height) * 2), atol=0.01)
    np.testing.assert_allclose(faces.scores, scores, atol=1e-4)


def test_a_detector_follows_frames_that_change_their_size():
    detector = ClipYuNet()
    for height, width in ((180, 320), (240, 320), (180, 320)):
        image = scene(height, width, 1, 5)
        np.testing.assert_array_equal(detector.detect(image).boxes, ClipYuNet().detect(image).boxes)
        assert len(detector.detect(image)) == 1


def test_many_threads_find_what_one_finds():
    frames = [scene(180, 320, 1 + seed % 2, seed) for seed in range(24)]
    detector = PerThread(lambda: make_detector(clip=True))
    alone = [ClipYuNet().detect(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, frames))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_min_score_and_min_size_leave_out_faces():
    image = scene(270, 480, 2, 0)
    found = ClipYuNet().detect(image)
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1)
    assert len(ClipYuNet(min_score=0.999).detect(image)) == 0
    assert len(ClipYuNet(min_size=float(sides.max()) - 1).detect(image)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (8, 9)])
def test_any_shape_of_frame_is_searched(shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    ClipYuNet().detect(noise)
