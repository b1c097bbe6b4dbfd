"""What changes cost a model: which photos are taken, what is counted, what is written where."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, ROBUSTNESS, UNCHANGED
from fercomp.data.inputs import read_faces
from fercomp.decisions.metrics import wilson_interval
from fercomp.faces.changes import changed
from fercomp.modeling.bundle.card import CARD, HOLDOUT
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.stages.robustness import CONDITIONS, holdout_photos, measure_robustness

SHIPPED = CAME_ALONG["shipped"]


def with_card(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


@pytest.fixture
def undrawn(monkeypatch):
    """Leaves the picture out, which takes longer than all else."""
    monkeypatch.setattr("fercomp.stages.robustness.plot_robustness", lambda *_: None)


@pytest.mark.slow
def test_it_counts_right_answers_of_one_look_at_changed_photos(workspace):
    folder = workspace.bundle("tiny")
    with_card(folder, flip=True, views=True)
    measured = measure_robustness(folder, workspace, 500)
    holdout = PHOTOS.read(workspace.photos).query("split == 'holdout'")
    faces = read_faces(workspace.raw, holdout["image_path"].tolist(), 32)
    right = {}
    for change, strength in CONDITIONS:
        seen = changed(faces, change, strength, np.random.default_rng((0, 0)))
        answers = load_bundle(folder).predict(seen, mirrored=np.zeros(len(seen), bool)).argmax(axis=1)
        right[change, strength] = (holdout["emotion"].map(EMOTIONS.index) == answers).mean()
    table = ROBUSTNESS.read(folder / "robustness.csv")
    keys = list(zip(table["change"], table["strength"], strict=True))
    assert keys == list(CONDITIONS) == list(right)
    assert table["accuracy"].tolist() == pytest.approx(list(right.values()), abs=1e-6)
    assert len(set(table["accuracy"])) > 2
    assert set(table["n"]) == {len(holdout)}
    low, high = wilson_interval(right[UNCHANGED, 0.0], len(holdout))
    assert table.loc[0, ["accuracy_low", "accuracy_high"]].tolist() == pytest.approx([low, high], abs=1e-6)
    assert measured.folder == folder
    assert measured.told == ""
    with Image.open(folder / "robustness.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    assert "## Robustness" in (folder / MODEL_CARD).read_text()


@pytest.mark.usefixtures("undrawn")
def test_batches_do_not_count_and_how_long_it_takes_is_said(workspace, monkeypatch, capsys):
    monkeypatch.setattr("fercomp.core.timing.TOLD", 1e9)
    whole = measure_robustness(workspace.bundle("tiny"), workspace, 500).table
    assert "look" not in capsys.readouterr().err
    monkeypatch.setattr("fercomp.stages.robustness.BATCH", 4)
    monkeypatch.setattr("fercomp.core.timing.TOLD", 0.0)
    parts = measure_robustness(workspace.bundle("tiny"), workspace, 500).table
    without_chance = ~whole["change"].isin(["roll", "yaw", "noise", "cover"])
    pd.testing.assert_frame_equal(whole[without_chance], parts[without_chance])
    assert re.search(r"252 looks at 9 photos: about \d+ s on this CPU", capsys.readouterr().err)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files_and_a_second_run_takes_their_place(workspace):
    folder, files = workspace.bundle("tiny"), ("robustness.csv", "robustness.png", MODEL_CARD)
    measure_robustness(folder, workspace, 5)
    first = [(folder / name).read_bytes() for name in files]
    measure_robustness(folder, workspace, 5)
    assert first == [(folder / name).read_bytes() for name in files]
    other = measure_robustness(folder, workspace, 5, seed=1)
    assert first[0] != (folder / "robustness.csv").read_bytes()
    assert other.table["n"].unique().tolist() == [5]


def test_each_class_has_its_share_of_the_photos(workspace):
    photos = PHOTOS.read(workspace.photos)
    counts = {"happy": 36, "sad": 18, "fear": 6}
    photos.loc[photos["split"] == "holdout", "split"] = "train"
    photos.loc[:59, "split"] = "holdout"
    photos.loc[:59, "emotion"] = np.random.default_rng(0).permutation(np.repeat(list(counts), [36, 18, 6]))
    photos.loc[:59, "fold"] = 0
    PHOTOS.write(photos, workspace.photos)
    chosen = holdout_photos(workspace, 20, seed=0)
    assert chosen["emotion"].value_counts().to_dict() == {"happy": 12, "sad": 6, "fear": 2}
    assert chosen.index.is_monotonic_increasing
    pd.testing.assert_frame_equal(chosen, holdout_photos(workspace, 20, seed=0))
    assert set(chosen.index) != set(holdout_photos(workspace, 20, seed=1).index)
    assert holdout_photos(workspace, 500, seed=0).index.tolist() == list(range(60))


@pytest.mark.usefixtures("undrawn")
def test_a_model_that_has_learned_the_photos_is_told_so(workspace, write_model):
    folder, only = workspace.bundle("tiny"), "only the differences count"
    table = (folder / HOLDOUT).read_text().splitlines()
    (folder / HOLDOUT).write_text("\n".join(table[:-2]) + "\n")
    told = measure_robustness(folder, workspace, 500).told
    assert told == f"tiny may have learned from 2 photos of {len(table) - 1}: {only}"
    (folder / HOLDOUT).unlink()
    told = measure_robustness(folder, workspace, 3).told
    assert told == f"tiny has no holdout_probs.csv and may have learned from these photos: {only}"
    again = write_model(workspace.bundle("again"), trained={"refit_of": "tiny"})
    told = measure_robustness(again, workspace, 3).told
    assert told == f"again has learned from its holdout: {only}"
    assert "It has learned from these photos: only the differences count." in (again / MODEL_CARD).read_text()


@pytest.mark.slow
def test_nothing_is_written_into_the_package(workspace):
    before = {path: path.stat().st_mtime_ns for path in SHIPPED.rglob("*")}
    measured = measure_robustness(SHIPPED, workspace, 3)
    assert before == {path: path.stat().st_mtime_ns for path in SHIPPED.rglob("*")}
    files = sorted(path.name for path in workspace.bundle("shipped").iterdir())
    assert files == ["robustness.csv", "robustness.png"]
    assert measured.told.startswith("shipped has learned from its holdout")


@pytest.mark.usefixtures("undrawn")
def test_a_model_that_lacks_a_class_and_an_ensemble_of_two_sizes(workspace, write_model):
    eight = write_model(workspace.bundle("eight"), classes=EMOTIONS[:-1], threshold=0.2)
    assert len(measure_robustness(eight, workspace, 500).table) == len(CONDITIONS)
    both = workspace.bundle("both")
    for name, size in (("small", 24), ("large", 40)):
        write_model(both / "members" / name, size=size, seed=size)
    card = json.loads((both / "members" / "small" / CARD).read_text())
    members = [{"name": "small", "weight": 0.5}, {"name": "large", "weight": 0.5}]
    (both / CARD).write_text(json.dumps({**card, "name": "both", "members": members, "files": {}}))
    table = measure_robustness(both, workspace, 500).table
    assert table["accuracy"].between(0, 1).all()


def test_what_is_in_the_way_is_told_before_anything_is_measured(workspace):
    (workspace.bundle("tiny") / "robustness.png").mkdir()
    with pytest.raises(FercompError, match=r"robustness\.png is a folder, a file was expected: move it away"):
        measure_robustness(workspace.bundle("tiny"), workspace, 5)
    assert not (workspace.bundle("tiny") / "robustness.csv").exists()


def test_what_is_missing_is_one_line(workspace, tmp_path):
    folder = workspace.bundle("tiny")
    photos = PHOTOS.read(workspace.photos)
    shutil.move(workspace.raw, tmp_path / "elsewhere")
    with pytest.raises(FercompError, match=r"^the holdout photos are not in datasets/raw: `fercomp fetch`"):
        measure_robustness(folder, workspace, 5)
    photos.loc[photos["split"] == "holdout", "split"] = "train"
    PHOTOS.write(photos, workspace.photos)
    with pytest.raises(FercompError, match=r"photos\.csv lists no holdout photo: run `fercomp prepare`"):
        measure_robustness(folder, workspace, 5)
    with pytest.raises(FercompError, match=r"photos\.csv not found: run `fercomp prepare`"):
        measure_robustness(folder, Workspace(tmp_path / "elsewhere"), 5)
    assert not (folder / "robustness.csv").exists()
