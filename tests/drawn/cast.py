"""Drawn people who are as different as people are for a network that tells them apart."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.drawn.head import paint_person
from tests.drawn.person import HAIRS, SKINS, Person, random_pose
from tests.drawn.person import random_person as some_person
from tests.drawn.scene import draw_background
from tests.drawn.units import random_expression

CAST = (43, 10, 23, 32, 14)
"""Seeds of five people; FaceNet's mean distance between two of them is 0.5 or more."""


def distinct_person(seed: int) -> Person:
    """Invents an identity with wider bounds than those of the demo."""
    rng = np.random.default_rng(seed)
    return replace(
        some_person(rng),
        skin=SKINS[int(rng.integers(8))],
        hair=HAIRS[int(rng.integers(7))],
        style=str(rng.choice(["bald", "short", "fringe", "curly", "long"])),
        beard=str(rng.choice(["none", "stubble", "full", "moustache"])),
        glasses=bool(rng.random() < 0.4),
        width=rng.uniform(0.8, 1.15),
        jaw=rng.uniform(1.8, 3.2),
        taper=rng.uniform(0, 0.35),
        eyes=rng.uniform(0.7, 1.4),
        spacing=rng.uniform(0.8, 1.2),
        nose=rng.uniform(0.6, 1.6),
        mouth=rng.uniform(0.7, 1.4),
        fullness=rng.uniform(0.5, 1.7),
        brows=rng.uniform(0.4, 2),
        lines=rng.uniform(0, 1),
    )


def draw_scene(
    people: Sequence[Person], seed: int, width: int, height: int, frames: int = 1
) -> Iterator[NDArray[np.uint8]]:
    """Draws people side by side who sway a little.

    Args:
        people: From left to right.
        seed: Poses, light, expressions and background.
        width: Pixels.
        height: Pixels.
        frames: Number of pictures.

    Yields:
        Pictures, `(height, width, 3)` uint8 RGB each.
    """
    rng = np.random.default_rng(seed)
    background = draw_background(rng, 2 * height, 2 * width)
    room = 2 * width / len(people)
    cast = [
        (person, random_pose(rng, (i + 0.5) * room, height, min(0.42 * room, 0.7 * height)))
        for i, person in enumerate(people)
    ]
    faces = [random_expression(str(rng.choice(["neutral", "happy", "surprise"])), rng) for _ in people]
    for frame in range(frames):
        picture = background.copy()
        for (person, pose), face in zip(cast, faces, strict=True):
            sway = 0.08 * np.sin(2 * np.pi * frame / 12)
            paint_person(picture, person, replace(pose, yaw=pose.yaw + sway, x=pose.x + 20 * sway), face)
        yield np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
