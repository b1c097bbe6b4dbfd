"""Draws faces and what is said of them."""

from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fercomp.core.arguments import wrong_type
from fercomp.core.errors import FercompError
from fercomp.faces.crop import require_picture
from fercomp.faces.found import Faces, known

Colour = tuple[int, int, int]

GOOD: Final[Colour] = (46, 160, 67)
BAD: Final[Colour] = (207, 34, 46)
PLAIN: Final[Colour] = (66, 112, 178)

COLOURS: Final = MappingProxyType(
    {
        "happy": GOOD,
        "surprise": GOOD,
        "anger": BAD,
        "contempt": BAD,
        "disgust": BAD,
        "fear": BAD,
        "sad": BAD,
        "neutral": PLAIN,
        "uncertain": PLAIN,
    }
)
"""RGB by emotion. Any other class is drawn as neutral. White text is readable on all three."""

Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels, right and bottom exclusive."""


def draw(image: np.ndarray, faces: Faces) -> np.ndarray:
    """Draws a box around every face, and a label with track, emotion and confidence, such as `#3 sad 52%`.

    Lines and text grow with the picture and the face. A label lies above its box, or where there is no
    room, below it or inside; always inside the picture, and where possible beside the other labels.

    Args:
        image: `(h, w, 3)` uint8 RGB; left as it is.
        faces: Its n faces, named.

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
    boxes = [_whole_pixels(box, width, height) for box in faces.boxes]
    for emotion, box in zip(emotions, boxes, strict=True):
        _frame(canvas, box, line, COLOURS.get(emotion, PLAIN))
    # Labels come after all boxes, so that no line crosses a text.
    for i, (emotion, box) in enumerate(zip(emotions, boxes, strict=True)):
        text, font_size = _text(faces, i), _text_height(box, width, height)
        label = _shrunk_to(_label(text, font_size, COLOURS.get(emotion, PLAIN)), width, height)
        place = _place(label, box, width, height, labels)
        labels.append(place)
        canvas[place[1] : place[3], place[0] : place[2]] = label
    return canvas


def _text(faces: Faces, i: int) -> str:
    """Returns what is said of a face, such as `#2 happy 93%`, and valence and arousal where given."""
    number = "" if faces.tracks is None else f"#{faces.tracks[i]} "
    text = f"{number}{known(faces.emotions)[i]} {known(faces.confidences)[i]:.0%}"
    if faces.valence_arousal is None:
        return text
    valence, arousal = faces.valence_arousal[i]
    return f"{text} v{valence:+.2f} a{arousal:+.2f}"


def _whole_pixels(box: np.ndarray, width: int, height: int) -> Rectangle:
    """Returns the pixels that a box touches, at least one."""
    x1, y1, x2, y2 = np.clip(np.rint(box), 0, (width, height, width, height)).astype(int).tolist()
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def _frame(canvas: np.ndarray, box: Rectangle, line: int, colour: Colour) -> None:
    """Draws lines inside the box; by slices, since OpenCV centres thick lines on the edge."""
    x1, y1, x2, y2 = box
    inside = canvas[y1:y2, x1:x2]
    for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
        edge[...] = colour


def _text_height(box: Rectangle, width: int, height: int) -> int:
    """Returns the font size: a sixth of the face, within what can be read and looks right."""
    face = min(box[2] - box[0], box[3] - box[1])
    smallest = 11
    largest = max(smallest, round((height + width) / 40))
    return min(max(round(face / 6), smallest), largest)


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


def _place(label: np.ndarray, box: Rectangle, width: int, height: int, taken: list[Rectangle]) -> Rectangle:
    """Chooses where a label goes: above its box, below, at the box's top or bottom; left or right.

    Returns:
        The first of these places inside the picture that covers no other label, else the first of all.
    """
    high, wide = label.shape[:2]
    x1, y1, x2, y2 = box
    rows = [y for y in (y1 - high, y2, y1, y2 - high) if 0 <= y <= height - high] or [0]
    columns = [min(max(x, 0), width - wide) for x in (x1, x2 - wide)]
    places = [(x, y, x + wide, y + high) for y in rows for x in columns]
    return next((p for p in places if not any(_overlap(p, other) for other in taken)), places[0])


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
