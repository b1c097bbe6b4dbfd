"""Eyes and brows."""

import numpy as np

from tests.drawn.pen import Pen, Points, between
from tests.drawn.person import FOLD, Person, mix
from tests.drawn.units import Expression


def paint_eye(
    pen: Pen, person: Person, expression: Expression, column: int, sign: float, gaze: float
) -> None:
    """Draws one eye: its lids by AU 1, 4, 5, 6, 7, 9, 43; `gaze` is how far to the right it looks."""
    of = {unit: expression.of(unit, column) for unit in (1, 4, 5, 6, 7, 9, 43)}
    middle, half = sign * 0.33 * person.spacing, 0.165 * person.eyes
    u = np.linspace(-1, 1, 19)  # from the inner corner, outwards
    x = middle + sign * half * u
    tilt = -0.018 * u
    open_up = max(0.0, 1 + 0.55 * of[5] - 0.35 * of[7] - 0.18 * of[6] - 0.3 * of[9] - 0.85 * of[43])
    open_down = max(-0.4, 1 + 0.25 * of[5] - 0.75 * of[7] - 0.8 * of[6] - 0.5 * of[9] - 0.2 * of[43])
    arch = (1 - u**2) ** 0.75
    # Sad lids fall outwards, angry ones inwards.
    slant = u * (0.035 * of[1] * (1 - of[5]) - 0.02 * of[4] * (1 - of[1]))
    upper = tilt - 0.088 * open_up * arch + slant * (1 - u**2) ** 0.4
    lower = np.maximum(upper, tilt + 0.052 * open_down * arch)
    pen.fill(between(x, upper, lower), mix((244, 240, 236), person.skin, 0.12))
    order = np.argsort(x)
    rings = ((0.078, mix(person.iris, (0, 0, 0), 0.45)), (0.066, person.iris), (0.035, (14.0, 10.0, 10.0)))
    for radius, colour in rings:  # edge, iris, pupil: circles cut off by the lids
        across = radius * np.linspace(-1, 1, 15)
        along = np.sqrt(np.maximum(0, radius**2 - across**2))
        column_x = middle + gaze + across
        roof, floor = (np.interp(column_x, x[order], lid[order]) for lid in (upper, lower))
        circle = (np.clip(-0.015 + way * along, roof, floor) for way in (-1, 1))
        pen.fill(between(column_x, *circle), colour)
    if open_up > 0.45:
        light = np.array([middle + gaze + 0.028 * np.sign(pen.pose.light[0]), -0.04])
        pen.fill(light + 0.017 * np.array([(-1, 0), (0, -1), (1, 0), (0, 1)]), (255, 255, 255))
    lash = mix(person.hair, (20, 12, 12), 0.7)
    weight = 0.016 if person.style == "long" else 0.008
    pen.fill(between(x, upper - 0.012 - weight * (1 - 0.5 * u**2), upper + 0.01), lash)
    pen.fill(between(x, lower - 0.003, lower + 0.009), mix(person.skin, FOLD, 0.55))
    crease = upper - 0.034 - 0.02 * (1 - u**2) * (1 - of[7])
    pen.fill(between(x, crease - 0.006, crease + 0.006), mix(person.skin, FOLD, 0.45))


def paint_brow(pen: Pen, person: Person, expression: Expression, column: int, sign: float) -> None:
    """Draws one brow."""
    knots = _brow_line(expression, column) * [person.spacing, 1]
    t = np.linspace(0, 1, 13)
    inner, arch, outer = knots
    pull = 2 * arch - 0.5 * (inner + outer)  # the control point of the parabola that passes through the arch
    curve = np.outer((1 - t) ** 2, inner) + np.outer(2 * t * (1 - t), pull) + np.outer(t**2, outer)
    thickness = 0.042 * person.brows * (1 - 0.75 * t) * (0.55 + 0.45 * np.minimum(1, 6 * t))
    polygon = between(curve[:, 0], curve[:, 1] - thickness, curve[:, 1] + thickness)
    pen.fill(polygon * [sign, 1], mix(mix(person.hair, (20, 14, 12), 0.35), person.skin, 0.08))


def _brow_line(expression: Expression, column: int) -> Points:
    """Places the inner end, arch and outer end of a brow on the right half of the face, `(3, 2)`."""
    of = {unit: expression.of(unit, column) for unit in (1, 2, 4, 6, 9)}
    inner = (
        0.14 - 0.055 * of[4],
        -0.205 - 0.135 * of[1] - 0.02 * of[2] + 0.13 * of[4] * (1 - 0.75 * of[1]) + 0.05 * of[9],
    )
    arch = (0.36, -0.265 - 0.02 * of[1] - 0.13 * of[2] + 0.07 * of[4])
    outer = (0.56, -0.185 + 0.045 * of[1] - 0.10 * of[2] + 0.01 * of[4] + 0.02 * of[6])
    return np.array([inner, arch, outer])
