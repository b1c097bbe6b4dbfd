"""Networks that learn from grey photos see every photo so, by themselves."""

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.modeling.backend.keras_file import load_keras
from fercomp.modeling.bundle.card import KERAS_MODEL, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training.grey import LUMA, is_grey, learns_grey
from fercomp.modeling.training.network import build_network
from fercomp.stages.train import is_trained, read_photos, sees_grey, train_experiment

pytestmark = pytest.mark.usefixtures("shallow")
TINY = TrainParams(size=32, epochs=1, batch_size=32, grey=True)
PLAN = Plan(train=TINY, inference=InferenceParams(margin=0.0))


@pytest.fixture
def colourful():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def in_grey(faces):
    return np.repeat(np.rint(faces @ np.array(LUMA))[..., None], 3, axis=3).astype(np.uint8)


def difference(network, *batches):
    answers = [keras.ops.convert_to_numpy(network(faces)) for faces in batches]
    return np.abs(answers[0] - answers[1]).max()


def test_a_photo_and_its_grey_copy_get_the_same_answer(colourful):
    sees_grey = build_network("compact", 32, sees_grey=True)
    sees_colours = build_network("compact", 32)
    sees_colours.set_weights(sees_grey.get_weights())
    # What is left of it is the rounding of the copy's levels.
    assert difference(sees_grey, colourful, in_grey(colourful)) < 1e-4
    assert difference(sees_colours, colourful, in_grey(colourful)) > 5e-4
    photo = in_grey(colourful)
    np.testing.assert_allclose(sees_grey(photo), sees_colours(photo), atol=1e-5)


def test_it_has_no_weights_that_could_be_trained():
    coloured = build_network("compact", 32)
    assert len(build_network("compact", 32, sees_grey=True).weights) == len(coloured.weights)


def test_graph_and_keras_file_take_rgb_and_the_card_says_that_they_see_grey(workspace, colourful):
    card = train_experiment("grey", PLAN, workspace)
    folder = workspace.bundle("grey")
    assert card.grey
    assert card.trained["params"]["grey"] is True
    answers = [load_bundle(folder).predict(faces) for faces in (colourful, in_grey(colourful))]
    np.testing.assert_allclose(*answers, atol=1e-3)
    answers.append(keras.ops.convert_to_numpy(load_keras(folder / KERAS_MODEL)(colourful)))
    assert answers[2].shape == (3, 9)
    photos = read_photos(TINY, workspace)
    assert is_trained(folder, TINY, photos, workspace)
    for colours in (False, "auto"):  # the drawn photos have some
        assert not is_trained(folder, TINY.model_copy(update={"grey": colours}), photos, workspace)


def test_grey_photos_are_noticed_and_a_choice_by_hand_wins(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        light = rng.integers(0, 256, (24, 24), dtype=np.uint8)
        Image.fromarray(light).convert("RGB").save(tmp_path / f"{i}.jpg", quality=60)
    photos = pd.DataFrame({"image_path": [f"{i}.jpg" for i in range(6)], "split": ["train"] * 5 + ["test"]})
    assert learns_grey(photos, tmp_path)
    assert sees_grey(TrainParams(grey="auto"), photos, tmp_path)
    assert not sees_grey(TrainParams(), photos, tmp_path)
    Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / "3.jpg")
    assert not learns_grey(photos, tmp_path)


def test_a_little_colour_is_none():
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert is_grey(grey + np.array([0, 2, 3], np.uint8))
    assert not is_grey(grey + np.array([0, 10, 20], np.uint8))


def test_a_card_of_an_earlier_version_sees_colours(tiny_bundle_folder):
    assert read_card(tiny_bundle_folder).grey is False
