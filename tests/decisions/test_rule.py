import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.decisions.rule import Rule, labels_among
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


def test_among_some_classes_the_likeliest_of_these_is_the_answer():
    probs = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    rule = Rule(("happy", "sad", "uncertain"), bias=(0.0, 0.0, 1.0))
    assert labels_among(rule, probs, {"sad", "uncertain"}).tolist() == ["uncertain", "uncertain", "uncertain"]
    assert labels_among(rule, probs, {"happy", "sad"}).tolist() == ["happy", "sad", "happy"]
    assert labels_among(rule, probs, {"happy", "sad", "uncertain"}).tolist() == rule.labels(probs).tolist()
    with pytest.raises(FercompError, match="none of the classes anger, fear is one of the model's: happy"):
        labels_among(rule, probs, {"fear", "anger"})


def test_among_classes_without_uncertain_no_threshold_says_so():
    """Of the two that may be answered, 0.3 and 0.2 are shares of 0.6 and 0.4."""
    probs, rule = np.array([[0.5, 0.3, 0.2]]), Rule(("anger", "happy", "sad"), threshold=0.7)
    assert labels_among(rule, probs, {"happy", "sad"}).tolist() == ["happy"]
    assert labels_among(rule, probs, {"happy", "sad", "uncertain"}).tolist() == ["uncertain"]
    doubting = Rule(("anger", "happy", "sad"), threshold=0.55)
    assert labels_among(doubting, probs, {"happy", "sad", "uncertain"}).tolist() == ["happy"]
