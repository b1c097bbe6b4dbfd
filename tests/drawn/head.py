"""The head around the features: neck, ears, skull, jaw, hair, beard, glasses."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.drawn import features
from tests.drawn.pen import Pen, Points, ellipse
from tests.drawn.person import Paint, Person, Pose, mix
from tests.drawn.units import Expression

HALF_WIDTH = 0.74  # of the head, as a share of half its height
BLACK: Paint = (0, 0, 0)


def paint_person(picture: NDArray[np.uint8], person: Person, pose: Pose, expression: Expression) -> None:
    """Draws a head and shoulders onto a picture.

    Args:
        picture: `(h, w, 3)` uint8 RGB, changed in place. It holds at least a part of the head.
        person: Who is drawn.
        pose: Where, how turned and how lit.
        expression: What the face does.
    """
    rng = np.random.default_rng(person.texture)
    if person.style == "long":
        behind = Pen(picture, pose, reach=2.1)
        _long_hair(behind, person, rng)
        behind.lay()
    _shoulders(picture, person, pose)
    pen = Pen(picture, pose, reach=1.55)
    outline = head_outline(person, jaw_drop=0.17 * expression.mean(26))
    _neck(pen, person)
    _ears(pen, person)
    if person.style == "curly":
        _curls(pen, person, rng)
    pen.cover(outline, person.skin)
    _beard(pen, person, outline, rng)
    features.paint_soft(pen, person, expression)
    _hair(pen, person, outline, rng)
    pen.shade()
    features.paint_sharp(pen, person, expression, rng)
    if person.glasses:
        _glasses(pen, person)
    pen.lay()


def head_outline(person: Person, jaw_drop: float) -> Points:
    """Returns the outline of skull and jaw, `(n, 2)` face coordinates, clockwise from the right ear.

    The skull is half an ellipse and the jaw half a superellipse that narrows towards the chin.
    """
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    power = np.where(sin > 0, 2 / person.jaw, 2 / 2.2)
    x = HALF_WIDTH * person.width * np.sign(cos) * np.abs(cos) ** power
    y = np.sign(sin) * np.abs(sin) ** power
    down = np.maximum(y, 0)
    x *= 1 - person.taper * down**1.5
    return np.stack([x, y + jaw_drop * down**1.5], axis=1)


def _shoulders(picture: NDArray[np.uint8], person: Person, pose: Pose) -> None:
    place, r = np.array([pose.x, pose.y]), pose.radius
    slope = np.linspace(0, np.pi / 2, 10)
    right = np.stack([0.55 + 0.85 * np.sin(slope), 1.9 - 0.55 * np.cos(slope)], axis=1)
    right = np.concatenate([[(0.3, 1.2)], right, [(1.7, 3.2), (1.8, 20.0)]])
    body = np.concatenate([right[::-1] * [-1, 1], right]) * r + place
    cv2.fillPoly(picture, [np.round(body * 16).astype(np.int32)], person.shirt, cv2.LINE_AA, 4)
    darker = mix(person.shirt, BLACK, 0.3)
    for line in ([(-0.42, 1.3), (0, 1.62), (0.42, 1.3)], [(-1.1, 2.4), (-1.2, 20)], [(1.1, 2.4), (1.2, 20)]):
        fold = np.round((np.array(line) * r + place) * 16).astype(np.int32)
        cv2.polylines(picture, [fold], False, darker, max(1, round(0.05 * r)), cv2.LINE_AA, 4)


def _neck(pen: Pen, person: Person) -> None:
    width = 0.42 * person.width
    right = np.array([(width, 0.5), (width, 1.2), (width + 0.1, 1.32), (0, 1.58)])
    neck = np.concatenate([right, right[::-1] * [-1, 1]])
    pen.cover(neck, mix(person.skin, (90, 40, 30), 0.32))  # in the shadow of the chin


def _ears(pen: Pen, person: Person) -> None:
    turn = pen.pose.yaw
    for side in (-1, 1):
        if person.style == "long" or side * turn > 0.25:
            continue
        # The plane of the ears lies behind that of the outline and turns the other way.
        x = side * (HALF_WIDTH * person.width + 0.03) - 0.12 * np.sin(turn)
        pen.cover(ellipse(x, 0.1, 0.1, 0.2), mix(person.skin, (150, 60, 50), 0.12))
        pen.cover(ellipse(x + side * 0.015, 0.1, 0.05, 0.13), mix(person.skin, (110, 40, 30), 0.3))


def _hairline(person: Person, outline: Points, height: float, dip: float) -> tuple[Points, Points]:
    """Returns the outer and inner edge of the hair on top of the head, both from left to right."""
    top = outline[outline[:, 1] < 0.02]
    top = top[np.argsort(np.arctan2(top[:, 1] - 0.05, top[:, 0]))]
    t = np.linspace(-1, 1, len(top))
    inner_x = np.sign(t) * np.abs(t) ** 0.8 * HALF_WIDTH * person.width * 0.93
    inner_y = -height + (height - 0.05) * np.abs(t) ** 4.5 + dip * np.cos(2.2 * np.pi * t) * (1 - t**2)
    return top * [1.06, 1.09], np.stack([inner_x, inner_y], axis=1)


def _hair(pen: Pen, person: Person, outline: Points, rng: np.random.Generator) -> None:
    if person.style == "bald":
        return
    height = {"fringe": 0.42, "short": 0.64, "curly": 0.6, "long": 0.6}[person.style]
    height += rng.uniform(-0.04, 0.05)
    outer, inner = _hairline(person, outline, height, rng.uniform(-0.05, 0.05))
    # The hairline lies on the front of the head and turns with it; the outline does not.
    inner[:, 0] += 0.45 * np.sin(pen.pose.yaw) * np.cos(0.5 * np.pi * np.linspace(-1, 1, len(inner)))
    pen.cover(np.concatenate([outer, inner[::-1]]), person.hair)
    count = 60
    at = np.sort(rng.integers(0, len(outer), count))
    parting = np.array([rng.uniform(-0.35, 0.35), -1.02])
    ends = inner[at] + rng.normal(0, 0.02, (count, 2)) + [0, -0.015]
    across = np.linspace(-1, 1, len(outer))[at, None]
    longest = 0.2 if person.style == "short" else 0.9
    reach = longest * (1 - np.abs(across))  # those at the temples stay short
    starts = (1 - reach) * (0.5 * outer[at] + 0.5 * inner[at]) + reach * parting
    pen.strands(starts, ends, _tones(person.hair, count, rng), 0.012)
    if person.style == "long":
        _locks(pen, person)


def _locks(pen: Pen, person: Person) -> None:
    """Draws the hair that falls before the ears."""
    outer = [(0.8, -0.6), (1.08, -0.3), (1.14, 0.2), (1.1, 0.8), (0.98, 1.05)]
    inner = [(0.9, 0.5), (0.88, 0.0), (0.84, -0.3)]
    edge = HALF_WIDTH * person.width
    for side in (-1, 1):
        pen.cover(np.array(outer + inner) * [side * edge, 1], mix(person.hair, BLACK, 0.12))


def _long_hair(pen: Pen, person: Person, rng: np.random.Generator) -> None:
    edge = HALF_WIDTH * person.width
    flare = rng.uniform(1.15, 1.35)
    angle = np.linspace(-np.pi / 2, 0, 12)
    crown = np.stack([1.16 * np.cos(angle), 1.12 * np.sin(angle)], axis=1)
    half = np.concatenate([crown, [(flare, 0.75), (flare * 1.03, 1.4), (0.6, 1.6)]]) * [edge, 1]
    pen.cover(np.concatenate([half, half[::-1] * [-1, 1]]), mix(person.hair, BLACK, 0.3))
    count = 40
    x = rng.uniform(-1, 1, count)
    starts = np.stack([x * edge, np.full(count, -0.4)], axis=1)
    ends = np.stack([x * edge * flare * 0.98, np.full(count, 1.4)], axis=1)
    pen.strands(starts, ends, _tones(mix(person.hair, BLACK, 0.3), count, rng), 0.02)


def _curls(pen: Pen, person: Person, rng: np.random.Generator) -> None:
    edge = HALF_WIDTH * person.width
    for angle in np.linspace(np.pi * 0.97, np.pi * 2.03, 17):
        x, y = 1.0 * edge * np.cos(angle), 0.92 * np.sin(angle) - 0.08
        size = rng.uniform(0.19, 0.25)
        pen.cover(ellipse(x, y, size, size), mix(person.hair, BLACK, rng.uniform(0, 0.2)))


def _beard(pen: Pen, person: Person, outline: Points, rng: np.random.Generator) -> None:
    if person.beard == "none":
        return
    lip = np.array([(-0.3, 0.62), (-0.2, 0.47), (0, 0.44), (0.2, 0.47), (0.3, 0.62)])
    if person.beard == "moustache":
        pen.fill(np.concatenate([lip, [(0.0, 0.56)]]), mix(person.skin, person.hair, 0.85))
        return
    share = 0.3 if person.beard == "stubble" else 0.85
    jaw = outline[outline[:, 1] > 0.2]  # clockwise: from the right of the picture over the chin to the left
    colour = mix(person.skin, person.hair, share)
    cheek = np.array([(-0.56, 0.42), (-0.42, 0.5), *lip, (0.42, 0.5), (0.56, 0.42)])
    turn = 0.5 * np.sin(pen.pose.yaw)
    pen.cover(np.concatenate([jaw, cheek + np.array([turn, 0.0])]), colour)
    if person.beard == "full":
        count = 70
        at = rng.integers(0, len(jaw), count)
        starts = jaw[at] * rng.uniform(0.8, 1.0, (count, 1))
        pen.strands(starts, starts * [0.98, 1.06], _tones(colour, count, rng), 0.012)


def _glasses(pen: Pen, person: Person) -> None:
    frame, height = (38.0, 34.0, 40.0), 0.74
    inside, edge = 0.33 * person.spacing, HALF_WIDTH * person.width
    angle = np.linspace(0, 2 * np.pi, 29)
    cos, sin = np.cos(angle), np.sin(angle)
    rounded = np.stack(
        [0.235 * np.sign(cos) * np.abs(cos) ** 0.7, 0.185 * np.sign(sin) * np.abs(sin) ** 0.7], axis=1
    )
    bars = [((inside - 0.235, 0.0), (0.235 - inside, 0.0))]
    for side in (-1, 1):
        rim = [(x, y) for x, y in rounded + np.array([side * inside, 0.02])]
        bars += pairwise(rim)
        # The arm ends at the ear, which lies in the plane of the outline.
        ear = side * edge - height * np.sin(pen.pose.yaw)
        bars.append(((side * (inside + 0.235), -0.02), (float(ear), 0.0)))
    for start, end in bars:
        pen.put(_bar(np.array(start), np.array(end), 0.03), frame, height)


def _bar(a: Points, b: Points, width: float) -> Points:
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    across = 0.5 * width * np.array([-along[1], along[0]])
    return np.stack([a + across, b + across, b - across, a - across])


def _tones(colour: Paint, count: int, rng: np.random.Generator) -> list[Paint]:
    shares = rng.uniform(-0.35, 0.35, count)
    return [
        mix(colour, BLACK if share < 0 else (255, 235, 210), abs(share) * (1 if share < 0 else 0.5))
        for share in shares
    ]
