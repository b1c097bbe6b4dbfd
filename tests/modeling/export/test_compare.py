"""A graph is compared with its network on photos, and what came of it is on the card."""

import json
import shutil

import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import CARD, GRAPH, KERAS_MODEL, Card, read_card
from fercomp.modeling.bundle.graph_check import GraphCheck, worst_check
from fercomp.modeling.bundle.model_card import model_card
from fercomp.modeling.export import compare
from fercomp.modeling.export.compare import checked_graph


@pytest.fixture
def photos(workspace):
    return PHOTOS.read(workspace.photos)


def unchecked(folder):
    return read_card(folder).model_copy(update={"graph": None})


def test_all_photos_are_compared_where_there_are_few(workspace, photos):
    folder = workspace.bundle("tiny")
    card = checked_graph(folder, unchecked(folder), photos, workspace.raw)
    labelled = int((photos["split"] != "test").sum())
    assert (card.graph.photos, card.graph.same_class) == (labelled, labelled)
    assert 0 < card.graph.largest < 1e-5
    assert card.runtime == "openvino"
    assert checked_graph(folder, card, None, workspace.raw) is card, "compared once"


def test_of_many_photos_some_are_compared(workspace, photos, monkeypatch):
    monkeypatch.setattr(compare, "COMPARED", 10)
    folder = workspace.bundle("tiny")
    assert checked_graph(folder, unchecked(folder), photos, workspace.raw).graph.photos == 10


@pytest.fixture(scope="module")
def by_keras(tiny_bundle_folder):
    """The saved network of `tiny`, which takes half a second to load."""
    return compare.keras_network(tiny_bundle_folder / KERAS_MODEL, 32, 9)


@pytest.mark.parametrize(
    ("off", "precision", "device", "runtime"),
    [
        (1e-2, "float32", "cpu", "keras"),
        (5e-4, "float32", "cpu", "keras"),
        (5e-4, "float32", "gpu", "openvino"),
        (5e-3, "float32", "gpu", "keras"),
        (1e-2, "float16", "cpu", "openvino"),
        (3e-2, "float16", "gpu", "keras"),
    ],
)
def test_a_graph_that_is_too_far_off_is_not_used(
    workspace, photos, by_keras, monkeypatch, capfd, off, precision, device, runtime
):
    monkeypatch.setattr(compare, "keras_network", lambda *given: by_keras)
    network = compare.openvino_network
    monkeypatch.setattr(
        compare, "openvino_network", lambda *given: lambda faces: network(*given)(faces) + np.float32(off)
    )
    monkeypatch.setattr(compare, "device_of", lambda folder, wanted: wanted)
    folder = workspace.bundle("tiny")
    card = unchecked(folder)
    card.trained["inference"]["precision"] = precision
    checked = checked_graph(folder, card, photos, workspace.raw, device=device)
    assert checked.runtime == runtime
    told = capfd.readouterr().err
    if runtime == "keras":
        assert told.startswith(
            f"the exported graph of tiny differs by {off:.2g} at most on 72 photos; the sa"
        )
        assert told.endswith("is allowed; the bundle runs on Keras\n")
        assert checked.graph is None
    else:
        assert told == ""
        assert checked.graph.largest == pytest.approx(off, rel=0.1)


def test_a_graph_that_was_compared_with_nothing_is_no_check(workspace, photos, monkeypatch, capfd):
    monkeypatch.setattr(compare, "device_of", lambda folder, wanted: "gpu")

    def load(*given):
        raise MemoryError

    monkeypatch.setattr(compare, "keras_network", load)
    folder, card = workspace.bundle("tiny"), unchecked(workspace.bundle("tiny"))
    assert checked_graph(folder, card, photos, workspace.raw) is card
    assert "its graph was compared on noise alone" in capfd.readouterr().err


def test_the_card_and_the_page_say_it_and_older_cards_load(workspace):
    folder = workspace.bundle("tiny")
    check = read_card(folder).graph
    assert f"| exported graph | {check.told} |" in model_card(folder)
    values = json.loads((folder / CARD).read_text())
    assert set(values.pop("graph")) == {"photos", "largest", "same_class"}
    (folder / CARD).write_text(json.dumps({**values, "format": 4}))
    assert read_card(folder).graph is None
    assert "exported graph" not in model_card(folder)


@pytest.mark.parametrize(
    "wrong",
    [
        {"photos": 0, "largest": 0.0, "same_class": 0},
        {"photos": 5, "largest": -1.0, "same_class": 5},
        {"photos": 5, "largest": 0.0, "same_class": 6},
        {"photos": 5, "largest": "much", "same_class": 5},
        {"photos": 5, "largest": 0.0},
        [],
    ],
)
def test_a_check_that_cannot_be_is_refused(workspace, wrong):
    folder = workspace.bundle("tiny")
    (folder / CARD).write_text(json.dumps({**json.loads((folder / CARD).read_text()), "graph": wrong}))
    with pytest.raises(FercompError, match=r"card\.json is damaged \(graph"):
        read_card(folder)


def test_an_ensemble_is_as_true_as_its_worst_graph():
    one, other = (
        GraphCheck(photos=256, largest=1e-6, same_class=256),
        GraphCheck(photos=72, largest=2e-5, same_class=70),
    )
    assert worst_check([one, other]) == GraphCheck(photos=72, largest=2e-5, same_class=70)
    more = GraphCheck(photos=181, largest=1e-6, same_class=181)  # a rate of 1, too, of other photos
    assert worst_check([one, more]) == worst_check([one, one])
    assert worst_check([more, one]) == more
    assert worst_check([one, None]) is worst_check([]) is None
    points = GraphCheck(photos=9, largest=0.0, same_class=None)
    assert points.told == "differs by 0 at most on 9 photos"


def test_a_network_without_a_graph_is_not_compared(workspace, photos):
    folder = workspace.bundle("tiny")
    shutil.rmtree((folder / GRAPH).parent)
    card = Card.model_validate({**unchecked(folder).model_dump(), "runtime": "keras"})
    assert checked_graph(folder, card, photos, workspace.raw) is card
