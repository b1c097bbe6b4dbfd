import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.decisions.calibration import apply_temperature, fit_temperature
from fercomp.decisions.metrics import calibration_error, confusion, per_class, reliability, score


def random_probs(n, k, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(k), n)


def test_scores_of_a_known_table():
    probs = np.array([[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.6, 0.4, 0.0], [0.1, 0.2, 0.7]])
    scores = score(probs, np.array([0, 1, 1, 2]))
    assert scores.n == 4
    assert scores.accuracy == 0.75
    assert scores.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert scores.log_loss == pytest.approx(-np.log([0.8, 0.7, 0.4, 0.7]).mean())


def test_a_probability_of_zero_is_a_finite_loss():
    assert np.isfinite(score(np.array([[1.0, 0.0]]), np.array([1])).log_loss)


def test_a_label_that_the_model_does_not_have_counts_as_an_answer_only():
    probs = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    plain = score(probs, np.array([0, 1, 2]))
    assert (plain.n, plain.accuracy) == (3, pytest.approx(2 / 3))
    assert plain.log_loss == pytest.approx(-np.log([0.8, 0.7]).mean())
    assert plain.calibration_error == pytest.approx(calibration_error(probs[:2], np.array([0, 1])))
    decided = score(probs, np.array([0, 1, 2]), np.array([0, 1, 2]))
    assert (decided.accuracy, decided.macro_f1, decided.log_loss) == (1, 1, plain.log_loss)


@pytest.mark.parametrize("labels", [[], [0, 1]])
def test_lengths_must_match(labels):
    with pytest.raises(ValueError, match="as many labels"):
        score(np.ones((1, 2)), np.array(labels, dtype=int))


def test_calibration_error_of_known_tables():
    sure = np.tile([0.9, 0.1], (10, 1))
    assert calibration_error(sure, np.zeros(10, int)) == pytest.approx(0.1)
    assert calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0.0)


@given(st.integers(1, 200), st.integers(2, 9), st.integers(0, 9))
def test_calibration_and_confusion_account_for_every_photo(n, k, seed):
    probs = random_probs(n, k, seed)
    labels = np.random.default_rng(seed).integers(0, k, n)
    confidence, accuracy, share = reliability(probs, labels)
    assert share.sum() == pytest.approx(1)
    assert ((confidence >= 1 / k - 1e-9) & (confidence <= 1)).all()
    assert (accuracy * share).sum() == pytest.approx((probs.argmax(1) == labels).mean())
    counts = confusion(probs.argmax(1), labels, k)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(labels, minlength=k))
    assert counts.trace() == (probs.argmax(1) == labels).sum()


def test_per_class_lists_classes_without_photos():
    table = per_class(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert table["emotion"].tolist() == ["a", "b", "c"]
    assert table["photos"].tolist() == [1, 2, 0]
    assert table["recall"].tolist() == [1, 0.5, 0]


@given(st.integers(1, 50), st.floats(0.1, 10), st.integers(0, 9))
def test_temperature_keeps_order_and_sum(n, temperature, seed):
    probs = random_probs(n, 9, seed).astype(np.float32)
    scaled = apply_temperature(probs, temperature)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(scaled.argmax(axis=1), probs.argmax(axis=1))
    assert (scaled.max(1) <= probs.max(1) + 1e-6).all() == (temperature >= 1 or np.allclose(scaled, probs))


def test_fitting_undoes_overconfidence():
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.ones(5), 4000)
    labels = np.array([rng.choice(5, p=row) for row in true])
    sharpened = apply_temperature(true, 0.5)
    assert fit_temperature(sharpened, labels) == pytest.approx(2.0, rel=0.1)
    assert fit_temperature(true, labels) == pytest.approx(1.0, rel=0.1)
