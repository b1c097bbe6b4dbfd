"""Photos of another kind than a model has learned from are said to be so, and no others."""

import json

import cv2
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS
from fercomp.data.inputs import read_faces
from fercomp.modeling.bundle.card import CARD, DECISION, FORMAT, HOLDOUT, read_card
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.holdout import add_kind
from fercomp.modeling.bundle.kind import (
    WIDTHS,
    Compared,
    PhotoKind,
    answer_traits,
    evenly,
    kind_of,
    other_kind,
    seen_traits,
)
from tests.drawn import draw_face


@pytest.fixture(scope="module")
def photos(tiny_workspace):
    return PHOTOS.read(tiny_workspace.photos)


@pytest.fixture(scope="module")
def faces(tiny_workspace, photos):
    return read_faces(tiny_workspace.raw, photos["image_path"].tolist(), 48)


@pytest.fixture(scope="module")
def kind(tiny_workspace, photos):
    return kind_of(photos, tiny_workspace.raw, 48)


def test_it_says_what_was_looked_at(kind, photos):
    assert kind.photos == len(photos)
    assert kind.faces == f"colour faces of {kind.side} pixels"
    assert kind.side == np.median(photos[["width", "height"]].max(axis=1))
    assert {name: len(values) for name, values in kind.mean.items()} == {
        name: width for name, width in WIDTHS.items() if name != "confidence"
    }


def test_the_same_photos_are_no_others(kind, faces):
    assert other_kind(kind, faces) == ""
    assert max(abs(value) for value in kind.differences(seen_traits(faces)).values()) < 0.01


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda face: np.repeat(face.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8), "grey"),
        (lambda face: cv2.GaussianBlur(face, (0, 0), 3), "blurred"),
        (
            lambda face: cv2.copyMakeBorder(face, 40, 8, 40, 8, cv2.BORDER_REPLICATE)[::2, ::2],
            "framed otherwise",
        ),
    ],
)
def test_other_photos_are(kind, faces, change, word):
    changed = np.stack([cv2.resize(change(face), (48, 48), interpolation=cv2.INTER_AREA) for face in faces])
    line = other_kind(kind, changed)
    assert word in line
    assert "expect lower accuracy" in line and f"{kind.side} pixels" in line and "\n" not in line


def test_few_photos_say_nothing(kind, faces):
    grey = np.repeat(faces[:, :, :, :1], 3, axis=3)
    assert other_kind(kind, grey[:19]) == "" != other_kind(kind, grey[:20])
    assert other_kind(kind, faces[:0]) == ""
    assert other_kind(None, faces) == ""


def test_answers_count_too(kind, faces):
    sure = kind.with_traits(answer_traits(np.tile([0.9, 0.1], (50, 1))))
    assert "less sure than usual" in other_kind(sure, faces, np.full((len(faces), 2), 0.5))
    assert other_kind(sure, faces, np.tile([0.9, 0.1], (len(faces), 1))) == ""


def test_photos_that_come_in_batches_are_told_as_all_at_once(kind, faces):
    blurred = np.stack([cv2.GaussianBlur(face, (0, 0), 3) for face in faces])
    probabilities = np.full((len(faces), 9), 1 / 9)
    compared = Compared(kind)
    assert compared.told() == ""
    for start in range(0, len(faces), 7):
        compared.add(blurred[start : start + 7], probabilities[start : start + 7])
    assert compared.told() == other_kind(kind, blurred, probabilities) != ""


def test_photos_looked_at_are_spread_over_all():
    assert evenly(5).tolist() == [0, 1, 2, 3, 4]
    assert evenly(0).tolist() == []
    some = evenly(10_000, 200)
    assert (len(some), some[0], some[-1]) == (200, 0, 9_999)


def test_the_shipped_card_knows_its_photos():
    card = read_card(CAME_ALONG["shipped"])
    assert card.kind is not None
    assert card.kind.side == 48 and set(card.kind.mean) == set(WIDTHS)
    rng = np.random.default_rng(0)
    drawn = np.stack([draw_face("happy", rng, card.size) for _ in range(20)])
    line = other_kind(card.kind, drawn)
    assert "in colour" in line and "grey faces of 48 pixels" in line


def test_a_card_of_an_earlier_version_gains_it(workspace, photos):
    folder = workspace.bundle("tiny")
    before = json.loads((folder / CARD).read_text()) | {"kind": None, "format": 3}
    (folder / CARD).write_text(json.dumps(before))
    (folder / DECISION).write_text(json.dumps({"threshold": 0.3, "fitted_on": HOLDOUT, "scores": {}}))
    assert add_kind(folder, read_card(folder), photos, workspace.root / "gone").kind is None
    card = add_kind(folder, read_card(folder), photos, workspace.raw)
    after = json.loads((folder / CARD).read_text())
    assert after.pop("kind") is not None and read_card(folder) == card
    assert after.pop("format") == FORMAT
    assert after == {key: before[key] for key in after}, "the decision stays a file of its own"
    assert add_kind(folder, card, photos, workspace.root / "elsewhere") is card


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": {"colour": [1e300]}, "spread": {"colour": [1.0]}},
        {"mean": {"colour": [1.0]}, "spread": {}},
        {"mean": {"x": [1.0]}, "spread": {"x": [1.0]}},
    ],
)
def test_a_damaged_one_is_one_line(workspace, damage):
    path = workspace.bundle("tiny") / CARD
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"kind": {"photos": 5, "side": 48} | damage}))
    with pytest.raises(FercompError, match="damaged"):
        read_card(path.parent)


def test_numbers_are_rounded_and_finite():
    traits = seen_traits(np.zeros((3, 8, 8, 3), np.uint8))
    kind = PhotoKind(photos=3, side=8, mean={}, spread={}).with_traits(traits)
    assert all(np.isfinite(values).all() for values in kind.mean.values())
    assert kind.told(traits) == ""
