"""Commands say in one line that photos are of another kind than a model has learned from."""

import json

import pytest

from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.holdout import add_kind

TOLD = "these photos are of another kind (in colour, framed otherwise) than the grey faces of"


@pytest.fixture(params=[True, False], ids=["other", "same"])
def other(request, workspace):
    """Whether the model `tiny` says that it has learned from grey photos with all edges in one corner."""
    folder = workspace.bundle("tiny")
    add_kind(folder, read_card(folder), PHOTOS.read(workspace.photos), workspace.raw)
    if request.param:
        card = json.loads((folder / CARD).read_text())
        card["kind"]["mean"] |= {"colour": [0.0], "framing": [36.0] + [0.0] * 35}
        card["kind"]["spread"] |= {"colour": [0.0], "framing": [0.5] * 36}
        (folder / CARD).write_text(json.dumps(card))
    return request.param


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "--model", "tiny"),
        ("annotate", "datasets/raw", "--model", "tiny", "--detector", "whole"),
        ("doctor",),
    ],
    ids=lambda command: command[0],
)
def test_it_is_told_once_and_only_where_it_is_so(workspace, fercomp, monkeypatch, other, command):
    monkeypatch.setenv("COLUMNS", "400")
    photos = PHOTOS.read(workspace.photos)
    photos["split"] = "test"  # 20 are few for `framing`
    photos[["emotion", "fold"]] = ["", -1]
    PHOTOS.write(photos, workspace.photos)
    code, out, err = fercomp(*command)
    assert code == 0, err
    told = [line for line in (out + err).splitlines() if TOLD in line and "shipped" not in line]
    assert len(told) == other
