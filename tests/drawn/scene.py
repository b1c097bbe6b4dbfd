"""Whole pictures of drawn people: one face, a group, a moment of a clip."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.drawn.head import paint_person
from tests.drawn.person import Person, Pose, random_person, random_pose
from tests.drawn.units import random_expression

_Picture = NDArray[np.uint8]

_FINER = 2  # pictures are painted this much larger and averaged down


def draw_face(emotion: str, rng: np.random.Generator, size: int) -> _Picture:
    """Draws one head that fills its picture, as in the photos of the competition.

    Identity, pose, light, background, sharpness and noise are drawn at random.

    Args:
        emotion: One of `EMOTIONS`; `uncertain` is a weak blend of two others.
        rng: Source of chance: the same state draws the same picture.
        size: Side in pixels, at least 16.

    Returns:
        `(size, size, 3)` uint8 RGB.

    Raises:
        FercompError: The emotion is not one of `EMOTIONS`.
    """
    expression = random_expression(emotion, rng)
    side = size * _FINER
    picture = draw_background(rng, side, side)
    radius = side * rng.uniform(0.41, 0.46)
    x, y = side * (0.5 + rng.normal(0, 0.02)), side * (0.5 + rng.normal(0, 0.015))
    paint_person(picture, random_person(rng), random_pose(rng, x, y, radius), expression)
    return _develop(picture, rng)


def draw_group(emotions: Sequence[str], rng: np.random.Generator, width: int, height: int) -> _Picture:
    """Draws people side by side, head and shoulders.

    Args:
        emotions: What each person shows, from left to right; of none, only the background is drawn.
        rng: Source of chance.
        width: Pixels.
        height: Pixels.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    picture = draw_background(rng, height * _FINER, width * _FINER)
    for (person, pose), emotion in zip(_cast(len(emotions), rng, width, height), emotions, strict=True):
        paint_person(picture, person, pose, random_expression(emotion, rng))
    return _develop(picture, rng)


def draw_clip(
    changes: Sequence[tuple[str, str]], rng: np.random.Generator, width: int, height: int, frames: int
) -> Iterator[_Picture]:
    """Draws people whose faces move from one emotion to another while they sway a little.

    Args:
        changes: What each person shows at first and at last, from left to right.
        rng: Source of chance.
        width: Pixels.
        height: Pixels.
        frames: Number of pictures.

    Yields:
        Pictures, `(height, width, 3)` uint8 RGB each.
    """
    background = draw_background(rng, height * _FINER, width * _FINER)
    cast = _cast(len(changes), rng, width, height)
    faces = [[random_expression(emotion, rng) for emotion in change] for change in changes]
    phases = rng.uniform(0, 2 * np.pi, len(changes))
    for time in np.linspace(0, 1, frames):
        picture = background.copy()
        # The first and the last emotion stand still for a while, and the change sets in softly.
        moment = float(np.clip(1.6 * time - 0.3, 0, 1))
        share = moment * moment * (3 - 2 * moment)
        for (person, pose), (first, last), phase in zip(cast, faces, phases, strict=True):
            sway = np.sin(2 * np.pi * time + phase)
            moved = replace(
                pose,
                x=pose.x + 0.04 * sway * pose.radius,
                yaw=pose.yaw + 0.08 * sway,
                roll=pose.roll + 0.03 * sway,
            )
            paint_person(picture, person, moved, first.blend(last, share))
        yield _reduce(picture)


def draw_background(rng: np.random.Generator, height: int, width: int) -> _Picture:
    """Draws an out-of-focus wall with a few soft shapes, `(height, width, 3)` uint8 RGB."""
    rows, columns = 24, max(2, round(24 * width / height))
    top, bottom = (rng.uniform(50, 220) + rng.uniform(-28, 28, 3) for _ in range(2))
    share = np.linspace(0, 1, rows)[:, None, None]
    coarse = np.empty((rows, columns, 3), dtype=np.float32)
    coarse[:] = (1 - share) * top + share * bottom
    for _ in range(rng.integers(2, 6)):
        corner = rng.uniform(0, 1, 2) * [columns, rows]
        extent = rng.uniform(2, 12, 2)
        far = (corner + extent).astype(int).tolist()
        colour = (top + rng.normal(0, 25) + rng.normal(0, 14, 3)).clip(20, 240).tolist()
        cv2.rectangle(coarse, corner.astype(int).tolist(), far, colour, cv2.FILLED)
    soft = cv2.GaussianBlur(coarse, (0, 0), rng.uniform(0.6, 2.0)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _cast(count: int, rng: np.random.Generator, width: int, height: int) -> list[tuple[Person, Pose]]:
    """Places people side by side so that their heads do not touch."""
    people = []
    for i in range(count):
        room = width / count
        radius = min(0.42 * room, 0.3 * height) * rng.uniform(0.85, 1.0)
        x = (i + 0.5) * room + 0.06 * room * rng.uniform(-1, 1)
        y = height * 0.5 + 0.08 * height * rng.uniform(-1, 1)
        people.append((random_person(rng), random_pose(rng, x * _FINER, y * _FINER, radius * _FINER)))
    return people


def _reduce(picture: _Picture) -> _Picture:
    """Averages a picture down to its size."""
    height, width = (side // _FINER for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _develop(picture: _Picture, rng: np.random.Generator) -> _Picture:
    """Averages a picture down to its size and gives it a camera's blur, exposure and noise."""
    small = _reduce(picture).astype(np.float32)
    if rng.random() < 0.3:
        cv2.GaussianBlur(small, (0, 0), rng.uniform(0.4, 0.9), small)
    small *= np.float32(rng.uniform(0.85, 1.08))
    small += rng.standard_normal(small.shape, dtype=np.float32) * np.float32(rng.uniform(1, 5))
    return np.clip(small, 0, 255).astype(np.uint8)
