"""What is handed over in Python and is none of what was expected: told by us, not by what failed inside."""

import traceback
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import fercomp
from fercomp import FaceEmotionsModel, Faces, FercompError, FrameWithEmotion, Model, draw, load, read_image
from fercomp.annotate.options import Options

PACKAGE = Path(fercomp.__file__).parent


class BytesPath:
    def __fspath__(self):
        return b"photo.jpg"


GREY = np.full((64, 64, 3), 90, np.uint8)
TYPES = {
    "None": None,
    "a number": 3,
    "a fraction": 0.5,
    "true": True,
    "bytes": b"photo.jpg",
    "a path of bytes": BytesPath(),
    "a dictionary": {1: "a"},
    "a set": {1},
    "a tuple": (GREY,),
    "a list in a list": [[GREY]],
    "a list of nothing": [None],
    "a mixed list": [GREY, "photo.jpg", None],
    "a class": object,
    "a generator": (i for i in ()),
}
FILES = {
    "a folder": ".",
    "a folder's path": Path(),
    "nowhere": "nowhere.jpg",
    "no text": "",
    "a long name": "x" * 5_000,
    "a NUL": "a\0b",
    "a half character": "\udcff.jpg",
    "an unknown user": "~nosuchuser/x",
}
ARRAYS = {
    "floats": GREY / 255,
    "halves": GREY.astype(np.float16),
    "wider numbers": GREY.astype(np.int64),
    "signed": GREY.astype(np.int8),
    "flags": GREY > 0,
    "grey": GREY[..., 0],
    "grey with an axis": GREY[..., :1],
    "with alpha": np.dstack((GREY, GREY[..., :1])),
    "channels first": GREY.transpose(2, 0, 1),
    "several": GREY[None],
    "a row": GREY[0],
    "a pixel": GREY[0, 0],
    "no axis": np.array(3, np.uint8),
    "no rows": np.empty((0, 64, 3), np.uint8),
    "no columns": np.empty((64, 0, 3), np.uint8),
    "objects": GREY.astype(object),
    "text": np.array(["photo.jpg"]),
    "complex numbers": GREY.astype(complex),
    "records": np.zeros((8, 8, 3), [("a", np.uint8)]),
    "dates": GREY.astype("datetime64[s]"),
}
ANYTHING = {**TYPES, **FILES, **ARRAYS}
each_of = pytest.mark.parametrize


@pytest.fixture(scope="module")
def model(tiny_bundle_folder):
    return load(tiny_bundle_folder)


@pytest.fixture(scope="module")
def naming(tiny_bundle_folder):
    return FaceEmotionsModel(model=tiny_bundle_folder)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(function, *arguments, **named):
    """Calls a function, which must refuse in a line of ours; returns the line."""
    with pytest.raises((FercompError, TypeError, ValueError)) as caught:
        function(*arguments, **named)
    last = traceback.extract_tb(caught.tb)[-1]
    assert PACKAGE in Path(last.filename).parents, f"{caught.value!r} was raised in {last.filename}"
    text = str(caught.value)
    assert "\n" not in text
    assert "expected" in text or isinstance(caught.value, FercompError), text
    return text


@each_of("name", ANYTHING)
def test_no_picture(model, naming, name):
    value = ANYTHING[name]
    told(model.detect, [GREY, value])
    told(model.detect, value)
    told(naming, value)
    told(FrameWithEmotion(naming), value)
    told(FrameWithEmotion(naming).draw_emotion_frame, value, 1, 1, 30, 30)
    told(draw, value, model.detect(GREY))
    told(read_image, value)


@each_of("name", [*TYPES, *ARRAYS])
def test_no_paths(model, name):
    value = ANYTHING[name]
    if name == "a generator":  # of none
        assert len(model.predict(value)) == 0
    else:
        told(model.predict, value)
    told(model.predict, ["nowhere.jpg", value])


@each_of("name", FILES)
def test_no_photo(model, name):
    told(model.predict, FILES[name])
    told(model.predict, [FILES[name]])


@each_of("name", ANYTHING)
def test_no_model_and_no_options(model, tiny_bundle_folder, name):
    value = ANYTHING[name]
    told(Model, value)
    told(FrameWithEmotion, value)
    if value is not None:  # the model trained last, or the defaults
        told(load, value)
        told(FaceEmotionsModel, model=value)
        told(Model, model.bundle, value)
    told(load, tiny_bundle_folder, detector=value)
    if name not in ("None", "a number", "a fraction"):
        told(load, tiny_bundle_folder, min_score=value)
        told(load, tiny_bundle_folder, min_size=value)


@each_of(
    "number", [float("nan"), float("inf"), -1, -0.5, 10**400, Decimal(1), 1j, np.float32("nan")], ids=range(8)
)
def test_no_such_number(tiny_bundle_folder, number):
    told(load, tiny_bundle_folder, min_score=number)
    told(load, tiny_bundle_folder, detector="haar_alt", min_score=number)
    told(load, tiny_bundle_folder, min_size=number)
    told(Options, every=number)
    told(Options, end=number)


@each_of(
    "value",
    [None, "1", [1], np.array([1, 2]), float("nan"), float("inf"), 10**400, 1j, {}, True],
    ids=range(10),
)
@each_of("place", range(4))
def test_no_such_box(naming, place, value):
    box: list = [10, 10, 40, 40]
    box[place] = value
    picture = GREY.copy()
    told(FrameWithEmotion(naming).draw_emotion_frame, picture, *box)
    assert (picture == GREY).all()


@each_of("name", ANYTHING)
def test_no_faces(name):
    value = ANYTHING[name]
    boxes, scores = np.zeros((1, 4), np.float32), np.zeros(1, np.float32)
    told(draw, GREY, value)
    told(Faces, value, scores)
    told(Faces, boxes, value)
    if value is not None:
        told(Faces, boxes, scores, landmarks=value)
        told(Faces, boxes, scores, pred_probs=value, classes=("a",))


@each_of("number", [np.nan, np.inf, -np.inf])
def test_no_finite_box(model, number):
    boxes = np.array([(1, 2, 30, number)], np.float32)
    told(Faces, boxes, np.zeros(1, np.float32))
    told(replace, model.detect(GREY), boxes=boxes, scores=np.zeros(1, np.float32))


def test_faces_without_a_name():
    text = told(draw, GREY, Faces(np.zeros((1, 4), np.float32), np.zeros(1, np.float32)))
    assert text == "expected faces that have been named: `detect` of a model finds and names them"


def test_what_can_be_meant_is_taken(model, tiny_bundle_folder):
    assert model.detect([]) == []
    assert len(model.predict([])) == len(model.predict(iter(()))) == 0
    assert load(str(tiny_bundle_folder), min_score=np.float32(0.5), min_size=np.int64(20)).name == "tiny"
    read_only = GREY.copy()
    read_only.flags.writeable = False
    assert len(model.detect(read_only[::2, ::-2])) == 0
    for shape in ((1, 1, 3), (1, 500, 3), (500, 1, 3), (8, 8, 3), (17, 5000, 3)):
        picture = np.zeros(shape, np.uint8)
        assert draw(picture, model.detect(picture)).shape == shape
