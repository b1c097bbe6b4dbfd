"""Draws faces and what is said of them."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fercomp.annotate.drawing.placement import Rectangle, place_label
from fercomp.core.arguments import wrong_type
from fercomp.core.errors import FercompError
from fercomp.core.palette import LABEL_COLOURS, PLAIN, Colour
from fercomp.faces.crop import require_picture
from fercomp.faces.found import Faces, known

SMALL_PHOTO: Final = 256
"""Pixels of the longer side; on smaller photos a label that can be read would cover the face."""

STEADY: Final = 0.25
"""Share by which a face has to grow or shrink before its text does."""

_SMALLEST_TEXT: Final = 11


def draw(image: np.ndarray, faces: Faces, sizes: dict[int, int] | None = None) -> np.ndarray:
    """Draws a box around every face, and a label with track, emotion and confidence, such as `#3 sad 52%`.

    Lines and text grow with the picture and the face. A label lies above its box, or where there is no
    room, below it or inside; always inside the picture, and where possible beside the other labels, on
    photos beside all faces, too.

    Args:
        image: `(h, w, 3)` uint8 RGB; left as it is.
        faces: Its n faces, named.
        sizes: Font sizes by track, the same dictionary for all frames of a clip, which is changed: so text
            grows with its face without trembling with its box.

    Returns:
        A new picture of the same shape.

    Raises:
        FercompError: It is no such picture, or these are not faces that have been named.
    """
    canvas = require_picture(image).copy()
    if not isinstance(faces, Faces):
        raise wrong_type("the faces of the picture", faces, "`detect` of a model finds and names them")
    if faces.emotions is None or faces.confidences is None:
        raise FercompError("expected faces that have been named: `detect` of a model finds and names them")
    height, width = image.shape[:2]
    line = max(1, round((height + width) / 600))
    labels: list[Rectangle] = []
    emotions = known(faces.emotions)
    sizes = {} if sizes is None else sizes
    boxes = _whole_pixels(faces.boxes, width, height)
    for emotion, box in zip(emotions, boxes, strict=True):
        _frame(canvas, box, line, LABEL_COLOURS.get(emotion, PLAIN))
    # Labels come after all boxes, so that no line crosses a text.
    for i, (emotion, box) in enumerate(zip(emotions, boxes, strict=True)):
        text, font_size = _text(faces, i), _text_height(box, width, height)
        if faces.tracks is not None:
            track = int(faces.tracks[i])
            font_size = sizes[track] = _steady(font_size, sizes.get(track, font_size))
        label = _shrunk_to(_label(text, font_size, LABEL_COLOURS.get(emotion, PLAIN)), width, height)
        # In a clip, faces that pass each other would make labels jump from side to side.
        others = boxes if faces.tracks is None else []
        place = place_label((label.shape[1], label.shape[0]), box, (width, height), labels, others)
        labels.append(place)
        canvas[place[1] : place[3], place[0] : place[2]] = label
    return canvas


def with_room(image: np.ndarray, faces: Faces) -> tuple[np.ndarray, Faces]:
    """Makes a small photo larger, with a white strip above, so that labels do not cover faces.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its faces.

    Returns:
        A photo of `SMALL_PHOTO` pixels and more, and its faces: as they are, or as many times as large.
    """
    longer = max(image.shape[:2])
    if longer >= SMALL_PHOTO or len(faces) == 0:
        return image, faces
    scale = -(-SMALL_PHOTO // longer)
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    strip = 2 * _largest_text(large.shape[1], large.shape[0])
    roomy = cv2.copyMakeBorder(large, strip, 0, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    boxes = faces.boxes * scale + np.array([0, strip, 0, strip])
    return roomy, replace(faces, boxes=boxes.astype(faces.boxes.dtype), landmarks=None)


def _text(faces: Faces, i: int) -> str:
    """Returns what is said of a face, such as `#2 happy 93%`, and valence and arousal where given."""
    number = "" if faces.tracks is None else f"#{faces.tracks[i]} "
    text = f"{number}{known(faces.emotions)[i]} {known(faces.confidences)[i]:.0%}"
    if faces.valence_arousal is None:
        return text
    valence, arousal = faces.valence_arousal[i]
    return f"{text} v{valence:+.2f} a{arousal:+.2f}"


def _whole_pixels(boxes: np.ndarray, width: int, height: int) -> list[Rectangle]:
    """Returns the pixels that each box touches, at least one."""
    whole = np.clip(np.rint(boxes), 0, (width, height, width, height)).astype(int)
    whole[:, :2] = np.minimum(whole[:, :2], (width - 1, height - 1))
    whole[:, 2:] = np.maximum(whole[:, 2:], whole[:, :2] + 1)
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in whole.tolist()]


def _frame(canvas: np.ndarray, box: Rectangle, line: int, colour: Colour) -> None:
    """Draws lines inside the box; by slices, since OpenCV centres thick lines on the edge."""
    x1, y1, x2, y2 = box
    inside = canvas[y1:y2, x1:x2]
    for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
        edge[...] = colour


def _text_height(box: Rectangle, width: int, height: int) -> int:
    """Returns the font size: a sixth of the face, within what can be read and looks right."""
    face = min(box[2] - box[0], box[3] - box[1])
    return min(max(round(face / 6), _SMALLEST_TEXT), _largest_text(width, height))


def _largest_text(width: int, height: int) -> int:
    return max(_SMALLEST_TEXT, round((height + width) / 40))


def _steady(wanted: int, now: int) -> int:
    """Returns the next font size of a track: one nearer to what is wanted, where it is far from that."""
    if abs(wanted - now) <= max(1, STEADY * now):
        return now
    return now + 1 if wanted > now else now - 1


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _label(text: str, font_size: int, colour: Colour) -> np.ndarray:
    """Returns a text on its colour as `(h, w, 3)` uint8."""
    pad, gap = max(2, font_size // 4), -(-font_size // 3)
    words = [_word(word, font_size, colour) for word in text.split()]
    wide = sum(word.shape[1] + gap for word in words) - gap
    label = np.full((words[0].shape[0] + 2 * pad, wide + 2 * pad, 3), colour, dtype=np.uint8)
    x = pad
    for word in words:
        label[pad:-pad, x : x + word.shape[1]] = word
        x += word.shape[1] + gap
    return label


@lru_cache(maxsize=2048)
def _word(word: str, font_size: int, colour: Colour) -> np.ndarray:
    """Returns a word as `(h, w, 3)` uint8, not to be written to.

    Writing takes longer than the rest of drawing, and words come again where whole labels seldom do.
    """
    font = _font(font_size)
    left, _, right, _ = font.getbbox(word)
    _, top, _, bottom = font.getbbox("Ag")  # the same height for every word
    image = Image.new("RGB", (round(right - left), round(bottom - top)), colour)
    ImageDraw.Draw(image).text((-left, -top), word, fill="white", font=font)
    pixels = np.array(image)
    pixels.setflags(write=False)
    return pixels


def _shrunk_to(label: np.ndarray, width: int, height: int) -> np.ndarray:
    """Returns the label, made smaller where the picture has no room for it."""
    scale = min(1.0, width / label.shape[1], height / label.shape[0])
    if scale == 1:
        return label
    shape = (max(1, int(label.shape[1] * scale)), max(1, int(label.shape[0] * scale)))
    return cv2.resize(label, shape, interpolation=cv2.INTER_AREA)
