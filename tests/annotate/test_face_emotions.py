import numpy as np
import pytest

from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.face_emotions import FaceEmotionsModel, FrameWithEmotion
from fercomp.annotate.model import load
from fercomp.annotate.options import Options
from fercomp.core.errors import FercompError
from fercomp.media.images import read_image


@pytest.fixture(scope="module")
def model(tiny_bundle_folder):
    return FaceEmotionsModel(model=tiny_bundle_folder)


@pytest.fixture
def image(photos):
    return read_image(photos / "two.webp")


@pytest.mark.parametrize("cut", [slice(None), slice(0, 61)])
def test_a_face_of_any_size_is_named_as_annotate_names_it(model, faces, tiny_bundle_folder, cut):
    face = faces[4][cut]
    expected = load(tiny_bundle_folder, detector="whole").detect(face)
    assert model.predict(face) == (expected.emotions[0], pytest.approx(expected.confidences[0]))
    assert model(face) == model.predict(face)


def test_a_frame_is_drawn_with_its_emotions(model, image):
    before = image.copy()
    with_emotion = FrameWithEmotion(model)
    drawn = with_emotion(image)
    np.testing.assert_array_equal(image, before)
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    assert len(with_emotion.faces) == len(with_emotion.faces.emotions) == 2
    np.testing.assert_array_equal(with_emotion(image[:, ::-1][:, ::-1]), drawn)
    assert len(FrameWithEmotion(model, Options(min_score=1.0))(image)) == 200


def test_a_face_that_somebody_else_has_found_is_drawn_into_the_picture(model, image, tiny_bundle_folder):
    (found, _) = load(tiny_bundle_folder).detect(image)
    x1, y1, x2, y2 = found.boxes[0].round().astype(int).tolist()
    before, with_emotion = image.copy(), FrameWithEmotion(model)
    drawn = with_emotion.draw_emotion_frame(image, x1, y1, x2 - x1, y2 - y1)
    assert drawn is image
    assert (image != before).any()
    assert with_emotion.faces.emotions == found.emotions
    np.testing.assert_allclose(with_emotion.faces.pred_probs, found.pred_probs, atol=0.05)
    np.testing.assert_array_equal(image, draw(before, with_emotion.faces))


def test_pixels_that_belong_to_somebody_else_are_read_and_not_written(model, image):
    image.setflags(write=False)
    with_emotion = FrameWithEmotion(model)
    assert (with_emotion(image) != image).any()
    with pytest.raises(FercompError, match=r"hand over img\.copy\(\)"):
        with_emotion.draw_emotion_frame(image, 40, 50, 96, 96)
    drawn = with_emotion.draw_emotion_frame(image.copy(), 40, 50, 96, 96)
    assert (drawn != image).any()


@pytest.mark.parametrize("box", [(400, 20, 50, 50), (10, 10, 0, 5), (-60, 0, 50, 50)])
def test_a_box_outside_the_picture_is_refused(model, image, box):
    with pytest.raises(FercompError, match=r"shows nothing of a picture of 400x200 pixels"):
        FrameWithEmotion(model).draw_emotion_frame(image, *box)


def test_valence_and_arousal_need_a_model_that_gives_them(tiny_bundle_folder):
    with pytest.raises(FercompError, match="model tiny names emotions, it gives no valence and arousal"):
        FaceEmotionsModel(va=True, model=tiny_bundle_folder)


@pytest.mark.parametrize(("shape", "kind"), [((9, 9), "uint8"), ((9, 9, 3), "float64"), ((9, 9, 4), "uint8")])
def test_what_is_no_picture_is_refused(model, shape, kind):
    picture, with_emotion = np.zeros(shape, kind), FrameWithEmotion(model)
    for call in (
        model.predict,
        with_emotion,
        lambda image: with_emotion.draw_emotion_frame(image, 1, 1, 5, 5),
    ):
        with pytest.raises(FercompError, match="expected a picture"):
            call(picture)
