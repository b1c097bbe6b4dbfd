"""The model card: what people read of a model."""

import json

import pytest

from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.integrity import write_card
from fercomp.modeling.bundle.kind import PhotoKind
from fercomp.modeling.bundle.model_card import MODEL_CARD, model_card

SHIPPED = CAME_ALONG["shipped"]

SCORES = {"n": 3088, "accuracy": 0.596, "macro_f1": 0.468}


def test_the_shipped_one_says_that_it_learned_from_a_stand_in():
    page = model_card(SHIPPED)
    assert page == (SHIPPED / MODEL_CARD).read_text(encoding="utf-8")
    assert "a stand-in for the competition, 21,609 grey faces of 48 by 48 pixels" in page
    assert "| holdout accuracy | 0.5962 (95 % interval 0.579 to 0.613, 3,088 photos) |" in page
    assert "scores are of | the network before it learned from the holdout, too" in page
    assert "must not be used for decisions about people" in page


def test_it_stands_beside_each_card(tmp_path, write_model):
    folder = write_model(tmp_path / "mine", scores=SCORES)
    write_card(folder, read_card(folder).model_copy(update={"trained": {"photos": 18521}}))
    page = (folder / MODEL_CARD).read_text(encoding="utf-8")
    assert page.startswith("# mine\n") and page == model_card(folder)
    assert "| learned from | 18,521 labelled photos |" in page
    assert "stand-in" not in page and "{" not in page
    kind = PhotoKind(photos=900, side=371, mean={"colour": (31.0,)}, spread={"colour": (9.0,)})
    write_card(folder, read_card(folder).model_copy(update={"kind": kind}))
    assert "18,521 labelled photos, colour faces of 371 pixels |" in (folder / MODEL_CARD).read_text()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scores": {}}, "| scores | none on the card |"),
        ({"trained": {}}, "| learned from | not said on the card |"),
        ({"threshold": 0.25}, "| uncertain | said where the probability is below 0.25 |"),
        ({"bias": [0.5] * 9}, "| uncertain | one of the classes, weighed by a class bias |"),
        ({"trained": {"refit_of": "a"}}, "| scores are of | the network before"),
    ],
)
def test_it_says_what_the_card_says(tmp_path, write_model, changes, told):
    folder = write_model(tmp_path / "mine", scores=SCORES)
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | changes))
    assert told in model_card(folder)
