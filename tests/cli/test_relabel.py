"""`fercomp relabel` and training on what it suggests."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import LABELS, PHOTOS, oof_table
from fercomp.labels.journal import Journal, Verdict
from fercomp.modeling.bundle.card import read_card

TINY = ("--set", "train.size=32", "--set", "train.epochs=1", "--set", "train.batch_size=16")
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture
def crossvalidated(workspace):
    """The tiny workspace with an out-of-fold table that doubts two labels: the first two training photos."""
    photos = PHOTOS.read(workspace.photos)
    labelled = photos[photos["split"] != "test"]
    said = np.array(labelled["emotion"].tolist(), dtype=object)
    doubted = np.flatnonzero((labelled["split"] == "train").to_numpy())[:2]
    said[doubted] = "surprise"
    table = pd.DataFrame(0.9 * (said[:, None] == EMOTIONS) + 0.1 / 9, columns=list(EMOTIONS))
    table.insert(0, "image_path", labelled["image_path"].to_numpy())
    table.insert(1, "emotion", labelled["emotion"].to_numpy())
    workspace.oof.parent.mkdir()
    oof_table(EMOTIONS).write(table, workspace.oof)
    return workspace


def doubted(workspace):
    labels = LABELS.read(workspace.labels)
    return labels[labels["reason"] != ""]


def test_what_is_suggested_is_written_shown_and_drawn(crossvalidated, fercomp):
    code, out, err = fercomp("relabel", "--export-folders", "sorted")
    assert code == 0, err
    labels = LABELS.read(crossvalidated.labels)
    rows = doubted(crossvalidated)
    assert rows["suggested"].tolist() == ["surprise"] * 2
    assert len(labels) == 72
    assert (labels["quality"] < 0.3).sum() == 2
    assert "2 of 72 labels change (2.8%): 2 by the network" in out
    assert "0 pictures with several labels" in out
    assert out.endswith("Next: fercomp review\n")
    given = rows["emotion"].iloc[0]
    pairs = pd.read_csv(crossvalidated.relabel_report / "pairs.csv")
    assert pairs.iloc[0].tolist()[:3] == [given, "surprise", 2]
    with Image.open(crossvalidated.relabel_report / f"{given}-surprise.png") as sheet:
        assert sheet.width > 600
    name = rows["image_path"].iloc[0].replace("/", "_")
    assert (crossvalidated.root / "sorted" / "surprise" / name).is_file()


def test_without_cross_validation_it_says_what_to_do(workspace, fercomp):
    code, out, err = fercomp("relabel")
    assert (code, out) == (1, "")
    assert (
        "models/crossval/oof.csv not found: run `fercomp crossval`, or ask one model instead: --model NAME"
        in err
    )


def test_decisions_of_a_review_are_applied(crossvalidated, fercomp):
    fercomp("relabel")
    photos = PHOTOS.read(crossvalidated.photos).set_index("image_path")
    first, second = doubted(crossvalidated)["image_path"]
    with Journal(crossvalidated.reviewed) as journal:
        journal.append([Verdict(first, photos.loc[first, "sha1"], "fear")])
        journal.append([Verdict(second, photos.loc[second, "sha1"], "drop")])
    code, out, err = fercomp("relabel", "--export-folders", "sorted")
    assert code == 0, err
    rows = doubted(crossvalidated)
    assert rows["suggested"].tolist() == ["fear", ""]
    assert rows["reason"].tolist() == ["review", "review"]
    assert "1 photo dropped" in out
    assert "sorted: 71 photos" in out


def test_what_was_sorted_by_hand_is_applied(crossvalidated, fercomp):
    fercomp("relabel", "--export-folders", "sorted")
    path = doubted(crossvalidated)["image_path"].iloc[0]
    name = path.replace("/", "_")
    (crossvalidated.root / "sorted/surprise" / name).rename(crossvalidated.root / "sorted/fear" / name)
    code, out, err = fercomp("relabel", "--import-folders", "sorted", "--export-folders", "sorted")
    assert code == 0, err
    assert "sorted: 72 photos in class folders, 1 moved; 1 decision written to datasets/review.jsonl" in out
    labels = LABELS.read(crossvalidated.labels).set_index("image_path")
    assert labels.loc[path, ["suggested", "reason"]].tolist() == ["fear", "review"]
    assert out.endswith("sorted: 72 photos\nNext: fercomp review\n")
    code, out, err = fercomp("relabel", "--import-folders", "sorted")
    assert "0 moved; 0 decisions" in out


def test_what_was_sorted_by_hand_needs_no_network(workspace, fercomp):
    photos = PHOTOS.read(workspace.photos)
    moved = photos[photos["split"] == "train"].iloc[0]
    other = "fear" if moved["emotion"] != "fear" else "sad"
    (workspace.root / "mine" / other).mkdir(parents=True)
    shutil.copy(workspace.raw / moved["image_path"], workspace.root / "mine" / other)
    code, out, err = fercomp("relabel", "--import-folders", "mine")
    assert code == 0, err
    assert "no network was asked: `fercomp crossval`, or --model NAME, adds its word" in out
    assert "1 of 72 labels change" in out
    rows = doubted(workspace)
    assert rows[["image_path", "suggested", "reason"]].values.tolist() == [
        [moved["image_path"], other, "review"]
    ]


def test_dropping_needs_folders(crossvalidated, fercomp):
    code, out, err = fercomp("relabel", "--drop-removed")
    assert (code, out) == (1, "")
    assert "--drop-removed goes with --import-folders DIR" in err


def test_one_model_is_asked_once_and_counts_less_on_what_it_has_learned(workspace, fercomp):
    code, out, err = fercomp("relabel", "--model", "tiny")
    assert code == 0, err
    assert "tiny may have learned 63 of 72 labelled photos: right on " in out
    assert "asking tiny about 72 photos, once" in err
    first = workspace.labels.read_bytes()
    code, out, err = fercomp("relabel", "--model", "tiny")
    assert "asking" not in err
    assert workspace.labels.read_bytes() == first
    assert not workspace.oof.exists()


@pytest.mark.slow
def test_an_experiment_learns_what_was_suggested(crossvalidated, fercomp):
    fercomp("relabel")
    code, _, err = fercomp("train", "--name", "relabelled", *TINY, "--set", "train.labels=relabelled")
    assert code == 0, err
    path = doubted(crossvalidated)["image_path"].iloc[0]
    photos = PHOTOS.read(crossvalidated.photos).set_index("image_path")
    with Journal(crossvalidated.reviewed) as journal:
        journal.append([Verdict(path, photos.loc[path, "sha1"], "drop")])
    fercomp("relabel")
    code, _, err = fercomp("train", "--name", "weighted", *TINY, "--set", "train.labels=weighted")
    assert code == 0, err
    given, relabelled, weighted = (
        read_card(crossvalidated.bundle(name)).trained for name in ("tiny", "relabelled", "weighted")
    )
    assert len({trained["data_sha256"] for trained in (given, relabelled, weighted)}) == 3
    assert given["photos"] == relabelled["photos"] == weighted["photos"] + 1
    tables = [
        pd.read_csv(crossvalidated.bundle(name) / "holdout_probs.csv") for name in ("tiny", "relabelled")
    ]
    assert tables[0]["emotion"].equals(tables[1]["emotion"])


def test_labels_that_are_missing_or_old_are_one_line(crossvalidated, fercomp):
    learn = ("train", "--name", "new", *TINY, "--set", "train.labels=relabelled")
    code, _, err = fercomp(*learn)
    assert code == 1
    assert "datasets/labels.csv not found: run `fercomp crossval`, then `fercomp relabel`" in err
    fercomp("relabel")
    labels = LABELS.read(crossvalidated.labels)
    LABELS.write(labels.iloc[9:], crossvalidated.labels)
    code, _, err = fercomp(*learn)
    assert code == 1
    assert "run `fercomp relabel` again" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("group", "told"), [("experiments", True), ("relabelled", False)])
def test_an_experiment_where_dvc_would_miss_other_labels_is_told_of(workspace, fercomp, group, told):
    workspace.params.write_text(f"{group}: {{new: {{labels: relabelled}}}}")
    code, _, err = fercomp("train", "--name", "new")
    assert code == 1
    assert ("for experiments under `relabelled` only: move it there" in err) == told
    assert "datasets/labels.csv not found" in err
