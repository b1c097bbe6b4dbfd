"""One model's opinion of the labelled photos, and how much it counts."""

import json
import shutil

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams, RelabelParams
from fercomp.core.tables import LABELS, PHOTOS, oof_table, pred_probs
from fercomp.labels.relabel import relabel
from fercomp.modeling.bundle.card import CARD, HOLDOUT, OOF, read_card
from fercomp.modeling.bundle.card_keys import REFIT_OF
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.opinion import by_heart, opinion_of

SHIPPED = CAME_ALONG["shipped"]


def ask(folder, workspace):
    return opinion_of(folder, workspace, MachineParams(cache_gb=1, device="cpu"))


def labelled(workspace):
    photos = PHOTOS.read(workspace.photos)
    return photos[photos["split"] != "test"].reset_index(drop=True)


def right(opinion, workspace):
    given = labelled(workspace)["emotion"].map(EMOTIONS.index).to_numpy()
    return pred_probs(opinion.table).argmax(axis=1) == given


def edit_card(folder, trained):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, "trained": {**card["trained"], **trained}}))


@pytest.mark.parametrize(("share", "accuracy"), [(0.0, 0.5), (0.3, 0.6), (0.9, 0.2), (1.0, 0.4)])
def test_by_heart_finds_what_share_of_labels_is_repeated(share, accuracy):
    rng = np.random.default_rng(0)
    n = 100_000
    repeats, is_right = rng.random(n) < share, rng.random(n) < accuracy
    assert by_heart(float((repeats | is_right).mean()), float(is_right.mean())) == pytest.approx(
        share, abs=0.01
    )


def test_a_network_that_is_no_better_on_what_it_has_learned_has_learned_nothing_by_heart():
    assert by_heart(0.4, 0.6) == by_heart(0.6, 0.6) == by_heart(1.0, 1.0) == 0


def test_a_model_counts_less_on_photos_that_it_has_learned(workspace):
    opinion = ask(workspace.bundle("tiny"), workspace)
    oof_table(EMOTIONS).write(opinion.table, workspace.root / "opinion.csv")
    held = (labelled(workspace)["split"] == "holdout").to_numpy()
    hits = right(opinion, workspace)
    assert hits[~held].mean() > hits[held].mean()
    assert (opinion.trust[held] == 1).all()
    expected = (1 - hits[~held].mean()) / (1 - hits[held].mean())
    np.testing.assert_allclose(opinion.trust[~held], expected, atol=1e-6)
    assert "tiny may have learned 63 of 72 labelled photos" in opinion.told[0]
    labels = relabel(PHOTOS.read(workspace.photos), opinion.table, {}, RelabelParams(), opinion.trust)
    LABELS.write(labels, workspace.labels)
    LABELS.read(workspace.labels)
    given = labels["emotion"].map(EMOTIONS.index).to_numpy()
    weight = 4 * opinion.trust
    expected = (1 + weight * pred_probs(opinion.table)[np.arange(72), given]) / (1 + weight)
    np.testing.assert_allclose(labels["quality"], expected, atol=1e-6)


def test_a_refit_has_learned_the_holdout_too(workspace):
    plain = ask(workspace.bundle("tiny"), workspace)
    edit_card(workspace.bundle("tiny"), {REFIT_OF: "another"})
    opinion = ask(workspace.bundle("tiny"), workspace)
    assert "72 of 72" in opinion.told[0]
    assert (opinion.trust < 1).all()
    assert plain.table.equals(opinion.table)


def test_an_ensemble_has_learned_what_its_networks_have(workspace, write_model):
    other = write_model(workspace.bundle("other"))
    shutil.copyfile(workspace.bundle("tiny") / HOLDOUT, other / HOLDOUT)
    build_ensemble("both", [workspace.bundle("tiny"), other], "equal", workspace)
    assert "both may have learned 63 of 72" in ask(workspace.bundle("both"), workspace).told[0]


@pytest.mark.slow
def test_the_shipped_model_counts_fully_on_photos_that_it_has_not_learned(workspace):
    opinion = ask(SHIPPED, workspace)
    assert right(opinion, workspace).mean() < read_card(SHIPPED).scores["accuracy"]
    assert (opinion.trust == 1).all()
    assert (
        "on 0.596 of its holdout; so what it says of them counts as 1 of what it says of others"
        in opinion.told[0]
    )


def test_a_copy_of_a_photo_that_was_learned_was_learned(workspace):
    photos = PHOTOS.read(workspace.photos)
    held = photos.index[photos["split"] == "holdout"][0]
    photos.loc[held, "duplicate_group"] = photos.loc[photos["split"] == "train", "duplicate_group"].iloc[0]
    PHOTOS.write(photos, workspace.photos)
    assert "64 of 72" in ask(workspace.bundle("tiny"), workspace).told[0]


def test_a_cross_validated_model_is_not_asked_again(workspace):
    photos = labelled(workspace)
    table = photos[["image_path", "emotion"]].assign(**dict.fromkeys(EMOTIONS, 1 / 9))
    oof_table(EMOTIONS).write(table, workspace.bundle("tiny") / OOF)
    opinion = ask(workspace.bundle("tiny"), workspace)
    assert opinion.trust == 1
    np.testing.assert_allclose(pred_probs(opinion.table), 1 / 9, atol=1e-6)
    assert "each photo is judged by a network that has not learned it" in opinion.told[0]


def test_a_model_that_was_taught_suggestions_is_told_of(workspace):
    params = read_card(workspace.bundle("tiny")).trained["params"]
    edit_card(workspace.bundle("tiny"), {"params": {**params, "labels": "weighted"}})
    assert "tiny learned suggested labels" in ask(workspace.bundle("tiny"), workspace).told[1]


def test_a_model_that_cannot_be_weighed_or_names_other_classes_is_one_line(workspace, write_model):
    with pytest.raises(FercompError, match=r"no score on a holdout.*or run `fercomp crossval`"):
        ask(write_model(workspace.bundle("unscored")), workspace)
    with pytest.raises(FercompError, match="knows the classes anger, sad; expected anger, contempt"):
        ask(write_model(workspace.bundle("two"), classes=("anger", "sad")), workspace)
