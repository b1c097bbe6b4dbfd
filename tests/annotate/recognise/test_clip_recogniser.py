from functools import partial

import cv2
import numpy as np
import pytest

from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.faces.crop import face_input, upright_input
from fercomp.faces.detect import make_detector
from fercomp.faces.quality import LEVELLED, rolls
from fercomp.media.clips import Frame
from fercomp.media.images import read_image
from fercomp.modeling.bundle.model import load_bundle


@pytest.mark.parametrize(("flip", "every", "mirrored"), [(True, 1, [1, 3]), (True, 2, [2]), (False, 1, [])])
def test_every_other_classified_frame_shows_a_mirror_image(
    write_model, tmp_path, faces, flip, every, mirrored
):
    """In place of both in each frame, where the model averages over both."""
    folder = write_model(tmp_path / "model", flip=flip)
    plain = load_bundle(write_model(tmp_path / "plain"))
    recogniser = ClipRecogniser(load_bundle(folder), lambda: make_detector("whole"), every)
    frames = [Frame(i, i / 25, i, faces[0]) for i in range(4)]
    followed = [recogniser.follow(frame, recogniser.detect(frame)) for frame in frames]
    for i, named in enumerate(recogniser.name(followed)):
        assert named.frame is frames[i]
        assert named.faces.tracks.tolist() == [0]
        if i % every:
            assert np.isnan(named.faces.raw).all()
            continue
        (inputs,) = followed[i].inputs
        expected = plain.predict(inputs[:, :, ::-1] if i in mirrored else inputs)
        np.testing.assert_allclose(named.faces.raw, expected, atol=1e-6)
    assert np.abs(plain.predict(inputs) - plain.predict(inputs[:, :, ::-1])).max() > 1e-3


@pytest.mark.parametrize("degrees", [0, 30])
def test_a_tilted_face_of_a_frame_is_cut_out_upright(bundle, photos, degrees):
    image = read_image(photos / "a/face.jpg")
    middle = (image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D(middle, -degrees, 1)
    frame = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    recogniser = ClipRecogniser(bundle, partial(make_detector, clip=True))
    first = Frame(0, 0.0, 0, frame)
    picture = recogniser.follow(first, recogniser.detect(first))
    (box,), (roll,), ((crop,),) = picture.faces.boxes, rolls(picture.faces.landmarks), picture.inputs
    ((size, margin),) = bundle.inputs
    if degrees:
        assert roll > LEVELLED
        np.testing.assert_array_equal(crop, upright_input(frame, box, float(roll), size, margin))
    else:
        assert 0 < abs(roll) < LEVELLED
        np.testing.assert_array_equal(crop, face_input(frame, box, size, margin))
