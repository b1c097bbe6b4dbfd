from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercomp.annotate.options import Options
from fercomp.annotate.recognise.recogniser import PHOTO_VIEWS, Recogniser, decide
from fercomp.annotate.records.rows import face_rows
from fercomp.core.classes import EMOTIONS
from fercomp.decisions.rule import Rule
from fercomp.faces.crop import face_input, whole_box
from fercomp.faces.detect import make_detector
from fercomp.faces.found import Faces
from fercomp.faces.quality import rolls
from fercomp.media.images import read_image
from fercomp.modeling.bundle.model import Answer, load_bundle


def test_a_framed_photo_is_used_whole_as_in_training(bundle, faces):
    seen = Recogniser(bundle, lambda: make_detector("whole")).look(faces[0])
    expected = face_input(faces[0], whole_box(faces[0]), bundle.card.size, 0)
    (inputs,) = seen.inputs
    assert inputs.tobytes() == expected.tobytes()


def test_a_found_face_is_cut_out_with_the_margin_of_the_card(bundle, photos):
    image = read_image(photos / "two.webp")
    seen = Recogniser(bundle, make_detector).look(image)
    assert len(seen.faces) == 2
    for box, face in zip(seen.faces.boxes, *seen.inputs, strict=True):
        np.testing.assert_array_equal(face, face_input(image, box, bundle.card.size, bundle.card.margin))


@pytest.mark.parametrize("detector", ["yunet", "whole"])
def test_an_ensemble_gets_each_face_as_each_of_its_networks_wants_it(detector, photos, tmp_path, write_model):
    networks = [
        write_model(tmp_path / "both" / "members" / name, size=size, seed=size, margin=margin)
        for name, size, margin in (("a", 32, 0.1), ("b", 24, 0.1), ("c", 32, 0.4), ("d", 32, 0.1))
    ]
    members = [{"name": folder.name, "weight": 0.25} for folder in networks]
    write_model(tmp_path / "both", size=32, members=members)
    ensemble = load_bundle(tmp_path / "both")
    assert ensemble.inputs == ((32, 0.1), (24, 0.1), (32, 0.4))
    image = read_image(photos / "two.webp")
    recogniser = Recogniser(ensemble, lambda: make_detector(detector))
    (together,) = recogniser.name([recogniser.look(image)])
    alone = []
    for folder in networks:
        single = Recogniser(load_bundle(folder), lambda: make_detector(detector))
        alone.append(single.name([single.look(image)])[0].faces.pred_probs)
    assert len(together.faces) == (2 if detector == "yunet" else 1)
    np.testing.assert_allclose(together.faces.pred_probs, np.mean(alone, axis=0), atol=1e-6)


def test_faces_of_photos_are_looked_at_several_times(bundle, photos):
    image = read_image(photos / "two.webp")
    for views in (1, PHOTO_VIEWS):
        recogniser = Recogniser(bundle, make_detector, views)
        picture = recogniser.look(image)
        (named,) = recogniser.name([picture])
        expected = bundle.answer(*picture.inputs, views=views).pred_probs
        np.testing.assert_array_equal(named.faces.pred_probs, expected)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_on_its_side_or_its_head_is_read_as_if_it_stood_upright(turns, bundle, photos):
    recogniser = Recogniser(bundle, Options().make_detector)
    image = read_image(photos / "a/face.jpg")
    pictures = [recogniser.look(each) for each in (image, np.rot90(image, turns).copy())]
    upright, turned = (picture.faces for picture in recogniser.name(pictures))
    (box,), (landmarks,) = turned.boxes, turned.landmarks
    height, width = np.rot90(image, turns).shape[:2]
    assert ((box >= 0) & (box <= (width, height, width, height))).all()
    assert ((landmarks > box[:2]) & (landmarks < box[2:])).all(), "in pixels of the photo as it is"
    roll = (float(rolls(turned.landmarks)[0]) + 90 * turns + 180) % 360 - 180
    assert roll == pytest.approx(float(rolls(upright.landmarks)[0]), abs=8)
    assert turned.qualities[0] == pytest.approx(upright.qualities[0], abs=0.1)
    (first,), (second,) = (picture.inputs[0].astype(float) for picture in pictures)
    assert np.abs(first - second).mean() < 0.4 * np.abs(first - np.rot90(first)).mean()
    row = face_rows("face.jpg", turned)[0]
    assert float(row["roll"]) == pytest.approx(float(rolls(turned.landmarks)[0]), abs=0.1)


def test_several_pictures_are_classified_as_each_alone(bundle, photos):
    recogniser = Recogniser(bundle, make_detector)
    files = [photos / name for name in ("two.webp", "landscape.png", "a/face.jpg")]
    seen = [recogniser.look(read_image(file)) for file in files]
    together = recogniser.name(seen)
    assert [len(picture.faces.emotions) for picture in together] == [2, 0, 1]
    for picture, alone in zip(together, seen, strict=True):
        expected = recogniser.name([alone])[0].faces
        np.testing.assert_allclose(picture.faces.pred_probs, expected.pred_probs, atol=1e-6)
        assert picture.frame is alone.frame
        assert picture.faces.emotions == expected.emotions
        assert picture.faces.landmarks is alone.faces.landmarks, "what was found is kept"
    assert recogniser.name([]) == []


def test_each_thread_has_its_own_detector(bundle, faces):
    made = []

    def make():
        made.append(make_detector())
        return made[-1]

    recogniser = Recogniser(bundle, make)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda i: recogniser.look(faces[i % len(faces)]), range(36)))
    assert 2 <= len(made) <= 5
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result.inputs[0], results[i % len(faces)].inputs[0])


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 8), st.just(9)), elements=st.floats(0, 1, width=32)),
    st.none() | st.floats(0, 1),
)
def test_the_likeliest_class_decides_unless_it_is_too_unlikely(pred_probs, threshold):
    n = len(pred_probs)
    found = Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32))
    faces = decide(found, Answer(pred_probs, None), Rule(EMOTIONS, threshold))
    assert len(faces.emotions) == len(faces.confidences) == n
    assert faces.classes == EMOTIONS
    for emotion, confidence, row in zip(faces.emotions, faces.confidences, pred_probs, strict=True):
        assert confidence == row.max()
        unsure = threshold is not None and confidence < threshold
        assert emotion == ("uncertain" if unsure else EMOTIONS[row.argmax()])


def test_a_detector_that_cannot_be_made_fails_at_once(bundle):
    def broken():
        raise RuntimeError("no detector")

    with pytest.raises(RuntimeError, match="no detector"):
        Recogniser(bundle, broken)
