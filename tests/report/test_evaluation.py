import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.modeling.card import read_card
from fercomp.report.evaluation import evaluate_model


def test_files_agree_with_the_card_and_with_each_other(workspace):
    folder = workspace.bundle("tiny")
    scores, by_class = evaluate_model(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == scores.rounded()
    card = read_card(folder)
    assert metrics["accuracy"] == card.scores["accuracy"]
    counts = pd.read_csv(folder / "confusion.csv", index_col="emotion")
    assert counts.index.tolist() == counts.columns.tolist() == list(EMOTIONS)
    assert np.trace(counts.to_numpy()) / counts.to_numpy().sum() == pytest.approx(scores.accuracy)
    assert by_class["photos"].tolist() == counts.sum(axis=1).tolist()
    for name in ("confusion", "reliability", "history"):
        with Image.open(folder / f"{name}.png") as picture:
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10, f"{name}.png is blank"


def test_the_same_model_gives_the_same_files(workspace):
    folder = workspace.bundle("tiny")
    evaluate_model(folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    evaluate_model(folder)
    assert first == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_bundle_without_a_holdout_table_is_one_line(workspace):
    (workspace.bundle("tiny") / "holdout.csv").unlink()
    with pytest.raises(FercompError, match=r"holdout\.csv not found: run `fercomp train`"):
        evaluate_model(workspace.bundle("tiny"))


def test_a_label_unknown_to_the_model_is_one_line(workspace):
    table = workspace.bundle("tiny") / "holdout.csv"
    header, first, *rest = table.read_text().splitlines()
    path, _, *shares = first.split(",")
    table.write_text("\n".join([header, ",".join([path, "joy", *shares]), *rest]))
    with pytest.raises(FercompError, match="unknown to the model"):
        evaluate_model(workspace.bundle("tiny"))
