"""A layer to draw one head on, in face coordinates, with soft shading."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.drawn.person import Paint, Pose

Point = tuple[float, float]
Points = NDArray[np.float64]

_SHIFT = 4  # OpenCV takes sub-pixel places as integers with this many binary digits after the point
_TAPER = np.sin(np.linspace(0.12, np.pi - 0.12, 13))[:, None] ** 0.6  # of the thickness along a line
_SHADE_STEP = 24  # cells of the shading grid per half height of the head


class Pen:
    """Draws one head on a piece of a picture, then lays it over that picture.

    Shapes are antialiased. Shading is a coarse grid of factors around 1, blurred and multiplied on when
    `shade` is called, so that soft folds cost as little for a large head as for a small one.
    """

    def __init__(self, picture: NDArray[np.uint8], pose: Pose, reach: float) -> None:
        """Takes the part of `picture`, `(h, w, 3)` uint8 RGB, within `reach` half head heights."""
        height, width = picture.shape[:2]
        centre, extent = np.array([pose.x, pose.y]), reach * pose.radius
        (left, top), (right, bottom) = (
            np.clip(centre + way * extent, 0, [width, height]).astype(int).tolist() for way in (-1, 1)
        )
        self.pose = pose
        self._corner = np.array([left, top], dtype=np.float64)
        self._under = picture[top:bottom, left:right]
        self._layer = self._under.copy()
        self._mask = np.zeros(self._layer.shape[:2], dtype=np.uint8)
        self._cell = max(1.0, pose.radius / _SHADE_STEP)
        grid = np.maximum(1, np.round(np.divide(self._mask.shape, self._cell))).astype(int)
        self._soft = np.ones(grid, dtype=np.float32)

    def cover(self, points: ArrayLike, colour: Paint) -> None:
        """Fills a silhouette given in the plane of the outline; what is outside all of them stays hidden."""
        polygon = self._integers(self.pose.flat(points))
        cv2.fillPoly(self._layer, [polygon], colour, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self._mask, [polygon], (255,), cv2.LINE_AA, _SHIFT)

    def put(self, points: ArrayLike, colour: Paint, height: float) -> None:
        """Fills a flat thing that stands before the head, at one height above the plane of the outline."""
        front = np.asarray(points) + height * np.array([np.sin(self.pose.yaw), np.sin(self.pose.pitch)])
        self.cover(front, colour)

    def fill(self, points: ArrayLike, colour: Paint, lift: float = 0.0) -> None:
        """Fills a shape on the front of the head."""
        polygon = self._integers(self.pose.project(points, lift))
        cv2.fillPoly(self._layer, [polygon], colour, cv2.LINE_AA, _SHIFT)

    def line(self, points: Sequence[Point] | Points, colour: Paint, width: float, lift: float = 0.0) -> None:
        """Draws a line on the front of the head that is `width` face units thick and thins at its ends."""
        through, slope = _curve(len(points))
        middle, along = through @ np.asarray(points), slope @ np.asarray(points)
        across = along[:, ::-1] * [-1, 1] / np.sqrt((along * along).sum(axis=1, keepdims=True) + 1e-12)
        half = 0.5 * width * _TAPER * across
        self.fill(np.concatenate([middle + half, (middle - half)[::-1]]), colour, lift)

    def strands(self, starts: ArrayLike, ends: ArrayLike, colours: list[Paint], width: float) -> None:
        """Draws straight hairs in the plane of the outline, from `starts (n, 2)` to `ends (n, 2)`."""
        thickness = max(1, round(width * self.pose.radius))
        a, b = self._integers(self.pose.flat(starts)), self._integers(self.pose.flat(ends))
        for start, end, colour in zip(a.tolist(), b.tolist(), colours, strict=True):
            cv2.line(self._layer, start, end, colour, thickness, cv2.LINE_AA, _SHIFT)

    def soften(self, points: ArrayLike, amount: float, lift: float = 0.0) -> None:
        """Adds a soft shape to the shading: `amount` is negative for shadow, positive for light."""
        place = (self.pose.project(points, lift) - self._corner) / self._cell
        stamp = np.zeros(self._soft.shape, dtype=np.uint8)
        polygon = np.round((place - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(stamp, [polygon], (255,), cv2.LINE_AA, _SHIFT)
        cv2.scaleAdd(stamp.astype(np.float32), amount / 255, self._soft, self._soft)

    def shade(self) -> None:
        """Multiplies the soft shapes and the light on an ellipsoid onto everything drawn so far."""
        factor = cv2.GaussianBlur(self._soft, (0, 0), 1.1) * self._light()
        scale = 100  # factors from 0 to 2.55 as bytes
        coarse = np.clip(factor * scale, 0, 255).astype(np.uint8)
        fine = cv2.resize(coarse, self._mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        cv2.multiply(self._layer, cv2.merge([fine, fine, fine]), self._layer, 1 / scale)

    def lay(self) -> None:
        """Lays the silhouettes over the picture."""
        weight = self._mask.astype(np.float32) * (1 / 255)
        self._under[:] = cv2.blendLinear(self._layer, self._under, weight, 1 - weight)

    def _light(self) -> NDArray[np.float32]:
        """Lambert's cosine law on an ellipsoid, `(rows, columns)` around 1."""
        rows, columns = self._soft.shape
        x = ((np.arange(columns) + 0.5) * self._cell + self._corner[0] - self.pose.x) / self.pose.radius
        y = ((np.arange(rows) + 0.5) * self._cell + self._corner[1] - self.pose.y) / self.pose.radius
        across, down = np.meshgrid(x / 1.05, y / 1.4)
        ahead = np.sqrt(np.maximum(0.08, 1 - across**2 - down**2))
        length = np.sqrt(across**2 + down**2 + ahead**2)
        light_x, light_y = self.pose.light
        light_z = np.sqrt(max(0.1, 1 - light_x**2 - light_y**2))
        cosine = (across * light_x + down * light_y + ahead * light_z) / length
        result: NDArray[np.float32] = (0.97 + 0.55 * self.pose.contrast * (cosine - 0.82)).astype(np.float32)
        return result

    def _integers(self, pixels: NDArray[np.float64]) -> NDArray[np.int32]:
        return np.round((pixels - self._corner - 0.5) * (1 << _SHIFT)).astype(np.int32)


def between(x: Points, upper: Points, lower: Points) -> Points:
    """Returns the polygon between two curves over the same `x (n,)`, `(2 n, 2)`."""
    return np.stack([np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]])], axis=1)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> Points:
    """Returns an ellipse as a polygon, `(24, 2)`."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + half_width * np.cos(angle), y + half_height * np.sin(angle)], axis=1)


@lru_cache
def _curve(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the matrices that turn `count` points into the polynomial through them and into its slope."""
    at = np.linspace(0, 1, len(_TAPER))
    through = np.vander(at, count) @ np.linalg.inv(np.vander(np.linspace(0, 1, count), count))
    return through, np.gradient(through, at, axis=0)
