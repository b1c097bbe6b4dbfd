import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.tables import holdout_table
from fercomp.data.inputs import read_face, read_faces
from fercomp.decisions.metrics import calibration_error
from fercomp.faces.tta import VIEWS
from fercomp.modeling.bundle.card import CARD, HOLDOUT, read_card
from fercomp.modeling.bundle.find import resolve_scored
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.evaluate import evaluate_model


def test_files_agree_with_the_card_and_with_each_other(workspace):
    folder = workspace.bundle("tiny")
    scores, by_class = evaluate_model(folder, workspace.raw)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics.pop("calibration_error_before") >= 0
    assert metrics == scores.rounded()
    card = read_card(folder)
    assert metrics["accuracy"] == card.scores["accuracy"]
    counts = pd.read_csv(folder / "confusion.csv", index_col="emotion")
    assert counts.index.tolist() == counts.columns.tolist() == list(EMOTIONS)
    assert np.trace(counts.to_numpy()) / counts.to_numpy().sum() == pytest.approx(scores.accuracy)
    assert by_class["photos"].tolist() == counts.sum(axis=1).tolist()
    for name in ("confusion", "per_class", "reliability", "history", "mistakes"):
        with Image.open(folder / f"{name}.png") as picture:
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10, f"{name}.png is blank"


def test_the_calibration_error_before_is_that_of_the_network_itself(workspace):
    """Undoing the temperature of the rounded table gives what a bundle without temperature answers."""
    folder = workspace.bundle("tiny")
    card = json.loads((folder / CARD).read_text())
    evaluate_model(folder, workspace.raw)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / CARD).write_text(json.dumps({**card, "temperature": 1.0}))
    table = holdout_table(EMOTIONS).read(folder / HOLDOUT)
    faces = read_faces(workspace.raw, table["image_path"].tolist(), 32)
    raw_probs = load_bundle(folder).answer(faces, views=len(VIEWS)).pred_probs
    labels = table["emotion"].map(EMOTIONS.index).to_numpy()
    assert metrics["calibration_error_before"] == pytest.approx(
        calibration_error(raw_probs, labels), abs=1e-4
    )
    assert metrics["calibration_error_before"] != pytest.approx(metrics["calibration_error"], abs=1e-3)


def sheet(monkeypatch, folder, raw):
    """Returns what is drawn on the sheet of mistakes."""
    drawn = []
    monkeypatch.setattr("fercomp.stages.evaluate.plot_sheet", lambda *arguments: drawn.append(arguments))
    evaluate_model(folder, raw)
    return drawn[0]


def test_the_surest_mistakes_come_first_and_photos_that_are_gone_are_left_out(workspace, monkeypatch):
    path = workspace.bundle("tiny") / HOLDOUT
    table = holdout_table(EMOTIONS).read(path)
    surest_last = np.round(np.linspace(0.3, 0.9, len(table)), 2)
    table[list(EMOTIONS)] = np.repeat((1 - surest_last[:, None]) / 8, len(EMOTIONS), axis=1)
    table[EMOTIONS[0]] = surest_last
    holdout_table(EMOTIONS).write(table, path)
    wrong = table[table["emotion"] != EMOTIONS[0]].iloc[::-1]
    (workspace.raw / wrong["image_path"].iloc[0]).unlink()
    faces, captions, title, _ = sheet(monkeypatch, path.parent, workspace.raw)
    assert captions == [
        f"{Path(row['image_path']).name}\n{row['emotion']}\n→ {EMOTIONS[0]} {row[EMOTIONS[0]]:.2f}"
        for _, row in wrong.iloc[1:].iterrows()
    ]
    for face, name in zip(faces, wrong["image_path"].iloc[1:], strict=True):
        np.testing.assert_array_equal(face, read_face(workspace.raw / name, face.shape[0]))
    assert title.startswith(f"tiny: {len(faces)} surest of {len(wrong)} mistakes")


@pytest.mark.slow
def test_without_photos_there_is_no_sheet_of_mistakes(workspace, capsys):
    folder = workspace.bundle("tiny")
    evaluate_model(folder, workspace.raw)
    evaluate_model(folder, workspace.root / "elsewhere")
    assert not (folder / "mistakes.png").exists(), "the sheet of an earlier evaluation"
    assert "no mistakes.png: the holdout photos are not in elsewhere" in capsys.readouterr().err


def test_a_model_without_mistakes_or_history(workspace, monkeypatch):
    """An ensemble has no history; a perfect model still has the sheet that DVC expects."""
    folder = workspace.bundle("tiny")
    table = holdout_table(EMOTIONS).read(folder / HOLDOUT)
    table[list(EMOTIONS)] = np.eye(9)[table["emotion"].map(EMOTIONS.index)] * 0.91 + 0.01
    holdout_table(EMOTIONS).write(table, folder / HOLDOUT)
    history = folder / "history.csv"
    lines = history.read_text().splitlines()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for text, told in {
        "": "is not a CSV table",
        "epoch,loss\n1,abc": "lacks the columns",
        "\n".join([lines[0], lines[1].replace(",", ",x,", 1)]): "more values than columns",
        "epoch,phase,loss,accuracy,holdout_loss,holdout_accuracy\n1,head,abc,1,1,1": "of the wrong type",
        "epoch,phase,loss,accuracy,holdout_loss,holdout_accuracy\n1,head,inf,1,1,1": "a number was expected",
    }.items():
        history.write_text(text)
        with pytest.raises(FercompError, match=rf"history\.csv.* {told}.*: train the .* or remove the file"):
            evaluate_model(folder, workspace.raw)
        history.write_bytes(before["history.csv"])
        assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    history.unlink()
    faces, captions, title, _ = sheet(monkeypatch, folder, workspace.raw)
    assert (faces, captions, title) == ([], [], "tiny: no mistakes on the holdout")
    assert not (folder / "history.png").exists()


@pytest.mark.slow
def test_the_same_model_gives_the_same_files(workspace):
    folder = workspace.bundle("tiny")
    evaluate_model(folder, workspace.raw)
    first = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    evaluate_model(folder, workspace.raw)
    assert first == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_bundle_without_a_holdout_table_is_one_line(workspace):
    (workspace.bundle("tiny") / "holdout_probs.csv").unlink()
    with pytest.raises(FercompError, match=r"holdout_probs\.csv not found: run `fercomp train`"):
        evaluate_model(workspace.bundle("tiny"), workspace.raw)


def test_the_shipped_model_is_not_scored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FercompError, match=r"^no model of yours in models: run `fercomp train` \(the models"):
        resolve_scored(None, Workspace())
    with pytest.raises(FercompError, match=r"^the models .* cannot be scored here: `fercomp train`"):
        resolve_scored("shipped", Workspace())


def test_a_label_unknown_to_the_model_is_one_line(workspace):
    table = workspace.bundle("tiny") / "holdout_probs.csv"
    header, first, *rest = table.read_text().splitlines()
    path, _, *shares = first.split(",")
    table.write_text("\n".join([header, ",".join([path, "joy", *shares]), *rest]))
    with pytest.raises(FercompError, match="unknown to the model"):
        evaluate_model(workspace.bundle("tiny"), workspace.raw)
