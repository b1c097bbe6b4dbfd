"""The page of `report` in a real browser, offline."""

import os

import pandas as pd
import pytest
from playwright.sync_api import expect

from fercomp.kaggle.submissions.history import HISTORY_TABLE
from fercomp.modeling.bundle.card import CARD, HISTORY_FILE, read_card
from fercomp.report.html.element import MINUS
from fercomp.stages.report import make_report
from tests.report_files import copy_model, evaluate_tables, sent
from tests.web.conftest import axe_finds

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(workspace, browse_offline):
    """The page of three models, one of which has markup in its name."""
    scores = read_card(workspace.bundle("tiny")).scores
    copy_model(workspace, "<b>bold", 50, params={"seed": 5}, scores={**scores, "accuracy": 0.5})
    folder = copy_model(workspace, "unscored", 100, scores={})
    history = pd.read_csv(folder / HISTORY_FILE).assign(holdout_loss="", holdout_accuracy="")
    history.to_csv(folder / HISTORY_FILE, index=False)
    os.utime(workspace.bundle("tiny") / CARD)
    for name in ("tiny", "<b>bold"):
        evaluate_tables(workspace.bundle(name))
    empty = dict.fromkeys(HISTORY_TABLE.columns, "")
    row = sent(experiment="tiny", ref="1", holdout_accuracy="0.2222", public="0.25")
    HISTORY_TABLE.write(pd.DataFrame([empty | row]), workspace.history)
    path = workspace.root.absolute() / "report.html"
    make_report(workspace, path)
    return workspace, browse_offline(path)


def names(page):
    return page.locator("table.sortable tbody th").all_inner_texts()


def test_the_page(opened):
    workspace, page = opened
    # Everything is drawn, and pictures are pictures.
    assert page.locator("img").count() > 20
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth === 72)")
    assert page.locator("h2").all_inner_texts() == [
        *("Where it stands", "Photos", "Runs", "Two runs side by side", "Mistakes", "Submissions")
    ]
    # The newest first; by mouse the best first, what is not known last either way.
    assert names(page) == ["tiny", "<b>bold", "unscored"]
    heading = page.locator("th", has=page.get_by_role("button", name="holdout accuracy"))
    heading.get_by_role("button").click()
    assert names(page) == ["<b>bold", "tiny", "unscored"]
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[aria-sort]")).to_have_count(1)
    page.keyboard.press("Enter")
    assert names(page) == ["tiny", "<b>bold", "unscored"]
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("status")).to_have_text("sorted by holdout accuracy, ascending")
    page.get_by_role("button", name="model").press("Space")
    assert names(page) == ["<b>bold", "tiny", "unscored"]
    # Two runs: the best of the others and the newest, then whatever is chosen.
    first, second = page.get_by_label("first"), page.get_by_label("second")
    assert first.locator("option:checked").inner_text() == "<b>bold"
    assert second.locator("option:checked").inner_text() == "tiny"
    scores = page.get_by_role("region", name="Scores")
    row = scores.get_by_role("row", name="holdout accuracy")
    assert row.get_by_role("cell").all_inner_texts() == ["0.5000", "0.2222", f"{MINUS}0.2778"]
    assert "seed" in page.get_by_role("region", name="Parameters that differ").inner_text()
    assert page.get_by_role("img", name="Loss by epoch").locator("path").count() == 4
    recalls = pd.read_csv(workspace.bundle("tiny") / "per_class.csv").set_index("emotion")["recall"]
    for name, recall in recalls.items():
        row = page.get_by_role("region", name="Recall of each class").get_by_role("row", name=name)
        assert row.get_by_role("cell").nth(2).inner_text() == f"{recall:.3f}"
    page.get_by_text("The curves as a table").click()
    expect(page.get_by_role("region", name="Loss and accuracy by epoch").locator("tbody tr")).to_have_count(
        80
    )
    second.select_option("unscored")
    assert page.get_by_role("img", name="Loss by epoch").locator("path").count() == 3
    expect(page.get_by_text("fercomp evaluate --model unscored")).to_be_visible()
    # Every frame that scrolls can be reached and has a name; a phone shows no more than its width.
    for frame in page.locator(".scroll").all():
        assert frame.get_attribute("tabindex") == "0" and frame.get_attribute("aria-label")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.emulate_media(color_scheme="dark")
    light = page.evaluate("getComputedStyle(document.body).color")
    assert light == "rgb(228, 232, 237)"


def test_axe_finds_nothing(opened):
    page = opened[1]
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_finds(page) == [], scheme
