"""Who is drawn and how they are seen: identity, pose and light."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Paint = tuple[float, float, float]

FOLD: Final[Paint] = (84, 34, 26)
"""What folded skin darkens towards."""

_CURVATURE = np.array([0.95, 1.25]) ** -2.0  # of the front of the head, an ellipsoid

SKINS: Final[tuple[Paint, ...]] = (
    (236, 200, 178),
    (228, 186, 158),
    (222, 174, 140),
    (210, 158, 122),
    (190, 138, 102),
    (162, 112, 82),
    (130, 88, 64),
    (106, 72, 54),
)
HAIRS: Final[tuple[Paint, ...]] = (
    (28, 24, 24),
    (52, 36, 28),
    (86, 56, 36),
    (128, 84, 46),
    (190, 150, 92),
    (140, 62, 34),
    (170, 168, 166),
)
IRISES: Final[tuple[Paint, ...]] = (
    (70, 42, 24),
    (96, 62, 32),
    (84, 110, 130),
    (70, 120, 160),
    (90, 118, 74),
)


@dataclass(frozen=True)
class Person:
    """An invented identity. Colours are RGB 0 to 255; proportions are factors around 1.

    Attributes:
        skin: Skin in even light.
        hair: Hair and, a little darker, brows.
        iris: Iris.
        shirt: Clothing.
        lips: How much redder than the skin the lips are, 0 to 1.
        width: Width of the head.
        jaw: Squareness of the jaw (exponent of a superellipse, about 2 to 2.7).
        taper: How much the head narrows towards the chin, 0 to 0.3.
        eyes: Size of the eyes.
        spacing: Distance between the eyes.
        nose: Width of the nose.
        mouth: Width of the mouth.
        fullness: Thickness of the lips.
        brows: Thickness of the brows.
        style: Hair: `bald`, `short`, `fringe`, `curly` or `long`.
        beard: `none`, `stubble`, `full` or `moustache`.
        glasses: Whether glasses are worn.
        lines: How readily the skin folds, 0 (young) to 1 (old).
        texture: Seed of details such as strands, the same in every frame of a clip.
    """

    skin: Paint
    hair: Paint
    iris: Paint
    shirt: Paint
    lips: float
    width: float
    jaw: float
    taper: float
    eyes: float
    spacing: float
    nose: float
    mouth: float
    fullness: float
    brows: float
    style: str
    beard: str
    glasses: bool
    lines: float
    texture: int


@dataclass(frozen=True)
class Pose:
    """Where a head is in the picture and how it is turned and lit.

    Face coordinates, in which all features are placed: origin between the eyes, x to the right of the
    picture, y down, 1 = half the height of the head, so that the crown is at y = -1 and the chin at 1.

    Attributes:
        x: Pixel column of the origin.
        y: Pixel row of the origin.
        radius: Half the height of the head in pixels.
        yaw: Turn to the right of the picture, radians.
        pitch: Nod downwards, radians.
        roll: Tilt clockwise, radians.
        light: Direction towards the light, `(x, y)` within the unit circle; the rest of its length points
            at the viewer.
        contrast: Strength of shading, about 0.3 to 1.
    """

    x: float
    y: float
    radius: float
    yaw: float
    pitch: float
    roll: float
    light: tuple[float, float]
    contrast: float

    def project(self, points: ArrayLike, lift: float = 0.0) -> NDArray[np.float64]:
        """Moves face coordinates on the curved front of the head to pixels.

        Args:
            points: `(n, 2)` face coordinates.
            lift: Height above the curved front, as for the tip of the nose.

        Returns:
            `(n, 2)` float64 pixels.
        """
        flat = np.asarray(points, dtype=np.float64)
        height = 0.75 * np.sqrt(np.maximum(0.0, 1 - (flat * flat) @ _CURVATURE)) + lift
        return self.flat(flat + height[:, None] * self._parallax)

    def flat(self, points: ArrayLike) -> NDArray[np.float64]:
        """Moves face coordinates in the plane of the head's outline to pixels, `(n, 2)` float64."""
        pixels: NDArray[np.float64] = np.asarray(points, dtype=np.float64) @ self._turn + self._origin
        return pixels

    @cached_property
    def _parallax(self) -> NDArray[np.float64]:
        return np.array([np.sin(self.yaw), np.sin(self.pitch)])

    @cached_property
    def _turn(self) -> NDArray[np.float64]:
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return self.radius * np.array([[cos, sin], [-sin, cos]])

    @cached_property
    def _origin(self) -> NDArray[np.float64]:
        return np.array([self.x, self.y])


def random_person(rng: np.random.Generator) -> Person:
    """Invents an identity."""
    dark = int(rng.integers(len(SKINS)))
    hairs = HAIRS[:3] if dark >= 5 else HAIRS
    style = str(rng.choice(["bald", "short", "fringe", "curly", "long"], p=[0.08, 0.3, 0.16, 0.14, 0.32]))
    bearded = style != "long" and rng.random() < 0.35
    return Person(
        skin=_jitter(mix(SKINS[dark], SKINS[max(dark - 1, 0)], rng.random()), 3, rng),
        hair=_jitter(hairs[rng.integers(len(hairs))], 10, rng),
        iris=_jitter(IRISES[rng.integers(2 if dark >= 4 else len(IRISES))], 8, rng),
        shirt=_jitter((rng.uniform(30, 220), rng.uniform(30, 220), rng.uniform(30, 220)), 5, rng),
        lips=rng.uniform(0.3, 0.75) if style == "long" else rng.uniform(0.2, 0.4),
        width=rng.uniform(0.92, 1.06),
        jaw=rng.uniform(2.0, 2.6),
        taper=rng.uniform(0.06, 0.24),
        eyes=rng.uniform(0.92, 1.12),
        spacing=rng.uniform(0.95, 1.06),
        nose=rng.uniform(0.85, 1.2),
        mouth=rng.uniform(0.9, 1.12),
        fullness=rng.uniform(0.8, 1.25),
        brows=rng.uniform(0.7, 1.3),
        style=style,
        beard=str(rng.choice(["stubble", "full", "moustache"])) if bearded else "none",
        glasses=bool(rng.random() < 0.15),
        lines=rng.uniform(0.2, 1.0),
        texture=int(rng.integers(2**31)),
    )


def random_pose(rng: np.random.Generator, x: float, y: float, radius: float) -> Pose:
    """Turns and lights a head at a place of the picture (pixels) at random, mostly towards the viewer."""
    angle, reach = rng.uniform(-np.pi, 0.3), rng.uniform(0.2, 0.75)  # light mostly comes from above
    return Pose(
        x=x,
        y=y,
        radius=radius,
        yaw=float(np.clip(rng.normal(0, 0.16), -0.38, 0.38)),
        pitch=float(np.clip(rng.normal(0, 0.06), -0.14, 0.14)),
        roll=float(np.clip(rng.normal(0, 0.08), -0.22, 0.22)),
        light=(reach * np.cos(angle), reach * np.sin(angle)),
        contrast=rng.uniform(0.45, 1.0),
    )


def mix(a: Paint, b: Paint, share: float) -> Paint:
    """Returns the colour on the way from `a` (share 0) to `b` (share 1)."""
    keep = 1 - share
    return keep * a[0] + share * b[0], keep * a[1] + share * b[1], keep * a[2] + share * b[2]


def _jitter(colour: Paint, spread: float, rng: np.random.Generator) -> Paint:
    red, green, blue = np.clip(np.asarray(colour) + rng.uniform(-spread, spread, 3), 0, 255)
    return float(red), float(green), float(blue)
