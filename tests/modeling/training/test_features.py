import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import AugmentParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.export.graph import export_openvino
from fercomp.modeling.training import features
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.features import feature_batches
from fercomp.modeling.training.network import POOL, build_network, head_of
from fercomp.modeling.training.targets import one_hot
from fercomp.modeling.training.training_set import TrainingSet

VIEWS = {"seed": 0, "augmentation": AugmentParams(), "views": 2}


@pytest.fixture(scope="module")
def model(shallow):
    return build_network("compact", 32)


@pytest.fixture
def photos(tiny_workspace):
    table = PHOTOS.read(tiny_workspace.photos)
    return table[table["split"] == "train"].iloc[:40]


@pytest.fixture
def faces(tiny_workspace, photos):
    return batches_of(tiny_workspace, photos, photos["sha1"].tolist())


def batches_of(workspace, photos, sha1s):
    targets = one_hot(photos["emotion"].tolist(), tuple(sorted(set(photos["emotion"]))))
    taught = TrainingSet(tuple(photos["image_path"]), targets, None, tuple(sha1s))
    return FaceBatches(taught, workspace.raw, 32, 16, seed=0)


def test_features_are_what_the_frozen_backbone_says(model, faces, tmp_path):
    batches = feature_batches(model, faces, tmp_path, seed=0)
    got = np.concatenate([batches[i][0] for i in range(len(batches))])
    import keras

    pooled = keras.Model(model.input, model.get_layer(POOL).output)
    np.testing.assert_allclose(got, pooled.predict_on_batch(faces.faces(np.arange(40))), atol=1e-4)
    head, whole = head_of(model), model.predict_on_batch(faces.faces(np.arange(40)))
    np.testing.assert_allclose(head.predict_on_batch(got), whole, atol=1e-5)


@pytest.mark.slow
def test_openvino_computes_many_features_where_there_is_no_gpu(model, faces, tmp_path, monkeypatch):
    by_keras = feature_batches(model, faces, tmp_path / "keras", seed=0)
    monkeypatch.setattr(features, "_FEW", 0)
    monkeypatch.setattr(features, "export_apart", export_openvino)  # the same in this process
    asked = []
    exported = features.exported
    monkeypatch.setattr(features, "exported", lambda *given: asked.append(given) or exported(*given))
    by_openvino = feature_batches(model, faces, tmp_path / "openvino", seed=0)
    assert len(asked) == 1
    for i in range(len(by_keras)):
        np.testing.assert_allclose(by_keras[i][0], by_openvino[i][0], atol=1e-4)
    names = [[path.name for path in (tmp_path / one).iterdir()] for one in ("keras", "openvino")]
    assert names[0] == names[1], "whatever computed them, they are found again"
    monkeypatch.setattr(features, "has_gpu", lambda: True)
    feature_batches(model, faces, tmp_path / "gpu", seed=0)
    assert len(asked) == 1


def test_a_backbone_that_cannot_be_exported_stays_with_keras(model, faces, tmp_path, monkeypatch, capfd):
    expected = feature_batches(model, faces, tmp_path / "keras", seed=0)

    def refuse(*arguments):
        raise FercompError("compact cannot be exported")

    monkeypatch.setattr(features, "_FEW", 0)
    monkeypatch.setattr(features, "export_apart", refuse)
    found = feature_batches(model, faces, tmp_path / "again", **VIEWS)
    assert capfd.readouterr().err.splitlines() == [
        "compact cannot be exported; Keras computes the features"
    ], "said once, not for each view"
    assert found[0][0].shape == expected[0][0].shape


def test_epochs_take_the_views_in_turn_with_all_photos(model, faces, tmp_path):
    batches = feature_batches(model, faces, tmp_path, **VIEWS)
    sums = []
    for epoch in range(4):
        batches.start_epoch(epoch)
        parts = [batches[i] for i in range(len(batches))]
        assert sum(len(part) for part, _ in parts) == 40
        np.testing.assert_allclose(sum(t.sum(0) for _, t in parts), faces.targets.sum(0))
        sums.append(np.sort(np.concatenate([part for part, _ in parts])[:, 0]))
    np.testing.assert_array_equal(sums[0], sums[2])
    assert np.abs(sums[0] - sums[1]).max() > 1e-4


@pytest.mark.slow
def test_a_second_run_reads_the_cache_and_a_change_does_not(
    model, faces, photos, tiny_workspace, tmp_path, monkeypatch
):
    first = feature_batches(model, faces, tmp_path, **VIEWS)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) == 2

    def never(*arguments):
        raise AssertionError("the backbone ran again")

    with monkeypatch.context() as context:
        context.setattr(features, "Changes", never)
        again = feature_batches(model, faces, tmp_path, **VIEWS)
    np.testing.assert_array_equal(again[0][0], first[0][0])
    turned = batches_of(tiny_workspace, photos, photos["sha1"].tolist()[::-1])
    feature_batches(model, turned, tmp_path, **VIEWS)
    feature_batches(model, faces, tmp_path, **{**VIEWS, "seed": 1})
    other = build_network("compact", 32)
    feature_batches(other, faces, tmp_path, **VIEWS)
    assert len(list(tmp_path.iterdir())) == 8


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_a_damaged_cache_is_computed_again(model, faces, tmp_path, damage):
    feature_batches(model, faces, tmp_path, seed=0)
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    path.write_bytes(good[:-100] if damage is None else damage)
    feature_batches(model, faces, tmp_path, seed=0)
    assert path.read_bytes() == good
