import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from fercomp.decisions.class_bias import biased, fit_bias
from fercomp.decisions.cross_fitting import cross_fitted
from fercomp.decisions.thresholds import SCORES, macro_f1, sweep, thresholds


def noisy(n, k, seed):
    """Returns probabilities `(n, k)` that are right about their labels as often as they say."""
    rng = np.random.default_rng(seed)
    pred_probs = rng.dirichlet(np.full(k, 0.4), n)
    return pred_probs, np.array([rng.choice(k, p=row) for row in pred_probs])


@pytest.mark.parametrize("score", SCORES)
def test_scores_order_the_sure_before_the_unsure(score):
    sure, doubtful, clueless = SCORES[score](np.array([[0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [1 / 3] * 3]))
    assert 1 >= sure > doubtful > clueless >= 0


def test_scores_of_a_known_table():
    pred_probs = np.array([[0.5, 0.25, 0.25, 0.0]])
    assert SCORES["probability"](pred_probs)[0] == 0.5
    assert SCORES["margin"](pred_probs)[0] == 0.25
    assert SCORES["entropy"](pred_probs)[0] == pytest.approx(1 - 1.5 / 2)  # 1.5 of 2 bits


def test_no_answer_falls_below_the_floor():
    pred_probs, labels = noisy(200, 8, 0)
    assert thresholds("probability", 8)[0] == 1 / 8
    assert thresholds("margin", 8)[0] == 0
    assert sweep(pred_probs, labels, 8, "probability").coverage[0] == 1
    assert {0.15, 0.2, 0.3, 0.4} <= set(thresholds("probability", 9))


@given(st.integers(1, 80), st.integers(2, 9), st.integers(0, 20), st.sampled_from(sorted(SCORES)))
def test_a_sweep_agrees_with_answering_photo_by_photo(n, k, seed, score):
    pred_probs, labels = noisy(n, k, seed)
    labels = np.where(np.random.default_rng(seed).random(n) < 0.2, k, labels)  # uncertain, no class
    found = sweep(pred_probs, labels, k, score)
    assert (np.diff(found.coverage) <= 0).all()
    for i in (0, found.best, len(found.thresholds) - 1):
        sure = SCORES[score](pred_probs)
        answers = [
            k if certainty < found.thresholds[i] else row.argmax()
            for row, certainty in zip(pred_probs, sure, strict=True)
        ]
        assert found.accuracy[i] == pytest.approx(np.mean(np.array(answers) == labels))
        expected = f1_score(labels, answers, labels=np.unique(labels), average="macro", zero_division=0)
        assert found.macro_f1[i] == pytest.approx(expected)
        assert found.coverage[i] == pytest.approx(np.mean(sure >= found.thresholds[i]))
    assert found.accuracy.max() == found.accuracy[found.best]


def test_a_threshold_pays_where_the_unsure_are_labelled_uncertain():
    pred_probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.55, 0.45], [0.45, 0.55]])
    found = sweep(pred_probs, np.array([0, 0, 2, 2]), 2, "probability")
    assert found.accuracy[0] == 0.5
    assert 0.55 < found.thresholds[found.best] <= 0.8
    assert found.accuracy[found.best] == 1


@given(st.integers(2, 120), st.integers(2, 9), st.integers(0, 20))
def test_a_bias_is_never_worse_than_none_on_its_own_photos(n, k, seed):
    pred_probs, labels = noisy(n, k, seed)
    bias = fit_bias(pred_probs, labels)
    assert np.isfinite(bias).all()
    plain = (pred_probs.argmax(axis=1) == labels).mean()
    assert (biased(pred_probs, bias).argmax(1) == labels).mean() >= plain


@given(st.integers(5, 40), st.integers(0, 20))
def test_the_bias_of_one_of_two_classes_is_the_best_there_is(n, seed):
    pred_probs, labels = noisy(n, 2, seed)
    found = (biased(pred_probs, fit_bias(pred_probs, labels)).argmax(1) == labels).sum()
    switches = np.log(pred_probs[:, 1]) - np.log(pred_probs[:, 0])
    steps = [*(switches - 1e-6), *(switches + 1e-6)]
    assert found >= max(
        (biased(pred_probs, np.array([step, 0.0])).argmax(1) == labels).sum() for step in steps
    )


def test_a_class_that_is_held_back_is_brought_forward():
    pred_probs, labels = noisy(3000, 4, 1)
    held_back = pred_probs * [1, 1, 0.3, 1]
    held_back /= held_back.sum(axis=1, keepdims=True)
    bias = fit_bias(held_back, labels)
    assert bias[2] - np.delete(bias, 2).mean() == pytest.approx(np.log(1 / 0.3), abs=0.5)
    assert (biased(held_back, bias).argmax(1) == labels).mean() > (
        held_back.argmax(1) == labels
    ).mean() + 0.01


def test_classes_that_gain_nothing_keep_zero():
    assert not fit_bias(np.eye(3)[[0, 1, 2]] * 0.7 + 0.1, np.array([0, 1, 2])).any()


def test_cross_fitting_answers_each_photo_once_by_the_others():
    seen = []

    def answer(fit, rows):
        assert not set(fit) & set(rows)
        assert len(fit) + len(rows) == 23
        seen.extend(rows)
        return rows * 10

    np.testing.assert_array_equal(cross_fitted(23, answer), np.arange(23) * 10)
    assert sorted(seen) == list(range(23))


def test_macro_f1_counts_answers_that_are_no_label():
    assert macro_f1(np.array([2, 1]), np.array([0, 1])) == 0.5
