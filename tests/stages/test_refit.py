import json
import shutil

import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import LABELS, PHOTOS
from fercomp.modeling.bundle.card import CARD, DECISION, HISTORY_FILE, HOLDOUT, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.refit import best_epochs, refit
from fercomp.stages.train import is_trained, train_experiment

TINY = Plan(train=TrainParams(size=32, epochs=3, batch_size=16, seed=1))
MACHINE = MachineParams()
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture(scope="module")
def trained(shallow, tiny_workspace, tmp_path_factory):
    """A workspace in which `first` was trained."""
    root = tmp_path_factory.mktemp("first") / "workspace"
    shutil.copytree(tiny_workspace.root, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        train_experiment("first", TINY, Workspace())
    return Workspace(root)


@pytest.fixture
def first(workspace, trained):
    """Copies that network into the workspace; its card."""
    return read_card(shutil.copytree(trained.bundle("first"), workspace.bundle("first")))


def history(*rows):
    return pd.DataFrame(rows, columns=["phase", "holdout_loss"])


@pytest.mark.slow
def test_a_network_learns_from_the_holdout_too(workspace, first):
    card = refit(workspace.bundle("first"), "all", workspace, MACHINE)
    photos = PHOTOS.read(workspace.photos)
    labelled = photos[photos["split"] != "test"]
    assert card.trained["photos"] == len(labelled) > first.trained["photos"]
    assert (card.name, card.trained["refit_of"]) == ("all", "first")
    for field in ("scores", "temperature", "margin", "classes", "flip", "views", "size"):
        assert getattr(card, field) == getattr(first, field), field
    old, new = workspace.bundle("first"), workspace.bundle("all")
    assert (new / HOLDOUT).read_bytes() == (old / HOLDOUT).read_bytes()
    epochs = pd.read_csv(old / HISTORY_FILE)["holdout_loss"].argmin() + 1
    assert len(pd.read_csv(new / HISTORY_FILE)) == card.trained["best_epoch"] == epochs
    assert pd.read_csv(new / HISTORY_FILE)["holdout_accuracy"].isna().all()
    assert not (workspace.training / "all.npz").exists()
    paths = labelled["image_path"].tolist()
    answers = [predict_photos(load_bundle(folder), workspace.raw, paths) for folder in (old, new)]
    assert not np.allclose(*answers)


@pytest.mark.slow
def test_the_learning_rate_takes_the_course_that_it_took(workspace, first):
    refit(workspace.bundle("first"), "all", workspace, MACHINE)
    rates = [pd.read_csv(workspace.bundle(name) / HISTORY_FILE)["learning_rate"] for name in ("first", "all")]
    np.testing.assert_allclose(rates[1], rates[0].iloc[: len(rates[1])], rtol=0.2)


@pytest.mark.slow
def test_the_decision_is_taken_over_and_networks_may_be_joined(workspace, first):
    folder = workspace.bundle("first")
    found = {"threshold": 0.4, "threshold_on": "margin", "fitted_on": HOLDOUT, "scores": {"accuracy": 0.5}}
    (folder / DECISION).write_text(json.dumps(found))
    (folder / HOLDOUT).rename(folder / "holdout.csv")  # as an earlier version has called it
    card = refit(folder, "all", workspace, MACHINE)
    assert (workspace.bundle("all") / HOLDOUT).read_bytes() == (folder / "holdout.csv").read_bytes()
    assert (card.threshold, card.threshold_on, card.scores["accuracy"]) == (0.4, "margin", 0.5)
    together = build_ensemble("both", [workspace.bundle("all"), workspace.bundle("tiny")], "equal", workspace)
    assert [member.name for member in together.members] == ["all", "tiny"]
    assert together.trained["refit_of"] == {"all": "first"}


@pytest.mark.slow
def test_photos_of_the_holdout_are_taught_as_what_relabel_suggests(workspace):
    labelled = PHOTOS.read(workspace.photos).query("split != 'test'")
    held_out = labelled.index[labelled["split"] == "holdout"]
    suggested = labelled["emotion"].where(labelled.index != held_out[0], "")  # a reviewer dropped this one
    shares = dict.fromkeys(EMOTIONS, 1 / 9)
    table = labelled.assign(suggested=suggested, quality=0.5, reason="", **shares)
    LABELS.write(table, workspace.labels)
    train_experiment("weighted", TINY.changed(labels="weighted", epochs=1), workspace)
    assert (
        refit(workspace.bundle("weighted"), "all", workspace, MACHINE).trained["photos"] == len(labelled) - 1
    )


@pytest.mark.slow
def test_the_teacher_is_asked_about_the_holdout_too(workspace):
    train_experiment("pupil", TINY.changed(teacher="tiny", epochs=1), workspace)
    assert refit(workspace.bundle("pupil"), "all", workspace, MACHINE).trained["params"]["teacher"] == "tiny"


@pytest.mark.slow
def test_a_student_of_a_refit_is_told_that_its_scores_are_not_honest(workspace, first, capfd):
    refit(workspace.bundle("first"), "all", workspace, MACHINE)
    for teacher, told in (("first", False), ("all", True)):
        train_experiment("student", TINY.changed(teacher=teacher, epochs=1), workspace)
        assert ("has learned from the holdout" in capfd.readouterr().err) == told


def test_epochs_of_each_phase():
    found = best_epochs(history(("head", 2.3), ("head", 2.1), ("head", 2.1), ("whole", 1.5), ("whole", 1.6)))
    assert list(found.items()) == [("head", 2), ("whole", 1)]
    assert best_epochs(history(("head", 2.3), ("head", 1.6), ("whole", 1.7))) == {"head": 2}


@pytest.mark.slow
def test_the_loss_says_how_long_to_learn(workspace, first):
    path = workspace.bundle("first") / HISTORY_FILE
    table = pd.read_csv(path)
    table.assign(holdout_loss=[1.5, 1.4, 1.6], holdout_accuracy=[0.5, 0.4, 0.6]).to_csv(path, index=False)
    assert refit(workspace.bundle("first"), "all", workspace, MACHINE).trained["best_epoch"] == 2


def test_what_cannot_be_trained_again_is_one_line(workspace, write_model):
    folder = shutil.copytree(workspace.bundle("tiny"), workspace.bundle("first"))
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, "name": "first"}))
    with pytest.raises(FercompError, match="would take the place"):
        refit(folder, "first", workspace, MACHINE)
    with pytest.raises(FercompError, match=r"history\.csv: refit a model that `fercomp train` wrote"):
        refit(write_model(workspace.bundle("foreign")), "all", workspace, MACHINE)
    build_ensemble("both", [folder, workspace.bundle("tiny")], "equal", workspace)
    with pytest.raises(FercompError, match="refit its networks first, tiny, then"):
        refit(workspace.bundle("both"), "all", workspace, MACHINE)
    text = (folder / HISTORY_FILE).read_text()
    (folder / HISTORY_FILE).write_text("epoch\n1\n")
    with pytest.raises(FercompError, match=r"history\.csv lacks the columns .*: train the model again"):
        refit(folder, "all", workspace, MACHINE)
    (folder / HISTORY_FILE).write_text(text)
    card = json.loads((folder / CARD).read_text())
    for changed, words in (({"epochs": -1}, "another version"), ({"loss": "elr"}, "elr was removed")):
        params = {**card["trained"]["params"], **changed}
        (folder / CARD).write_text(json.dumps({**card, "trained": {**card["trained"], "params": params}}))
        with pytest.raises(FercompError, match=words):
            refit(folder, "all", workspace, MACHINE)
    card["trained"] |= {"refit_of": "other"}
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(FercompError, match="all photos already"):
        refit(folder, "all", workspace, MACHINE)
    assert not workspace.bundle("all").exists()
    assert read_card(folder).name == "first"


@pytest.mark.slow
def test_a_facenet_of_an_earlier_version_answers_but_is_not_trained_on(workspace, first):
    folder = workspace.bundle("first")
    card = json.loads((folder / CARD).read_text()) | {"backbone": "facenet"}
    params = card["trained"]["params"] | {"backbone": "facenet"}
    photos = PHOTOS.read(workspace.photos)

    def write(**changes):
        trained = card["trained"] | {"params": params | changes}
        (folder / CARD).write_text(json.dumps(card | {"trained": trained}))

    write(grey=False)
    plan = TINY.changed(backbone="facenet")
    assert is_trained(folder, plan, photos, workspace)
    del params["grey"]  # which came together with the whole of `facenet`
    write()
    assert not is_trained(folder, plan, photos, workspace)
    with pytest.raises(FercompError, match=r"an earlier fercomp cut it.*can only be trained anew"):
        refit(folder, "all", workspace, MACHINE)
    assert predict_photos(load_bundle(folder), workspace.raw, photos["image_path"][:3].tolist()).shape == (
        3,
        9,
    )
    del card["grey"]
    params["backbone"] = card["backbone"] = "compact"
    write()
    assert refit(folder, "all", workspace, MACHINE).grey is False
