import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.classes import EMOTIONS
from fercomp.decisions.circumplex import RAYS, decode
from fercomp.decisions.metrics import concordance
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.losses import cross_entropy, make_loss
from fercomp.modeling.training.objective import Objective, ccc_loss, squared_loss

SHARES = np.full(9, 1 / 9, np.float32)


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def points(n, seed):
    return np.random.default_rng(seed).uniform(-0.7, 0.7, (n, 2)).astype(np.float32)


@settings(max_examples=20)
@given(st.integers(2, 40), st.integers(0, 20))
def test_the_loss_of_concordance_is_one_less_its_mean(n, seed):
    said, meant = points(n, seed), points(n, seed + 1)
    losses = numbers(ccc_loss(meant, said))
    expected = 1 - np.mean([concordance(said[:, axis], meant[:, axis]) for axis in (0, 1)])
    np.testing.assert_allclose(losses, expected, atol=1e-4)
    assert losses.shape == (n,)


@pytest.mark.parametrize("loss", [ccc_loss, squared_loss])
def test_points_that_are_not_known_change_nothing(loss):
    said, meant = points(10, 0), points(10, 1)
    some = loss(meant[:6], said[:6])
    meant[6:] = np.nan
    all_of_them = numbers(loss(meant, said))
    np.testing.assert_allclose(all_of_them[:6], numbers(some), atol=1e-6)
    assert np.isfinite(numbers(loss(np.full((4, 2), np.nan, np.float32), said[:4]))).all()


def test_the_loss_of_a_batch_of_one_or_of_equal_points_is_a_number():
    one = points(1, 0)
    assert np.isfinite(numbers(ccc_loss(one, one))).all()
    assert np.isfinite(numbers(ccc_loss(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)))).all()


def test_both_losses_are_added():
    rng = np.random.default_rng(0)
    classes, answers = rng.dirichlet(np.ones(9), (2, 8)).astype(np.float32)
    meant, said = points(8, 0), points(8, 1)
    objective = Objective("both", class_loss=make_loss("cross_entropy", "none", SHARES), point_weight=0.25)
    found = objective.loss(np.concatenate([classes, meant], axis=1), np.concatenate([answers, said], axis=1))
    expected = numbers(cross_entropy(classes, answers)) + 0.25 * numbers(ccc_loss(meant, said))
    np.testing.assert_allclose(numbers(found), expected, rtol=1e-5)


def test_accuracy_of_points_is_that_of_their_names():
    said = points(400, 3)
    names, _ = decode(said)
    named = np.isin(names, [*RAYS, "neutral"])  # in training, nothing is called uncertain
    targets = np.concatenate([np.eye(9)[[EMOTIONS.index(name) for name in names]], said], axis=1)
    objective = Objective("valence_arousal")
    right = numbers(objective.accuracy(targets.astype(np.float32), said))
    assert named.sum() > 50
    assert (right[named] == 1).all()
    assert (right[~named] == 0).all()


def test_accuracy_minds_the_classes_alone():
    targets, answers = np.zeros((3, 11), np.float32), np.zeros((3, 11), np.float32)
    targets[[0, 1, 2], [0, 4, 7]] = 1
    answers[[0, 1, 2], [0, 4, 6]] = 0.6
    answers[:, 9:] = 0.9
    right = Objective("both").accuracy(targets, answers)
    assert numbers(right).tolist() == [1, 1, 0]


def test_points_alone_are_chosen_by_their_loss_and_classes_by_accuracy():
    rows = [{"holdout_loss": 0.9, "holdout_accuracy": 0.2}, {"holdout_loss": 0.3, "holdout_accuracy": 0.1}]
    for head, best in (("emotion", 0), ("both", 0), ("valence_arousal", 1)):
        objective = Objective(head)
        qualities = [objective.quality(row) for row in rows]
        assert np.argmax(qualities) == best
        assert min(qualities) > -1
