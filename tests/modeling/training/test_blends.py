import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercomp.modeling.training.blends import draw_blend

SHADES = np.arange(0, 200, 20, dtype=np.uint8)
TARGETS = np.eye(10, dtype=np.float32)


def shades(size=8):
    """Ten photos, each of one shade."""
    return np.broadcast_to(SHADES[:, None, None, None], (10, size, size, 3))


def blended(faces, targets, mixup, cutmix, rng):
    """A whole batch, as one process makes it."""
    blend = draw_blend(len(faces), faces.shape[1], mixup, cutmix, rng)
    everyone = np.arange(len(faces))
    return (faces, targets) if blend is None else blend.of(faces, targets, everyone, blend.other)


def test_mixup_adds_up_photos_and_targets_alike():
    mixed, soft = blended(shades(), TARGETS, 0.4, 0.0, np.random.default_rng(0))
    assert (mixed.dtype, soft.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0, 0], soft @ SHADES, atol=0.51)
    assert (soft.argmax(1) == np.arange(10)).all()
    assert ((soft > 0).sum(1) == 2).any()


def test_cutmix_covers_a_rectangle_and_shares_targets_by_area():
    covered = []
    for seed in range(40):
        before = shades(24).copy()
        mixed, soft = blended(before, TARGETS, 0.0, 1.0, np.random.default_rng(seed))
        np.testing.assert_array_equal(before, shades(24))
        assert (mixed.dtype, soft.dtype) == (np.uint8, np.float32)
        np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-6)
        np.testing.assert_allclose(mixed.mean((1, 2, 3)), soft @ SHADES, rtol=1e-5)
        assert (np.diag(soft) >= 0.49).all()
        foreign = (mixed != before).any(axis=3)
        changed = foreign[foreign.any(axis=(1, 2))]
        if len(changed):
            rows, columns = np.nonzero(changed[0])
            assert (np.ptp(rows) + 1) * (np.ptp(columns) + 1) == len(rows)
            assert (changed == changed[0]).all()
            covered.append(len(rows) / 24**2)
    assert max(covered) > 0.25
    assert min(covered) < 0.1


def test_both_take_turns_by_batch_and_the_seed_repeats():
    kinds = set()
    for seed in range(20):
        mixed, soft = blended(shades(), TARGETS, 0.4, 0.4, np.random.default_rng(seed))
        again = blended(shades(), TARGETS, 0.4, 0.4, np.random.default_rng(seed))
        np.testing.assert_array_equal(mixed, again[0])
        np.testing.assert_array_equal(soft, again[1])
        kinds.add("mixup" if np.isin(mixed, SHADES).mean() < 1 else "cutmix")
    assert kinds == {"mixup", "cutmix"}


def test_nothing_is_blended_unless_asked_for():
    rng = np.random.default_rng(0)
    faces, targets = blended(shades(), TARGETS, 0.0, 0.0, rng)
    np.testing.assert_array_equal(faces, shades())
    np.testing.assert_array_equal(targets, TARGETS)
    assert rng.random() == np.random.default_rng(0).random()


@given(n=st.integers(0, 5), size=st.integers(1, 40), alpha=st.floats(0.01, 10), seed=st.integers(0, 99))
def test_shape_type_and_range_stay(n, size, alpha, seed):
    faces = np.random.default_rng(seed).integers(50, 200, (n, size, size, 3), dtype=np.uint8)
    targets = np.random.default_rng(seed).dirichlet(np.ones(9), n).astype(np.float32)
    for mixup, cutmix in ((alpha, 0.0), (0.0, alpha), (alpha, alpha)):
        mixed, soft = blended(faces, targets, mixup, cutmix, np.random.default_rng(seed))
        assert (mixed.shape, mixed.dtype) == (faces.shape, np.uint8)
        assert (soft.shape, soft.dtype) == (targets.shape, np.float32)
        assert n == 0 or (mixed.min() >= 50 and mixed.max() < 200)
        np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-5)
