"""`tests/tiny/`, which other rooms are tested with, is what the code writes today."""

import json
import zipfile

import openvino
import pandas as pd
import pytest

from fercomp.core.paths import Workspace
from fercomp.modeling.backend.keras_file import load_keras
from fercomp.modeling.bundle.card import CARD, GRAPH, KERAS_MODEL
from tests.make_tiny import TINY

AGAIN = "make it again: python -m tests.make_tiny"


def files(workspace):
    return {
        path.relative_to(workspace.root).as_posix() for path in workspace.root.rglob("*") if path.is_file()
    }


def shape(value):
    """The keys of a JSON value, and what kind its values are of."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


@pytest.fixture(scope="module")
def shipped():
    return Workspace(TINY)


@pytest.mark.slow
def test_it_has_the_same_files(shipped, trained_workspace):
    assert files(shipped) == files(trained_workspace), AGAIN


@pytest.mark.slow
def test_its_tables_have_the_same_columns_and_rows(shipped, trained_workspace):
    for name in sorted(files(shipped)):
        if name.endswith(".csv"):
            old, new = pd.read_csv(shipped.root / name), pd.read_csv(trained_workspace.root / name)
            assert old.columns.tolist() == new.columns.tolist(), f"{name}: {AGAIN}"
            assert old.dtypes.tolist() == new.dtypes.tolist(), f"{name}: {AGAIN}"
            if not name.endswith("history.csv"):
                assert len(old) == len(new), f"{name}: {AGAIN}"


@pytest.mark.slow
def test_its_card_has_the_same_fields_and_came_about_likewise(shipped, trained_workspace):
    old, new = (json.loads((w.bundle("tiny") / CARD).read_text()) for w in (shipped, trained_workspace))
    assert shape(old) == shape(new), AGAIN
    for card in (old, new):
        card["trained"]["params"].pop("epochs")
    assert old["trained"]["params"] == new["trained"]["params"], AGAIN
    assert old["margin"] == pytest.approx(new["margin"], abs=0.02)
    same = ("name", "backbone", "classes", "head", "size", "runtime", "format")
    assert {key: old[key] for key in same} == {key: new[key] for key in same}, AGAIN


@pytest.mark.slow
def test_its_network_is_the_same_layer_by_layer(shipped, trained_workspace):
    old, new = (load_keras(w.bundle("tiny") / KERAS_MODEL) for w in (shipped, trained_workspace))
    layers = [[(type(x).__name__, x.name, x.output.shape) for x in model.layers] for model in (old, new)]
    assert layers[0] == layers[1], AGAIN
    assert [w.shape for w in old.weights] == [w.shape for w in new.weights], AGAIN
    packed = [
        zipfile.ZipFile(w.bundle("tiny") / KERAS_MODEL).namelist() for w in (shipped, trained_workspace)
    ]
    assert packed[0] == packed[1], AGAIN


@pytest.mark.slow
def test_its_graph_takes_and_gives_the_same(shipped, trained_workspace):
    graphs = [openvino.Core().read_model(w.bundle("tiny") / GRAPH) for w in (shipped, trained_workspace)]
    told = [
        [(end.get_element_type(), end.get_partial_shape()) for end in (*graph.inputs, *graph.outputs)]
        for graph in graphs
    ]
    assert told[0] == told[1], AGAIN
