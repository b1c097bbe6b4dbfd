import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.decisions.fitting import cross_fitted_answers, fit_of
from fercomp.modeling.bundle.card import HOLDOUT, OOF, Card
from fercomp.modeling.bundle.holdout import holdout_answers

EIGHT = EMOTIONS[:8]


def card_of(classes, fitted_on=None, **decision):
    trained = {"decision": {"fitted_on": fitted_on}} if fitted_on else {}
    given = {"size": 32, "margin": 0.1, "runtime": "openvino", "scores": {}, "trained": trained}
    return Card(name="x", backbone="linear", classes=classes, **given, **decision)


@pytest.fixture
def holdout():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(8, 0.4), 300)
    labels = np.where(probs.max(axis=1) > 0.4, probs.argmax(axis=1), 8)
    return probs, np.where(rng.random(300) < 0.2, rng.integers(0, 9, 300), labels)


def test_what_was_fitted_on_the_holdout_is_cross_fitted_there(holdout):
    probs, labels = holdout
    rule = fit_of(EIGHT, "probability")(probs, labels)
    card = card_of(EIGHT, HOLDOUT, threshold=rule.threshold)
    honest = cross_fitted_answers(fit_of(EIGHT, "probability"), probs, labels)
    np.testing.assert_array_equal(holdout_answers(card, probs, labels), honest)
    former = card_of(EIGHT, "holdout.csv", threshold=rule.threshold)
    np.testing.assert_array_equal(holdout_answers(former, probs, labels), honest)
    for other in (card_of(EIGHT, OOF, threshold=0.4), card_of(EIGHT, threshold=0.4)):
        np.testing.assert_array_equal(holdout_answers(other, probs, labels), other.rule.decide(probs))
    plain = card_of(EIGHT, HOLDOUT)  # a decision that did not pay
    np.testing.assert_array_equal(holdout_answers(plain, probs, labels), probs.argmax(axis=1))


def test_a_photo_is_not_answered_by_its_own_label(holdout):
    probs, labels = holdout
    card = card_of(EIGHT, HOLDOUT, threshold=0.4)
    before = holdout_answers(card, probs, labels)
    for i in range(0, 300, 50):
        other = labels.copy()
        other[i] = (labels[i] + 1) % 9
        assert holdout_answers(card, probs, other)[i] == before[i]
