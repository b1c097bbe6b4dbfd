import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.drawing.placement import place_label

CASES = json.loads(Path(__file__).with_name("placements.json").read_text(encoding="utf-8"))
"""The page of `live` is held to these, too: tests/web/test_live_page.py."""


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_labels_have_their_places(case):
    place = place_label(case["label"], case["box"], case["picture"], case["taken"], case["faces"])
    assert list(place) == case["expected"]


rectangles = st.tuples(st.integers(0, 200), st.integers(0, 150), st.integers(1, 90), st.integers(1, 90)).map(
    lambda r: (r[0], r[1], r[0] + r[2], r[1] + r[3])
)


@given(rectangles, st.lists(rectangles, max_size=6), st.integers(1, 290), st.integers(1, 240))
def test_a_label_is_whole_and_covers_another_only_where_all_places_are_taken(box, taken, wide, high):
    x1, y1, x2, y2 = place_label((wide, high), box, (290, 240), taken, [])
    assert (x2 - x1, y2 - y1) == (wide, high)
    assert 0 <= x1 < x2 <= 290
    assert 0 <= y1 < y2 <= 240
    if any(a < x2 and x1 < c and b < y2 and y1 < d for a, b, c, d in taken):
        assert (x1, y1, x2, y2) == place_label((wide, high), box, (290, 240), [], [])
