import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.classes import EMOTIONS
from fercomp.modeling.decision import most_likely


@given(st.integers(0, 30), st.floats(0, 1), st.integers(0, 5))
def test_the_threshold_turns_doubt_into_uncertain(n, threshold, seed):
    probs = np.random.default_rng(seed).dirichlet(np.ones(9), n).reshape(n, 9)
    plain, doubting = most_likely(probs, EMOTIONS, None), most_likely(probs, EMOTIONS, threshold)
    sure = probs.max(axis=1) >= threshold
    assert (doubting[sure] == plain[sure]).all()
    assert (doubting[~sure] == "uncertain").all()
