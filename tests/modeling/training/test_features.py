import numpy as np
import pytest

from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.training import features
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.features import feature_batches
from fercomp.modeling.training.network import POOL, build_network, head_of
from fercomp.modeling.training.targets import one_hot

PARAMS = TrainParams(size=32, batch_size=16, head_views=2)


@pytest.fixture(scope="module")
def model():
    return build_network(PARAMS)


@pytest.fixture
def photos(tiny_workspace):
    table = PHOTOS.read(tiny_workspace.photos)
    return table[table["split"] == "train"].iloc[:40]


@pytest.fixture
def faces(tiny_workspace, photos):
    targets = one_hot(photos["emotion"].tolist(), tuple(sorted(set(photos["emotion"]))))
    return FaceBatches(tiny_workspace.raw, photos["image_path"].tolist(), targets, 32, 16, 1.0, seed=0)


def test_features_are_what_the_frozen_backbone_says(model, faces, photos, tmp_path):
    batches = feature_batches(model, PARAMS, faces, photos["sha1"].tolist(), tmp_path, train=False)
    got = np.concatenate([batches[i][0] for i in range(len(batches))])
    import keras

    pooled = keras.Model(model.input, model.get_layer(POOL).output)
    np.testing.assert_allclose(got, pooled.predict_on_batch(faces.faces(np.arange(40))), atol=1e-4)
    head, whole = head_of(model), model.predict_on_batch(faces.faces(np.arange(40)))
    np.testing.assert_allclose(head.predict_on_batch(got), whole, atol=1e-5)


def test_epochs_take_the_views_in_turn_with_all_photos(model, faces, photos, tmp_path):
    batches = feature_batches(model, PARAMS, faces, photos["sha1"].tolist(), tmp_path, train=True)
    sums = []
    for epoch in range(4):
        batches.start_epoch(epoch)
        parts = [batches[i] for i in range(len(batches))]
        assert sum(len(part) for part, _ in parts) == 40
        np.testing.assert_allclose(sum(t.sum(0) for _, t in parts), faces.targets.sum(0))
        sums.append(np.sort(np.concatenate([part for part, _ in parts])[:, 0]))
    np.testing.assert_array_equal(sums[0], sums[2])
    assert np.abs(sums[0] - sums[1]).max() > 1e-4


def test_a_second_run_reads_the_cache_and_a_change_does_not(model, faces, photos, tmp_path, monkeypatch):
    sha1s = photos["sha1"].tolist()
    first = feature_batches(model, PARAMS, faces, sha1s, tmp_path, train=True)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) == 2

    def never(*arguments):
        raise AssertionError("the backbone ran again")

    with monkeypatch.context() as context:
        context.setattr(features, "augment", never)
        again = feature_batches(model, PARAMS, faces, sha1s, tmp_path, train=True)
    np.testing.assert_array_equal(again[0][0], first[0][0])
    feature_batches(model, PARAMS, faces, sha1s[::-1], tmp_path, train=True)
    changed = PARAMS.model_copy(update={"seed": 1})
    feature_batches(model, changed, faces, sha1s, tmp_path, train=True)
    other = build_network(PARAMS.model_copy(update={"seed": 3}))
    feature_batches(other, PARAMS, faces, sha1s, tmp_path, train=True)
    assert len(list(tmp_path.iterdir())) == 8


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_a_damaged_cache_is_computed_again(model, faces, photos, tmp_path, damage):
    sha1s = photos["sha1"].tolist()
    feature_batches(model, PARAMS, faces, sha1s, tmp_path, train=False)
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    path.write_bytes(good[:-100] if damage is None else damage)
    feature_batches(model, PARAMS, faces, sha1s, tmp_path, train=False)
    assert path.read_bytes() == good
