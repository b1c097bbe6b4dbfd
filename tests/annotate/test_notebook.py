import numpy as np
import pytest

from fercomp.annotate.notebook import FaceEmotionsModel, FrameWithEmotion
from fercomp.annotate.options import Options
from fercomp.annotate.recogniser import Recogniser
from fercomp.core.errors import FercompError
from fercomp.faces.detect import make_detector
from fercomp.media.images import read_image


@pytest.fixture(scope="module")
def model(tiny_bundle_folder):
    return FaceEmotionsModel(model=tiny_bundle_folder)


def test_a_model_is_called_on_faces_of_any_size(model, faces):
    said = model(faces[0], faces[4][:60, :50])
    assert [emotion in (*model.classes, "uncertain") for emotion, _ in said] == [True, True]
    pred_probs = model.pred_probs(faces[0], faces[4][:60, :50])
    assert [p for _, p in said] == pytest.approx(pred_probs.max(axis=1))
    assert model() == []


def test_a_face_is_seen_as_annotate_sees_it(model, faces):
    recogniser = Recogniser(model.bundle, lambda: make_detector("whole"))
    (seen,) = recogniser.recognise([recogniser.look(faces[3])])
    np.testing.assert_array_equal(model.pred_probs(faces[3]), seen.decisions.pred_probs)
    assert model(faces[3])[0][0] == seen.decisions.emotions[0]


def test_a_frame_is_drawn_with_its_emotions(model, photos):
    image = read_image(photos / "two.webp")
    before = image.copy()
    with_emotion = FrameWithEmotion(model)
    drawn = with_emotion(image)
    np.testing.assert_array_equal(image, before)
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    assert len(with_emotion.faces) == len(with_emotion.decisions.emotions) == 2
    np.testing.assert_array_equal(with_emotion(image[:, ::-1][:, ::-1]), drawn)
    assert len(FrameWithEmotion(model, Options(min_score=1.0))(image)) == 200


def test_valence_and_arousal_need_a_model_that_gives_them(tiny_bundle_folder):
    with pytest.raises(FercompError, match="model tiny names emotions, it gives no valence and arousal"):
        FaceEmotionsModel(va=True, model=tiny_bundle_folder)


@pytest.mark.parametrize(("shape", "kind"), [((9, 9), "uint8"), ((9, 9, 3), "float64"), ((9, 9, 4), "uint8")])
def test_what_is_no_picture_is_refused(model, shape, kind):
    with pytest.raises(ValueError, match="expected a picture"):
        FrameWithEmotion(model)(np.zeros(shape, kind))
