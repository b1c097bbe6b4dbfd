"""Networks that learn from grey photos see every photo so, by themselves."""

import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from fercomp.core.params import InferenceParams, MachineParams, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.faces.changes import LUMA
from fercomp.modeling.backend.keras_file import load_keras
from fercomp.modeling.bundle.card import CARD, KERAS_MODEL, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.modeling.training.network import build_network
from fercomp.stages.refit import refit
from fercomp.stages.taught import read_photos, with_grey_decided
from fercomp.stages.train import is_trained, train_experiment

pytestmark = pytest.mark.usefixtures("shallow")
TINY = TrainParams(size=32, epochs=1, batch_size=32, grey=True)
PLAN = Plan(train=TINY, inference=InferenceParams(margin=0.0, views=False))


@pytest.fixture
def colourful():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def in_grey(faces):
    return np.repeat(np.rint(faces @ np.array(LUMA))[..., None], 3, axis=3).astype(np.uint8)


def difference(network, *batches):
    answers = [keras.ops.convert_to_numpy(network(faces)) for faces in batches]
    return np.abs(answers[0] - answers[1]).max()


def test_a_photo_and_its_grey_copy_get_the_same_answer(colourful):
    sees_grey, sees_colours = (build_network("compact", 32, grey=grey) for grey in (True, False))
    assert len(sees_grey.weights) == len(sees_colours.weights)
    sees_colours.set_weights(sees_grey.get_weights())
    # What is left of it is the rounding of the copy's levels.
    assert difference(sees_grey, colourful, in_grey(colourful)) < 1e-4
    assert difference(sees_colours, colourful, in_grey(colourful)) > 5e-4
    photo = in_grey(colourful)
    np.testing.assert_allclose(sees_grey(photo), sees_colours(photo), atol=1e-5)


@pytest.mark.slow
def test_graph_and_keras_file_take_rgb_and_the_card_says_that_they_see_grey(workspace, colourful):
    card = train_experiment("grey", PLAN, workspace)
    folder = workspace.bundle("grey")
    assert card.grey
    assert card.trained["params"]["grey"] is True
    assert "| colours | turned into grey, by the network |" in (folder / MODEL_CARD).read_text()
    answers = [load_bundle(folder).predict(faces) for faces in (colourful, in_grey(colourful))]
    np.testing.assert_allclose(*answers, atol=1e-3)
    network = load_keras(folder / KERAS_MODEL)
    assert difference(network, colourful, in_grey(colourful)) < 1e-4
    photos = read_photos(TINY, workspace)
    assert is_trained(folder, PLAN, photos, workspace)
    for colours in (False, "auto"):  # the drawn photos have some
        assert not is_trained(folder, PLAN.changed(grey=colours), photos, workspace)
    # Used in another way, and trained once more, it sees grey as before.
    inference = InferenceParams(margin=0.0, views=False, flip=False)
    assert train_experiment("grey", PLAN.model_copy(update={"inference": inference}), workspace).grey
    assert refit(folder, "grey-refit", workspace, MachineParams()).grey


def test_auto_is_settled_by_the_photos(workspace):
    photos = PHOTOS.read(workspace.photos)

    def sees_grey(grey):
        shutil.rmtree(workspace.decoded, ignore_errors=True)
        return with_grey_decided(Plan(train=TINY).changed(grey=grey), photos, workspace).train.grey

    assert sees_grey("auto") is False
    for path in photos.loc[photos["split"] == "train", "image_path"]:
        file = workspace.raw / path
        Image.open(file).convert("L").convert("RGB").save(file)
    assert sees_grey("auto") is True
    assert sees_grey(False) is False
    one = photos.loc[photos["split"] == "train", "image_path"].iloc[-1]
    Image.new("RGB", (48, 48), "orange").save(workspace.raw / one)
    assert sees_grey("auto") is False
    assert sees_grey(True) is True


def test_a_card_of_an_earlier_version_sees_colours(workspace):
    path = workspace.bundle("tiny") / CARD
    card = json.loads(path.read_text()) | {"format": 5}
    del card["grey"]
    path.write_text(json.dumps(card))
    assert read_card(workspace.bundle("tiny")).grey is False
