"""The mouth: lips, teeth, tongue and dimples."""

from dataclasses import dataclass

import numpy as np

from tests.drawn.pen import Pen, Points, between
from tests.drawn.person import FOLD, Paint, Person, mix
from tests.drawn.units import SIDES, Expression


@dataclass(frozen=True)
class Mouth:
    """Edges of the lips from left to right, each `(n, 2)`, and the height of the opening in its middle."""

    upper_outer: Points
    upper_inner: Points
    lower_inner: Points
    lower_outer: Points
    opening: float

    def lips(self) -> Points:
        """Returns the outline of both lips."""
        return np.concatenate([self.upper_outer, self.lower_outer[::-1]])


def mouth_shape(person: Person, expression: Expression) -> Mouth:
    """Places the lips: corners by AU 12, 14, 15, 20; middle by 10, 16, 17, 25, 26; thickness by 23, 24."""
    corners = []
    for column, sign in SIDES:
        of = {unit: expression.of(unit, column) for unit in (12, 14, 15, 20, 23, 24, 26)}
        half = 0.25 * person.mouth + 0.10 * of[12] + 0.03 * of[14] + 0.02 * of[15] + 0.10 * of[20]
        half -= 0.05 * of[23] + 0.02 * of[24] + 0.05 * of[26] * (1 - of[12])
        height = 0.60 - 0.13 * of[12] - 0.045 * of[14] + 0.10 * of[15] + 0.05 * of[20] + 0.05 * of[26]
        corners.append((sign * half, height))
    (left_x, left_y), (right_x, right_y) = corners
    mean = expression.mean
    t = np.linspace(0, 1, 25)
    x = left_x + (right_x - left_x) * t
    line = left_y + (right_y - left_y) * t
    rest = 0.5 * (left_y + right_y)
    bend = 1 - np.abs(2 * t - 1) ** 2.2
    upper_middle = (
        0.60 - 0.07 * mean(10) - 0.03 * mean(9) + 0.01 * mean(12) - 0.05 * mean(17) - 0.02 * mean(26)
    )
    opening = max(
        0.0, 0.055 * mean(25) + 0.05 * mean(25) * mean(12) + 0.30 * mean(26) + 0.07 * mean(16) * mean(25)
    )
    upper = line + (upper_middle - rest) * bend
    lower = upper + opening * bend
    thin = 1 - 0.55 * mean(23) - 0.45 * mean(24) * (1 - 0.5 * mean(23)) - 0.25 * mean(12) - 0.25 * mean(20)
    full = person.fullness * max(0.25, thin)
    bow = (bend**0.7) * (1 - 0.28 * np.exp(-(((t - 0.5) / 0.09) ** 2)))
    edges = (upper - 0.062 * full * bow, upper, lower, lower + (0.088 * full + 0.02 * mean(16)) * bend**0.8)
    upper_outer, upper_inner, lower_inner, lower_outer = (np.stack([x, y], axis=1) for y in edges)
    return Mouth(upper_outer, upper_inner, lower_inner, lower_outer, opening)


def paint_mouth(pen: Pen, person: Person, expression: Expression) -> None:
    """Draws the inside of the mouth, the line between the lips and the dimples at their corners."""
    mouth = mouth_shape(person, expression)
    dark = mix(lip_colour(person), (50, 10, 14), 0.72)
    if mouth.opening > 0.012:
        _paint_inside(pen, expression, mouth)
    pressed = 0.014 + 0.012 * max(expression.mean(23), expression.mean(24))
    pen.line(mouth.upper_inner[[0, 8, 16, 24]], dark, pressed + 0.006)
    for column, sign in SIDES:
        corner = mouth.upper_inner[-1 if sign > 0 else 0]
        dimple = max(expression.of(14, column), 0.6 * expression.of(12, column))
        if dimple > 0.15:
            x, y = corner[0] + sign * 0.035, corner[1] - 0.01
            colour = mix(person.skin, FOLD, 0.35 + 0.4 * dimple)
            pen.line([(x, y - 0.07), (x + sign * 0.035, y), (x, y + 0.07)], colour, 0.022 + 0.012 * dimple)


def lip_colour(person: Person) -> Paint:
    """Returns the colour of the lips in even light."""
    return mix(person.skin, (168, 44, 58), person.lips)


def _paint_inside(pen: Pen, expression: Expression, mouth: Mouth) -> None:
    top, floor = mouth.upper_inner, mouth.lower_inner[:, 1]
    pen.fill(np.concatenate([top, mouth.lower_inner[::-1]]), (62, 18, 22))
    if mouth.opening > 0.14:
        tongue = np.maximum(top[:, 1], floor - 0.4 * mouth.opening * np.hanning(len(top)) ** 0.5)
        pen.fill(between(top[:, 0], tongue, floor), (176, 78, 80))
    inside = slice(2, -2)
    x, roof, floor = top[inside, 0], top[inside, 1], floor[inside]
    if expression.mean(16) > 0.25:
        pen.fill(between(x, np.maximum(roof, floor - 0.055), floor), (218, 210, 196))
    upper_teeth = 0.05 + 0.06 * max(expression.mean(12), expression.mean(10))
    edge = np.minimum(floor, roof + upper_teeth)
    pen.fill(between(x, roof + 0.004, edge), (240, 235, 224))
    for at in (0.3, 0.4, 0.5, 0.6, 0.7):
        i = int(at * len(x))
        pen.line([(x[i], roof[i] + 0.01), (x[i], edge[i] - 0.004)], (205, 194, 182), 0.008)
