"""Where the label of a face goes.

`web/pages/placement.js` does the same for the page of `live`; `tests/annotate/drawing/placements.json` has
what both answer.
"""

from collections.abc import Sequence

Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels, right and bottom exclusive."""


def place_label(
    label: tuple[int, int],
    box: Rectangle,
    picture: tuple[int, int],
    taken: Sequence[Rectangle],
    faces: Sequence[Rectangle],
) -> Rectangle:
    """Chooses where a label goes: above its box, below, at the box's top or bottom; left or right.

    Args:
        label: Its width and height in pixels, no larger than the picture.
        box: The face.
        picture: Width and height of the picture.
        taken: Labels that have their places.
        faces: Faces that are to be seen.

    Returns:
        The first of these places inside the picture that covers no other label and no face, else the first
        that covers no label, else the first of all.
    """
    (wide, high), (width, height) = label, picture
    x1, y1, x2, y2 = box
    rows = [y for y in (y1 - high, y2, y1, y2 - high) if 0 <= y <= height - high] or [0]
    columns = [min(max(x, 0), width - wide) for x in (x1, x2 - wide)]
    second = None
    for x, y in ((x, y) for y in rows for x in columns):
        place = (x, y, x + wide, y + high)
        if not _covers(place, taken):
            if not _covers(place, faces):
                return place
            second = second or place
    return second or (columns[0], rows[0], columns[0] + wide, rows[0] + high)


def _covers(place: Rectangle, others: Sequence[Rectangle]) -> bool:
    left, top, right, bottom = place
    for x1, y1, x2, y2 in others:  # noqa: SIM110 - half the time of any() in a crowd
        if x1 < right and left < x2 and y1 < bottom and top < y2:
            return True
    return False
