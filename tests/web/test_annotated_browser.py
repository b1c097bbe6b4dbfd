"""The page of `annotate --report` in a real browser, offline."""

import pytest
from PIL import Image

from fercomp.annotate.people.names import write_people
from fercomp.core.files import write_json
from fercomp.report.annotated.write import report_annotated
from tests.annotated_files import NAME, some_pictures, write_records
from tests.web.conftest import axe_finds

pytestmark = pytest.mark.browser

LINES = (
    "th => { const range = new Range(); range.selectNodeContents(th); return range.getClientRects().length; }"
)
"""In how many lines a cell is written."""


def test_it_opens_without_network_fits_a_phone_and_axe_finds_nothing(tmp_path, browse_offline):
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg")
    (tmp_path / "people-data").mkdir()
    Image.new("RGB", (192, 96)).save(tmp_path / "people-data" / "person-0.jpg")
    write_json(tmp_path / "run.json", {"written": {"a.jpg": "a.jpg"}})
    write_people(tmp_path / "people.csv", {}, {1: NAME})
    path = report_annotated(tmp_path, write_records(tmp_path / "records.csv", some_pictures())).page
    page = browse_offline(path)
    assert page.evaluate("[...document.images].map(image => image.naturalWidth)") == [192, 140]
    assert page.locator("h2").all_inner_texts() == ["All", "People", "Videos", "Photos", "Problems"]
    assert page.locator(".ribbon rect").count() >= 4
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        lines = [label.evaluate(LINES) for label in page.get_by_role("rowheader", name="person 0").all()]
        assert lines == [1, 1], width
        assert axe_finds(page) == [], scheme
