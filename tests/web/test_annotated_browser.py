"""The page of `annotate --report` in a real browser, offline."""

import re
from importlib.resources import files

import pytest
from PIL import Image

from fercomp.annotate.people.names import write_people
from fercomp.core.files import write_json
from fercomp.report.annotated.write import report_annotated
from tests.annotated_files import NAME, some_pictures, write_records

pytestmark = pytest.mark.browser

LINES = (
    "th => { const range = new Range(); range.selectNodeContents(th); return range.getClientRects().length; }"
)
"""In how many lines a cell is written."""


def test_it_opens_without_network_fits_a_phone_and_axe_finds_nothing(tmp_path, browse):
    Image.new("RGB", (640, 480)).save(tmp_path / "a.jpg")
    (tmp_path / "people-data").mkdir()
    Image.new("RGB", (192, 96)).save(tmp_path / "people-data" / "person-0.jpg")
    write_json(tmp_path / "run.json", {"written": {"a.jpg": "a.jpg"}})
    write_people(tmp_path / "people.csv", {}, {1: NAME})
    path = report_annotated(tmp_path, write_records(tmp_path / "records.csv", some_pictures())).page
    page, said, asked = browse("about:blank"), [], []
    page.context.set_offline(True)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert page.evaluate("[...document.images].map(image => image.naturalWidth)") == [192, 140]
    assert page.locator("h2").all_inner_texts() == ["All", "People", "Videos", "Photos", "Problems"]
    assert page.locator(".ribbon rect").count() >= 4
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        lines = [label.evaluate(LINES) for label in page.get_by_role("rowheader", name="person 0").all()]
        assert lines == [1, 1], width
        found = page.evaluate("() => axe.run()")["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], scheme
    assert said == []
    assert all(re.match(r"file:|data:", url) for url in asked)
