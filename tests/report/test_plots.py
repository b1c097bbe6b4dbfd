"""What the pictures of a model say."""

import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.decisions.metrics import wilson_interval
from fercomp.report import label_plots, plots, score_plots

NAME = "a_$x^_model"
"""With signs that would be a formula."""


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn, each ready to be asked."""
    figures = []
    for module in (plots, label_plots, score_plots):
        monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def words(figure):
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]


def history(phases):
    n = len(phases)
    columns = ("loss", "accuracy", "holdout_loss", "holdout_accuracy")
    return pd.DataFrame(
        {"epoch": range(1, n + 1), "phase": phases} | {c: np.linspace(0, 1, n) for c in columns}
    )


def test_the_best_epoch_and_the_next_phase_are_marked(drawn, tmp_path):
    plots.plot_history(history(["head"] * 2 + ["whole"] * 4), 5, NAME, tmp_path / "h.png")
    (figure,) = drawn
    assert {NAME, "best epoch, 5", "next phase"} <= set(words(figure))
    for axes in figure.axes:
        upright = [line.get_xdata()[0] for line in axes.get_lines() if len(set(line.get_xdata())) == 1]
        assert upright == [2.5, 5]
        assert axes.get_legend() is None, "it would lie on the lines"


def test_a_history_of_one_phase_has_no_mark_of_another(drawn, tmp_path):
    plots.plot_history(history(["whole"]), None, NAME, tmp_path / "h.png")
    assert not {word for word in words(drawn[0]) if "phase" in word or "best" in word}


def test_pictures_of_a_model_name_it_and_have_their_legend_outside(drawn, tmp_path):
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(9), 60).astype(np.float32), rng.integers(0, 9, 60)
    counts, path = np.eye(9, dtype=int), tmp_path / "p.png"
    scores = {name: rng.uniform(0, 1, 9) for name in ("precision", "recall", "f1")}
    by_class = pd.DataFrame({"emotion": EMOTIONS, "photos": 7, **scores})
    plots.plot_confusion(counts, EMOTIONS, NAME, path)
    plots.plot_reliability(probs, probs, labels, NAME, path)
    plots.plot_per_class(by_class, np.array([0, *[5] * 8]), NAME, path)
    label_plots.plot_points(rng.uniform(-1, 1, (60, 2)), np.zeros((60, 2)), ["sad"] * 60, NAME, path)
    assert len(drawn) == 4
    for figure in drawn:
        assert any(NAME in word for word in words(figure))
        renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
        for axes in figure.axes:
            if (legend := axes.get_legend()) is not None:
                assert not legend.get_window_extent(renderer).overlaps(axes.get_window_extent())


def test_an_interval_is_that_of_wilson_and_nothing_where_nothing_is_known():
    below, above = plots.spread_of(np.array([0.6, np.nan, 0.5]), np.array([100, 100, 0]))
    low, high = wilson_interval(0.6, 100)
    assert (below[0], above[0]) == (pytest.approx(0.6 - low), pytest.approx(high - 0.6))
    assert np.isnan([below[1:], above[1:]]).all()


def test_a_study_shows_differences(drawn, tmp_path):
    scores = {
        "all": (np.array([0.61, 0.62, np.nan]), np.array([3000, 3000, 0])),
        "agreed": (np.array([0.71, np.nan, np.nan]), np.array([2000, 0, 0])),
    }
    score_plots.plot_study(["one", NAME, "none"], scores, tmp_path / "s.png")
    (figure,) = drawn
    low, high = figure.axes[0].get_xlim()
    assert low > 0.5
    assert high < 0.8
    assert {"0.610", "0.620", "0.710", NAME} <= set(words(figure))


@pytest.mark.parametrize(("photos", "places"), [(1, 5), (3, 5), (8, 8), (11, 16), (48, 48)])
def test_a_sheet_is_as_large_as_what_is_on_it(drawn, tmp_path, photos, places):
    faces = [np.zeros((4, 4, 3), np.uint8)] * photos
    plots.plot_sheet(faces, ["name.jpg\nsad"] * photos, "title", tmp_path / "s.png")
    axes = drawn[0].axes[0]
    columns = round(axes.get_xlim()[1])
    assert columns * round(axes.get_ylim()[0] / 1.28) == places


def test_a_long_name_is_cut_in_its_middle():
    assert plots.shown_name("a/b/img_1.jpg") == "img_1.jpg"
    cut = plots.shown_name("train/" + "x" * 40 + "_0123.jpg")
    assert len(cut) == 20
    assert cut.endswith("_0123.jpg")
