import json

import numpy as np
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import CARD
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.training.teacher import accept_teacher, kept_probs


@pytest.fixture
def teacher(workspace, write_model):
    """A model whose files may be changed: its card has no checksums, as those of an earlier version."""
    folder = write_model(workspace.bundle("teacher"))
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**card, "files": {}}), encoding="utf-8")
    return folder


@pytest.fixture
def paths(workspace):
    return PHOTOS.read(workspace.photos).query("split == 'train'")["image_path"].tolist()


@pytest.fixture
def ask(workspace, teacher, paths):
    return lambda: kept_probs(teacher, EMOTIONS, workspace.raw, paths, workspace.models / ".teachers")


def test_the_teacher_is_asked_once(workspace, teacher, paths, ask):
    expected = predict_photos(load_bundle(teacher), workspace.raw, paths)
    first = ask()
    np.testing.assert_array_equal(first, expected)
    assert first.dtype == np.float32
    (teacher / "graph/graph.xml").write_text("no network any more")
    np.testing.assert_array_equal(ask(), expected)


def test_another_teacher_or_a_changed_photo_is_not_mistaken_for_the_old(
    workspace, teacher, paths, ask, write_model
):
    first = ask()
    Image.new("RGB", (40, 40), "white").save(workspace.raw / paths[3])
    second = ask()
    assert np.flatnonzero((first != second).any(axis=1)).tolist() == [3]
    again = kept_probs(teacher, EMOTIONS, workspace.raw, paths[::-1], workspace.models / ".teachers")
    np.testing.assert_allclose(again, second[::-1], atol=1e-6)
    (teacher / "graph/graph.bin").write_bytes(
        (write_model(workspace.bundle("new") / "teacher", seed=1) / "graph/graph.bin").read_bytes()
    )
    assert np.abs(ask() - second).max() > 0.1


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY junk", None])
def test_a_damaged_cache_is_made_anew(workspace, ask, damage):
    expected = ask()
    (file,) = (workspace.models / ".teachers").iterdir()
    if damage is None:
        np.save(file, expected[:5])
    else:
        file.write_bytes(damage)
    np.testing.assert_array_equal(ask(), expected)
    np.testing.assert_array_equal(np.load(file), expected)


def test_a_pickled_cache_is_not_unpickled(workspace, ask):
    expected = ask()
    (file,) = (workspace.models / ".teachers").iterdir()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    np.testing.assert_array_equal(ask(), expected)


def test_a_teacher_of_other_classes_is_refused(workspace, write_model):
    other = write_model(workspace.bundle("other"), classes=EMOTIONS[:8])
    with pytest.raises(FercompError, match="same classes"):
        accept_teacher(other, EMOTIONS)
