"""What a face does: the features in the order they are drawn, the nose, soft hills and hollows, fine folds.

Every number here and in `eyes` and `mouth` is a share of half the height of the head; see `Pose` for the
coordinates.
"""

import numpy as np

from tests.drawn.eyes import paint_brow, paint_eye
from tests.drawn.mouth import Mouth, lip_colour, mouth_shape, paint_mouth
from tests.drawn.pen import Pen
from tests.drawn.person import FOLD, Paint, Person, mix
from tests.drawn.units import SIDES, Expression

DOWN = np.array([0.0, 1.0])


def paint_soft(pen: Pen, person: Person, expression: Expression) -> None:
    """Draws what takes part in the shading and lies below the hair: lips, hills and hollows, fine folds."""
    mouth = mouth_shape(person, expression)
    pen.fill(mouth.lips(), lip_colour(person))
    _sockets(pen, person, expression)
    _nose_shading(pen, person, expression)
    _cheeks(pen, expression, mouth)
    below = mouth.lower_outer[4:-4]
    pen.soften(np.concatenate([below + 0.015 * DOWN, (below + 0.075 * DOWN)[::-1]]), -0.16)
    middle = mouth.lower_inner[6:-6]
    pen.soften(np.concatenate([middle + 0.02 * DOWN, (middle + 0.05 * DOWN)[::-1]]), 0.14)
    _folds(pen, person, expression)


def paint_sharp(pen: Pen, person: Person, expression: Expression, rng: np.random.Generator) -> None:
    """Draws what lies on top of the shading: eyes, brows, nostrils, the inside of the mouth."""
    _nostrils(pen, person, expression)
    paint_mouth(pen, person, expression)
    gaze = rng.normal(0, 0.012)
    for column, sign in SIDES:
        paint_eye(pen, person, expression, column, sign, gaze)
        paint_brow(pen, person, expression, column, sign)


def _sockets(pen: Pen, person: Person, expression: Expression) -> None:
    for column, sign in SIDES:
        lowered = expression.of(4, column) * (1 - expression.of(1, column))
        x = sign * 0.31 * person.spacing
        angle = np.linspace(0, 2 * np.pi, 16)
        socket = np.stack([x + 0.24 * np.cos(angle), -0.04 + 0.14 * np.sin(angle)], axis=1)
        pen.soften(socket, -0.10 - 0.14 * lowered)
        pen.soften(
            [(sign * 0.07, -0.18), (sign * 0.17, -0.14), (sign * 0.11, 0.06), (sign * 0.06, 0.05)], -0.14
        )
        pen.soften([(x - 0.17, 0.12), (x, 0.16), (x + 0.17, 0.12), (x, 0.2)], -0.08 - 0.1 * person.lines)
        pen.soften([(x - 0.2, -0.3), (x, -0.38), (x + 0.2, -0.3), (x, -0.3)], 0.06)


def _nose_shading(pen: Pen, person: Person, expression: Expression) -> None:
    dark = -np.sign(pen.pose.light[0])
    wide = 0.15 * person.nose
    raised = 0.05 * expression.mean(9) + 0.02 * expression.mean(10)
    tip = 0.37 - raised
    pen.soften(
        [(dark * 0.05, -0.02), (dark * wide * 1.1, tip), (dark * 0.03, tip + 0.02), (dark * 0.03, 0.1)],
        -0.22,
        0.04,
    )
    pen.soften([(-0.022, -0.1), (0.022, -0.1), (0.035, tip - 0.05), (-0.035, tip - 0.05)], 0.16, 0.08)
    pen.soften([(-0.05, tip - 0.06), (0.05, tip - 0.06), (0.04, tip), (-0.04, tip)], 0.16, 0.14)
    pen.soften([(-wide, tip + 0.04), (wide, tip + 0.04), (0.1, tip + 0.12), (-0.1, tip + 0.12)], -0.2, 0.02)
    pen.soften([(-0.03, tip + 0.1), (0.03, tip + 0.1), (0.035, tip + 0.17), (-0.035, tip + 0.17)], -0.07)


def _cheeks(pen: Pen, expression: Expression, mouth: Mouth) -> None:
    for column, sign in SIDES:
        lifted = max(expression.of(6, column), 0.7 * expression.of(12, column))
        high = 0.32 - 0.06 * lifted
        cheek = np.array([(0.26, high - 0.08), (0.5, high - 0.1), (0.52, high + 0.06), (0.34, high + 0.1)])
        pen.soften(cheek * [sign, 1], 0.07 + 0.12 * lifted)
        fold = 0.05 + 0.3 * max(lifted, 0.8 * expression.of(9, column), 0.8 * expression.of(10, column))
        corner = mouth.upper_inner[-1 if sign > 0 else 0]
        path = [
            (sign * 0.17, 0.36),
            (sign * 0.27, 0.44),
            (corner[0] + sign * 0.09, corner[1] - 0.02),
            (corner[0] + sign * 0.05, corner[1] + 0.04),
            (sign * 0.22, 0.46),
        ]
        pen.soften(path, -fold)
        pen.soften([(sign * 0.36, 0.62), (sign * 0.6, 0.3), (sign * 0.6, 0.42), (sign * 0.42, 0.74)], -0.06)
    boss = expression.mean(17)
    pen.soften([(-0.14, 0.84), (0.14, 0.84), (0.1, 0.93), (-0.1, 0.93)], 0.1 - 0.16 * boss)


def _folds(pen: Pen, person: Person, expression: Expression) -> None:
    ease = 0.55 + 0.45 * person.lines
    colour = mix(person.skin, FOLD, 0.42)
    frown = expression.mean(4)
    if frown > 0.2:  # the upright lines between the brows
        for _, sign in SIDES:
            pen.line(
                [(sign * 0.05, -0.30), (sign * 0.045, -0.22), (sign * 0.06, -0.13)],
                colour,
                0.024 * frown * ease,
            )
    raised = expression.mean(1)
    if raised > 0.3:  # lines across the forehead: in the middle only, unless AU 2 helps
        reach = 0.16 + 0.26 * expression.mean(2)
        for row in (-0.44, -0.52):
            pen.line([(-reach, row), (0, row + 0.012), (reach, row)], colour, 0.017 * raised * ease)
    wrinkled = expression.mean(9)
    if wrinkled > 0.2:  # bunny lines on the sides of the nose, and across its root
        for _, sign in SIDES:
            for row in (0.04, 0.1):
                pen.line(
                    [(sign * 0.05, row - 0.03), (sign * 0.11, row + 0.01), (sign * 0.13, row + 0.05)],
                    colour,
                    0.024 * wrinkled,
                    0.05,
                )
        pen.line([(-0.06, -0.07), (0, -0.055), (0.06, -0.07)], colour, 0.02 * wrinkled, 0.08)
    for column, sign in SIDES:
        _side_folds(pen, person, expression, column, sign, colour)


def _side_folds(
    pen: Pen, person: Person, expression: Expression, column: int, sign: float, colour: Paint
) -> None:
    of = {unit: expression.of(unit, column) for unit in (6, 9, 10, 12, 15)}
    if of[6] > 0.3:  # crow's feet, and the bag under the eye
        for rise in (-0.05, 0.01, 0.06):
            start = (sign * 0.53, 0.0 + 0.5 * rise)
            pen.line([start, (sign * 0.6, 0.004 + rise)], colour, 0.015 * of[6] * (0.4 + 0.6 * person.lines))
        x = sign * 0.33 * person.spacing
        pen.line([(x - 0.15, 0.075), (x, 0.115), (x + 0.15, 0.075)], colour, 0.016 * of[6])
    fold = max(of[12], of[9], of[10])
    if fold > 0.2:  # from the wing of the nose around the mouth
        out = 0.3 + 0.11 * of[12]
        pen.line(
            [(sign * 0.17, 0.35), (sign * (out - 0.02), 0.43), (sign * (out + 0.04), 0.58)],
            colour,
            0.03 * fold,
        )
    if of[15] > 0.3:  # below the corners of the mouth
        pen.line([(sign * 0.29, 0.72), (sign * 0.32, 0.79), (sign * 0.3, 0.86)], colour, 0.022 * of[15])


def _nostrils(pen: Pen, person: Person, expression: Expression) -> None:
    raised = 0.05 * expression.mean(9) + 0.02 * expression.mean(10)
    flare = 1 + 0.15 * expression.mean(9) + 0.1 * expression.mean(20)
    dark, y = mix(person.skin, (50, 14, 12), 0.72), 0.42 - raised
    for _, sign in SIDES:
        x = sign * 0.07 * person.nose * flare
        pen.line(
            [(x - sign * 0.035, y + 0.005), (x, y - 0.012), (x + sign * 0.035, y + 0.004)], dark, 0.04, 0.04
        )
        wing = sign * 0.145 * person.nose * flare
        pen.line(
            [(wing * 0.86, y - 0.1), (wing, y - 0.04), (wing * 0.84, y + 0.01)],
            mix(person.skin, FOLD, 0.5),
            0.02,
            0.02,
        )
