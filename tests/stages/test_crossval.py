import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.locks import exclusive
from fercomp.core.params import Plan, TrainParams
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs
from fercomp.modeling.bundle.card import CARD, MEMBERS, OOF, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.training.teacher import kept_probs
from fercomp.stages.crossval import cross_validate

PLAN = Plan(train=TrainParams(size=16, epochs=1, batch_size=32, seed=7, labels="relabelled"))
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture
def photos(workspace):
    """The index with two folds."""
    table = PHOTOS.read(workspace.photos)
    table["fold"] = table["fold"].where(table["fold"] < 0, table["fold"] % 2)
    PHOTOS.write(table, workspace.photos)
    return table


@pytest.mark.slow
def test_every_photo_is_judged_by_a_network_that_has_not_seen_it(workspace, photos, capsys):
    with exclusive(workspace.training / "locks" / "cv-1", "taken"):  # as another process would
        assert cross_validate("cv", PLAN, workspace) is None
    assert "another process is at fold 1" in capsys.readouterr().err
    first = workspace.training / "folds" / "cv-0" / CARD
    written = first.stat().st_mtime_ns
    card = cross_validate("cv", PLAN, workspace)
    assert first.stat().st_mtime_ns == written, "a finished fold was trained again"
    assert card == read_card(workspace.bundle("cv"))
    assert [member.name for member in card.members] == ["cv-0", "cv-1"]

    oof = holdout_table(EMOTIONS).read(workspace.bundle("cv") / OOF).set_index("image_path")
    labelled = photos[photos["split"] != "test"]
    assert sorted(oof.index) == sorted(labelled["image_path"])
    assert oof.loc[labelled["image_path"], "emotion"].tolist() == labelled["emotion"].tolist()
    for fold in (0, 1):
        bundle = load_bundle(workspace.bundle("cv") / MEMBERS / f"cv-{fold}")
        unseen = photos[(photos["split"] == "train") & (photos["fold"] == fold)]
        seen = photos[(photos["split"] == "train") & (photos["fold"] != fold)]
        assert bundle.card.trained["photos"] == len(seen)
        assert bundle.card.trained["params"]["seed"] == 7 + fold
        assert bundle.card.trained["params"]["labels"] == "given"
        paths = unseen["image_path"].tolist()
        expected = predict_photos(bundle, workspace.raw, paths)
        np.testing.assert_allclose(pred_probs(oof.loc[paths]), expected, atol=1e-5)
    holdout = photos.loc[photos["split"] == "holdout", "image_path"].tolist()
    expected = predict_photos(load_bundle(workspace.bundle("cv")), workspace.raw, holdout)
    np.testing.assert_allclose(pred_probs(oof.loc[holdout]), expected, atol=1e-5)

    cv, cache = workspace.bundle("cv"), workspace.training
    taught = kept_probs(cv, EMOTIONS, workspace.raw, holdout + paths, cache)
    np.testing.assert_allclose(taught, pred_probs(oof.loc[holdout + paths]), atol=1e-6)
    with pytest.raises(
        FercompError, match=r"lacks 1 of the photos, such as new\.jpg: run `fercomp crossval`"
    ):
        kept_probs(cv, EMOTIONS, workspace.raw, ["new.jpg"], cache)


def test_one_fold_is_too_few(workspace, photos):
    PHOTOS.write(photos.assign(fold=photos["fold"].where(photos["split"] == "test", 0)), workspace.photos)
    with pytest.raises(FercompError, match="has 1 folds: run `fercomp prepare`"):
        cross_validate("cv", PLAN, workspace)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"teacher": "nobody"}, "unknown model 'nobody'"),
        ({"weights": "no.weights.h5", "batch_norm": "keep"}, r"no\.weights\.h5 not found"),
        ({"head": "both"}, r"made of models/crossval/oof\.csv, which is not there yet: run .*head=emotion"),
        ({"epochs": 0}, "nothing to train"),
    ],
)
def test_what_is_missing_is_said_before_the_first_fold(workspace, photos, capsys, changes, told):
    with pytest.raises(FercompError, match=told):
        cross_validate("cv", PLAN.changed(**changes), workspace)
    assert "fold" not in capsys.readouterr().err
    assert not list(workspace.training.glob("*/*"))
