import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.losses import (
    GCE_Q,
    LOSSES,
    SCE_ALPHA,
    SCE_LOG_ZERO,
    accuracy,
    cross_entropy,
    generalised_cross_entropy,
    make_loss,
    symmetric_cross_entropy,
)
from fercomp.modeling.training.targets import class_shares, group_means, one_hot, training_targets

K = 4
P = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.05, 0.05, 0.1, 0.8]], np.float32)
Y = np.eye(K, dtype=np.float32)[[0, 2, 1]]
RIGHT = P[np.arange(3), [0, 2, 1]]


def test_cross_entropy_equals_keras():
    expected = keras.losses.CategoricalCrossentropy(reduction=None)(Y, P)
    np.testing.assert_allclose(cross_entropy(Y, P), expected, rtol=1e-5)


def test_generalised_cross_entropy_is_its_papers_formula():
    np.testing.assert_allclose(generalised_cross_entropy(Y, P), (1 - RIGHT**GCE_Q) / GCE_Q, rtol=1e-5)


def test_symmetric_cross_entropy_is_its_papers_formula():
    reverse = -SCE_LOG_ZERO * (1 - RIGHT)
    np.testing.assert_allclose(symmetric_cross_entropy(Y, P), -SCE_ALPHA * np.log(RIGHT) + reverse, rtol=1e-4)


def test_robust_losses_punish_a_confident_error_less():
    sure = np.array([[0.001, 0.999, 0, 0]], np.float32)
    unsure = np.array([[0.3, 0.7, 0, 0]], np.float32)
    y = Y[:1]
    ratio = {name: float(loss(y, sure)[0] / loss(y, unsure)[0]) for name, loss in LOSSES.items()}
    assert ratio["gce"] < ratio["sce"] < ratio["cross_entropy"]


@pytest.mark.parametrize("loss", [cross_entropy, generalised_cross_entropy])
def test_the_loss_of_a_distribution_is_the_mean_over_its_classes(loss):
    soft = np.array([[0.5, 0.5, 0, 0], [0.1, 0.2, 0.3, 0.4]], np.float32)
    of_class = [np.asarray(loss(np.eye(K, dtype=np.float32)[[k, k]], P[:2])) for k in range(K)]
    np.testing.assert_allclose(loss(soft, P[:2]), (soft * np.stack(of_class, axis=1)).sum(1), rtol=1e-5)


def test_class_weights_make_every_class_count_the_same():
    shares = np.array([0.7, 0.1, 0.1, 0.1], np.float32)
    loss = make_loss("cross_entropy", "class_weights", shares)
    weights = np.asarray(loss(Y, P)) / np.asarray(cross_entropy(Y, P))
    np.testing.assert_allclose(weights, [1 / (4 * 0.7), 2.5, 2.5], rtol=1e-5)
    np.testing.assert_allclose((1 / (4 * shares) * shares).sum(), 1)


def test_logit_adjustment_asks_more_of_rare_classes():
    shares = np.array([0.7, 0.1, 0.1, 0.1], np.float32)
    loss = make_loss("cross_entropy", "logit_adjustment", shares)
    adjusted = P * shares / (P * shares).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loss(Y, P), cross_entropy(Y, adjusted), rtol=1e-4)
    np.testing.assert_allclose(
        make_loss("cross_entropy", "logit_adjustment", np.full(K, 0.25, np.float32))(Y, P),
        cross_entropy(Y, P),
        rtol=1e-4,
    )


def test_accuracy_reads_the_first_columns():
    both = np.concatenate([Y, P], axis=1)
    np.testing.assert_array_equal(accuracy(both, P), [1, 0, 0])


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("balance", ["none", "class_weights", "logit_adjustment"])
def test_every_loss_teaches(name, balance):
    """A linear network learns three clusters by each loss, with each balance."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 240)
    x = (np.eye(3)[labels] * 4 + rng.normal(0, 1, (240, 3))).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[labels]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    loss = make_loss(name, balance, class_shares(y))
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=[accuracy])
    model.fit(x, y, epochs=8, verbose=0)
    assert (model.predict_on_batch(x).argmax(1) == labels).mean() > 0.9


def test_copies_of_a_picture_share_the_mean_of_their_labels():
    targets = one_hot(["a", "b", "b", "c"], ("a", "b", "c"))
    groups = np.array([7, 7, 9, 12])
    means = group_means(targets, groups, np.array([True, True, True, True]))
    np.testing.assert_allclose(means, [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    means = group_means(targets, groups, np.array([False, True, False, True]))
    np.testing.assert_allclose(means, [[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])


def test_targets_mix_given_labels_copies_teacher_and_smoothing():
    import pandas as pd

    photos = pd.DataFrame({"emotion": ["happy", "sad"], "duplicate_group": 1, "recompressed": 0})
    np.testing.assert_array_equal(training_targets(photos, EMOTIONS).argmax(1), [4, 6])
    taught = {"teacher": np.full((2, 9), 1 / 9, np.float32), "teacher_weight": 0.5}
    for how in ({}, {"share_copies": True, "label_smoothing": 0.1}, {"label_smoothing": 0.2, **taught}):
        np.testing.assert_allclose(training_targets(photos, EMOTIONS, **how).sum(1), 1, rtol=1e-5)
    half = training_targets(photos, EMOTIONS, share_copies=True, **taught)
    np.testing.assert_allclose(half[0, [4, 6]], 0.25 + 0.5 / 9, rtol=1e-5)


def test_a_class_nobody_has_seen_has_a_share():
    shares = class_shares(np.eye(3, dtype=np.float32)[[0, 0, 1]])
    assert shares.min() > 0
    np.testing.assert_allclose(shares.sum(), 1, rtol=1e-6)
