"""The Python API on real pictures and a real model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.model import TOGETHER, Model, load
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.faces.found import LANDMARKS
from fercomp.media.images import read_image
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.predict import predict_table


@pytest.fixture(scope="module")
def model(tiny_bundle_folder):
    return load(tiny_bundle_folder)


def same(one, other, atol=0.0):
    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    np.testing.assert_allclose(one.pred_probs, other.pred_probs, atol=atol)
    assert one.emotions == other.emotions


def test_a_file_and_its_pixels_give_the_same(model, photos):
    file = photos / "two.webp"
    faces = model.detect(file)
    assert len(faces) == 2
    assert faces.landmarks.shape == (2, 5, 2)
    assert faces.classes == model.classes == EMOTIONS
    same(model.detect(str(file)), faces)
    same(model.detect(read_image(file)), faces)


def test_an_array_may_lie_in_memory_as_it_likes(model, photos):
    image = read_image(photos / "two.webp")
    same(model.detect(image[:, ::-1, ::-1].copy()[:, ::-1, ::-1]), model.detect(image))


def test_a_list_gives_a_list(model, photos):
    files = [photos / name for name in ("two.webp", "landscape.png", "a/face.jpg")] * TOGETHER
    alone = [model.detect(file) for file in files[:3]] * TOGETHER
    assert [len(faces) for faces in alone[:3]] == [2, 0, 1]
    mixed = [read_image(file) if i % 2 else file for i, file in enumerate(files)]
    for one, other in zip(model.detect(mixed), alone, strict=True):
        same(one, other, atol=1e-6)
    assert model.detect([]) == []


def test_the_table_says_what_annotate_puts_on_record(model, photos, tmp_path):
    records = pd.read_csv(annotate_media(photos, tmp_path / "out", model.bundle).records)
    for name in ("two.webp", "a/deep/face.png"):
        recorded = records[records["file"] == name]
        table = model.detect(photos / name).to_frame()
        assert table["emotion"].tolist() == recorded["emotion"].tolist()
        numbers = ["score", "confidence", *EMOTIONS]
        np.testing.assert_allclose(table[numbers], recorded[numbers], atol=2e-6)
        np.testing.assert_allclose(*(t[["x1", "y1", "x2", "y2"]] for t in (table, recorded)), atol=0.06)


def test_tables_of_pictures_with_and_without_faces_have_the_same_columns(model, photos):
    some, none = model.detect([photos / "two.webp", photos / "landscape.png"])
    points = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    expected = ["x1", "y1", "x2", "y2", "score", "quality", "emotion", "confidence", *EMOTIONS, *points]
    assert list(some.to_frame().columns) == list(none.to_frame().columns) == expected
    assert (len(some.to_frame()), len(none.to_frame())) == (2, 0)


def test_the_detector_can_be_chosen(tiny_bundle_folder, faces):
    whole = load(tiny_bundle_folder, detector="whole").detect(faces[3])
    np.testing.assert_array_equal(whole.boxes, [(0, 0, 96, 96)])
    assert len(load(tiny_bundle_folder, min_size=97).detect(faces[3])) == 0
    with pytest.raises(FercompError, match="did you mean yunet"):
        load(tiny_bundle_folder, detector="yunett")


def test_photos_that_are_cut_out_are_predicted_as_for_the_competition(model, photos):
    files = [photos / "a/face.jpg", str(photos / "b/face.jpg"), photos / "two.webp"]
    table = model.predict(files)
    assert list(table.columns) == ["image_path", "emotion", "confidence", *EMOTIONS]
    assert table["image_path"].tolist() == [str(file) for file in files]
    expected = predict_table(model.bundle, Path(), [str(file) for file in files])
    np.testing.assert_array_equal(table[list(EMOTIONS)], expected[list(EMOTIONS)])
    assert table["confidence"].tolist() == table[list(EMOTIONS)].max(axis=1).tolist()
    assert table["emotion"].tolist() == table[list(EMOTIONS)].idxmax(axis=1).tolist()
    assert list(model.predict([]).columns) == list(table.columns)
    assert len(model.predict([])) == 0
    pd.testing.assert_frame_equal(model.predict(photos / "a/face.jpg"), table[:1])
    pd.testing.assert_frame_equal(model.predict(iter(files)), table)
    with pytest.raises(FercompError, match="expected paths of photos, got NoneType"):
        model.predict([None])


def test_uncertain_may_be_left_out(write_model, tmp_path, photos):
    folder, files = (
        write_model(tmp_path / "sure", threshold=1.0),
        [photos / "a/face.jpg", photos / "two.webp"],
    )
    assert load(folder).predict(files)["emotion"].tolist() == ["uncertain"] * 2
    for table in (
        load(folder, uncertain=False).predict(files),
        load(folder, uncertain=False).predict(files[0]),
    ):
        said = table[[name for name in EMOTIONS if name != "uncertain"]]
        assert table["emotion"].tolist() == said.idxmax(axis=1).tolist()
        assert table["confidence"].tolist() == said.max(axis=1).tolist()


def test_points_are_told_where_the_model_gives_them(write_model, tmp_path, photos):
    placing = load(write_model(tmp_path / "placing", head="both", threshold=1.0))
    faces = placing.detect(photos / "two.webp")
    assert {"valence", "arousal"} <= set(faces.to_frame().columns)
    assert faces.emotions == ("uncertain", "uncertain")
    table = placing.predict([photos / "a/face.jpg"])
    assert list(table.columns)[-2:] == ["valence", "arousal"]
    assert table["emotion"].tolist() == ["uncertain"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((9, 9, 3)), r"got \(9, 9, 3\) float64: \(255 \* image\)"),
        (np.zeros((9, 9), np.uint8), r"got \(9, 9\) uint8"),
        (np.zeros((9, 9, 4), np.uint8), r"got \(9, 9, 4\) uint8"),
        (np.zeros((2, 9, 9, 3), np.uint8), r"got \(2, 9, 9, 3\) uint8"),
        (np.zeros((0, 9, 3), np.uint8), r"got \(0, 9, 3\) uint8"),
        (None, "got NoneType"),
        ("missing.jpg", r"missing\.jpg not found"),
    ],
)
def test_what_is_no_picture_is_one_line(model, image, message):
    for given in (image, [image]):
        with pytest.raises(FercompError, match=message) as error:
            model.detect(given)
        assert "\n" not in str(error.value)


def test_arrays_are_no_paths(model):
    with pytest.raises(FercompError, match="expected paths of photos, got ndarray: `detect` takes arrays"):
        model.predict([np.zeros((9, 9, 3), np.uint8)])
    with pytest.raises(FercompError, match=r"nowhere\.jpg not found"):
        model.predict(["nowhere.jpg"])


def test_a_model_is_found_by_name_path_and_default(workspace, write_model, tmp_path, monkeypatch):
    assert load("shipped").bundle.folder == CAME_ALONG["shipped"]
    assert load("tiny").bundle.folder == workspace.bundle("tiny")
    assert load(tmp_path / "models" / "tiny").name == "tiny"
    assert load().name == "tiny"
    assert repr(load("tiny")) == "<fercomp.Model tiny: models/tiny>"
    with pytest.raises(FercompError, match="unknown model 'tinny': did you mean tiny"):
        load("tinny")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load("~/models/tiny").name == "tiny"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert isinstance(load(), Model)
    assert load().name == "shipped-large"
