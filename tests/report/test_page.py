"""What is put into a page stays what it is: text, numbers, JSON."""

import json
from xml.etree.ElementTree import tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.report.html.charts import scatter
from fercomp.report.html.element import add, element, table
from fercomp.report.html.page import as_json
from fercomp.report.html.run import ReportedRun
from fercomp.report.html.sections.two_runs import MOST_COMPARED, comparable, two_section
from tests.report_files import Page


def test_text_is_text_wherever_it_stands():
    made = element("p", "<b>", element("i", "a&b"), "</p>", 12345, None, title='"><x', data_value=None)
    add(made, "\x1b[2J")
    html = tostring(made, "unicode", method="html")
    assert html == '<p title="&quot;&gt;<x">&lt;b&gt;<i>a&amp;b</i>&lt;/p&gt;12,345\\x1b[2J</p>'
    assert [tag for tag, _ in Page(html).tags] == ["p", "i"]


@given(st.dictionaries(st.text(), st.text(max_size=50) | st.floats(allow_nan=False, allow_infinity=False)))
def test_json_never_ends_its_script(known):
    html = f'<script type="application/json">{as_json(known)}</script><p>after</p>'
    page = Page(html)
    assert [tag for tag, _ in page.tags] == ["script", "p"]
    assert len(json.loads(page.raw["script"][0])) <= len(known)


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "\u2028", "\ud800"])
def test_json_comes_back(text):
    known = json.loads(as_json([text, {"a": 1.5}]))
    assert known[1] == {"a": 1.5}
    assert known[0] == (text if text.isprintable() else ascii(text)[1:-1])


def test_tables_name_their_rows_and_scroll_by_keyboard():
    made = Page(tostring(table("Name", ("a", "b"), [("x", 1), ("y", "z")]), "unicode", method="html"))
    assert made.tables == {"Name": [["a", "b"], ["x", "1"], ["y", "z"]]}
    assert made.tags[0] == (
        "div",
        {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Name"},
    )


@pytest.mark.parametrize("points", [[(0.5, 0.5, "one")], [(0, 1, "a"), (1, 0, "b")], [(1e-9, -3.0, "a")] * 2])
def test_points_lie_in_their_picture(points):
    drawn = scatter(points, "across", "up")
    dots = drawn.findall("circle")
    assert len(dots) == len(points)
    for dot in dots:
        assert 40 <= float(dot.get("cx")) <= 420 and 0 <= float(dot.get("cy")) <= 260


def test_of_very_many_runs_the_newest_are_offered_and_the_best_of_these_is_chosen():
    runs = [ReportedRun(str(i), "compact", "2026", accuracy=i / 1000) for i in range(MOST_COMPARED + 5)]
    shown = element("div", *two_section(runs))
    assert "".join(shown.itertext()).startswith("5 older ones are not offered.")
    assert [len(select) for select in shown.iter("select")] == [MOST_COMPARED] * 2
    chosen = [option.text for option in shown.iter("option") if option.get("selected")]
    assert chosen == [str(MOST_COMPARED - 1), "0"]
    assert len(comparable(runs)) == MOST_COMPARED
