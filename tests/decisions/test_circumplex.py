import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.decisions.circumplex import (
    NEUTRAL_RADIUS,
    RAYS,
    SPREAD,
    VECTORS,
    decode,
    decoded_probs,
    directions,
    mean_targets,
    ray_distances,
    ray_targets,
)

PLACED = sorted(VECTORS)
POINTS = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 40), st.just(2)), elements=st.floats(-1.25, 1.25, width=32)
)


def test_every_emotion_but_uncertain_has_a_place():
    assert {*VECTORS, UNCERTAIN} == set(EMOTIONS)
    lengths = np.linalg.norm([VECTORS[name] for name in RAYS], axis=1)
    np.testing.assert_allclose(lengths, 1, atol=0.005)
    np.testing.assert_allclose(np.linalg.norm(directions(RAYS), axis=1), 1)


@given(POINTS)
def test_distances_are_those_to_the_nearest_of_many_places_on_each_ray(points):
    places = np.linspace(0, 1.8, 901)[:, None, None] * directions(RAYS)  # (P, 7, 2)
    for point, distances in zip(points, ray_distances(points), strict=True):
        nearest = np.linalg.norm(places - point, axis=2).min(axis=0)
        np.testing.assert_allclose(distances, nearest, atol=0.002)


@given(POINTS)
def test_every_point_has_one_name_by_the_rules(points):
    names, strength = decode(points)
    assert ((strength >= 0) & (strength <= 1)).all()
    for point, name, distances in zip(points, names, ray_distances(points), strict=True):
        norm = np.linalg.norm(point)
        if norm <= NEUTRAL_RADIUS:
            assert name == "neutral"
        elif norm > 1.00001 or distances.min() > 0.10001:
            assert name == UNCERTAIN
        elif norm < 0.99999 and distances.min() < 0.09999:
            assert name in RAYS
            assert distances[RAYS.index(name)] == distances.min()


@pytest.mark.parametrize("name", RAYS)
def test_the_opposite_of_an_emotion_is_not_that_emotion(name):
    """A line instead of a ray would call both directions the same."""
    points = 0.6 * directions([name])
    assert decode(points)[0][0] == name
    assert decode(-points)[0][0] != name
    assert decode(points)[1][0] == pytest.approx(0.6)


@pytest.mark.parametrize("point", [(0.5, -0.7), (0.0, -0.5), (1.05, 0.2), (-0.9, 0.1)])
def test_where_there_is_no_emotion_it_is_uncertain(point):
    assert decode(np.array([point]))[0][0] == UNCERTAIN


@given(
    st.lists(st.tuples(st.sampled_from(PLACED), st.floats(0, 1)), min_size=1, max_size=60),
    st.integers(0, 2**32),
)
def test_synthetic_targets_are_what_their_label_says(photos, seed):
    emotions, probabilities = zip(*photos, strict=True)
    points = ray_targets(emotions, np.array(probabilities), np.random.default_rng(seed))
    assert points.dtype == np.float32
    assert decode(points)[0].tolist() == list(emotions)
    assert (np.linalg.norm(points, axis=1) <= 1).all()
    places = directions(emotions) * np.clip(probabilities, NEUTRAL_RADIUS, 1)[:, None]
    assert (np.linalg.norm(points - places, axis=1) <= SPREAD + 1e-6).all()
    again = ray_targets(emotions, np.array(probabilities), np.random.default_rng(seed))
    np.testing.assert_array_equal(points, again)


def test_synthetic_targets_fill_their_disc_evenly():
    points = ray_targets(["neutral"] * 20_000, np.ones(20_000), np.random.default_rng(0))
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.002)
    inner = np.linalg.norm(points, axis=1) < NEUTRAL_RADIUS / 2
    assert inner.mean() == pytest.approx(1 / 4, abs=0.01)
    assert len(np.unique(ray_targets(["happy"] * 50, np.ones(50), np.random.default_rng(0)), axis=0)) == 50


def test_what_has_no_place_has_no_target():
    points = ray_targets(["happy", UNCERTAIN], np.ones(2), np.random.default_rng(0))
    assert np.isnan(points).any(axis=1).tolist() == [False, True]
    assert ray_targets([], np.empty(0), np.random.default_rng(0)).shape == (0, 2)


def test_the_mean_of_one_emotion_is_its_vector_and_of_opposites_lies_between():
    sure = np.eye(9)
    points = mean_targets(sure, EMOTIONS)
    np.testing.assert_allclose(points[:8], directions(EMOTIONS[:8]), atol=1e-6)
    np.testing.assert_array_equal(points[8], 0)  # uncertain alone says nothing
    half = mean_targets(sure[[4]] / 2 + sure[[5]] / 2, EMOTIONS)
    np.testing.assert_allclose(half, points[[4]] / 2, atol=1e-6)
    np.testing.assert_allclose(mean_targets(sure[[4]] / 2 + sure[[8]] / 2, EMOTIONS), points[[4]], atol=1e-6)
    np.testing.assert_allclose(mean_targets(sure[:, ::-1], EMOTIONS[::-1])[::-1], points[::-1], atol=1e-6)


@given(POINTS)
def test_probabilities_name_what_decode_names(points):
    pred_probs = decoded_probs(points, EMOTIONS)
    names, strength = decode(points)
    assert pred_probs.shape == (len(points), 9)
    np.testing.assert_allclose(pred_probs.sum(axis=1), 1, atol=1e-6)
    assert [EMOTIONS[i] for i in pred_probs.argmax(axis=1)] == names.tolist()
    assert (pred_probs > -1e-9).all()
    np.testing.assert_allclose(pred_probs.max(axis=1), 1 / 9 + 8 / 9 * strength, atol=1e-5)
