import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.decisions.rule import Rule
from fercomp.decisions.thresholds import SCORES

EIGHT = EMOTIONS[:8]


@given(
    st.integers(0, 30), st.floats(0, 1), st.sampled_from(sorted(SCORES)), st.sampled_from([EMOTIONS, EIGHT])
)
def test_the_threshold_turns_doubt_into_uncertain(n, threshold, score, classes):
    k = len(classes)
    probs = np.random.default_rng(n).dirichlet(np.ones(k), n).reshape(n, k)
    plain, doubting = Rule(classes).labels(probs), Rule(classes, threshold, score).labels(probs)
    sure = SCORES[score](probs) >= threshold if n else np.empty(0, bool)
    assert (doubting[sure] == plain[sure]).all()
    assert (doubting[~sure] == "uncertain").all()


@given(st.integers(0, 30), st.integers(0, 8))
def test_a_bias_brings_its_class_forward(n, k):
    probs = np.random.default_rng(n).dirichlet(np.ones(9), n).reshape(n, 9)
    bias = tuple(50.0 * (i == k) for i in range(9))
    assert set(Rule(EMOTIONS, bias=bias).labels(probs)) <= {EMOTIONS[k]}
    np.testing.assert_array_equal(Rule(EMOTIONS, bias=(0.0,) * 9).decide(probs), Rule(EMOTIONS).decide(probs))


def test_uncertain_is_an_answer_of_every_model():
    assert Rule(EIGHT).answers == Rule(EMOTIONS).answers == EMOTIONS
    assert Rule(EIGHT).unsure == Rule(EMOTIONS).unsure == 8
    assert Rule(EIGHT).indices(["uncertain", "anger"], "x.csv").tolist() == [8, 0]
    with pytest.raises(FercompError, match=r"x\.csv has labels unknown to the model \['joy'\]"):
        Rule(EIGHT).indices(["joy", "anger"], "x.csv")


@given(st.integers(1, 30), st.booleans(), st.sampled_from([None, 0.6]), st.sampled_from([EMOTIONS, EIGHT]))
def test_who_may_not_say_uncertain_says_the_likeliest_emotion(n, with_bias, threshold, classes):
    k = len(classes)
    rng = np.random.default_rng(n)
    probs = rng.dirichlet(np.ones(k), n)
    bias = rng.normal(size=k) if with_bias else np.zeros(k)
    rule = Rule(classes, threshold, bias=tuple(bias) if with_bias else None, uncertain=False)
    best = (np.log(np.clip(probs, 1e-12, 1)) + bias)[:, :8].argmax(axis=1)
    assert rule.labels(probs).tolist() == [EMOTIONS[i] for i in best]
    np.testing.assert_array_equal(rule.confidences(probs), probs[np.arange(n), best])
