import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs
from fercomp.decisions.metrics import score
from fercomp.decisions.mixing import cross_fitted_mean, fit_weights
from fercomp.modeling.bundle.card import CARD, HOLDOUT, KERAS_MODEL, OOF, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.modeling.bundle.predict import predict_photos, predict_table
from fercomp.stages.ensemble import _read_tables, build_ensemble


@pytest.fixture
def models(workspace, write_model):
    """Folders of two linear models of different size, margin and temperature, and of `tiny`."""
    holdout = PHOTOS.read(workspace.photos).query("split == 'holdout'")
    folders = [
        write_model(workspace.bundle("small"), size=24, seed=1, margin=0.2, temperature=2.0),
        write_model(workspace.bundle("large"), size=40, seed=2, flip=True),
    ]
    for folder in folders:
        table = predict_table(load_bundle(folder), workspace.raw, holdout["image_path"].tolist())
        holdout_table(EMOTIONS).write(table.assign(emotion=holdout["emotion"].tolist()), folder / HOLDOUT)
    return [*folders, workspace.bundle("tiny")]


def edit_card(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def noisy_models(n: int, rightness: tuple[float, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns probabilities `(M, n, 4)` and labels; each model is right about its share of the photos."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    said = [np.where(rng.random(n) < share, labels, rng.integers(0, 4, n)) for share in rightness]
    return np.stack([0.8 * np.eye(4)[answer] + 0.05 for answer in said]), labels


def test_an_ensemble_is_the_weighted_mean_of_its_members(models, workspace):
    build_ensemble("both", models, "equal", workspace)
    edit_card(workspace.bundle("both"), temperature=1.0)
    weights = {"small": 0.5, "large": 0.3, "tiny": 0.1}  # not yet divided by their sum
    edit_card(workspace.bundle("both"), members=[{"name": n, "weight": w} for n, w in weights.items()])
    ensemble = load_bundle(workspace.bundle("both"))
    assert [size for size, _ in ensemble.inputs] == [24, 40, 32]
    paths = PHOTOS.read(workspace.photos)["image_path"].tolist()
    alone = [predict_photos(load_bundle(folder), workspace.raw, paths) for folder in models]
    expected = (0.5 * alone[0] + 0.3 * alone[1] + 0.1 * alone[2]) / 0.9
    together = predict_photos(ensemble, workspace.raw, paths)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, expected, atol=1e-6)


def test_equal_weights_are_scored_as_the_bundle_predicts(models, workspace):
    card = build_ensemble("both", models, "equal", workspace)
    table = holdout_table(EMOTIONS).read(workspace.bundle("both") / HOLDOUT)
    ensemble = load_bundle(workspace.bundle("both"))
    again = predict_photos(ensemble, workspace.raw, table["image_path"].tolist())
    np.testing.assert_allclose(again, pred_probs(table), atol=5e-6)
    labels = table["emotion"].map(EMOTIONS.index).to_numpy()
    assert score(pred_probs(table), labels).accuracy == pytest.approx(card.scores["accuracy"], abs=1e-6)
    assert card.temperature != 1.0
    assert read_card(workspace.bundle("both")) == card


def test_an_ensemble_needs_nothing_of_its_models(models, workspace, tmp_path):
    build_ensemble("both", models, "equal", workspace)
    folder = workspace.bundle("both")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    parts = ("card.json", "graph/graph.bin", "graph/graph.xml")
    parts = (*parts, HOLDOUT)
    members = [f"members/{name}/{part}" for name in ("large", "small", "tiny") for part in parts]
    assert files == ["card.json", "holdout_probs.csv", *members, f"members/tiny/{KERAS_MODEL}", MODEL_CARD]
    moved = shutil.move(folder, tmp_path / "elsewhere")
    shutil.rmtree(workspace.models)
    faces = [np.zeros((2, size, size, 3), np.uint8) for size in (24, 40, 32)]
    np.testing.assert_allclose(load_bundle(moved).predict(*faces).sum(axis=1), 1, atol=1e-6)


def test_a_member_that_runs_on_keras(models, workspace):
    edit_card(models[2], runtime="keras")
    expected = build_ensemble("both", models, "equal", workspace)
    assert expected.runtime == "keras"
    assert (workspace.bundle("both") / "members/tiny/model.keras").is_file()
    assert not (workspace.bundle("both") / "members/tiny/graph").exists()
    faces = [np.zeros((2, size, size, 3), np.uint8) for size in (24, 40, 32)]
    assert load_bundle(workspace.bundle("both")).predict(*faces).shape == (2, 9)


def test_wrong_arrays_are_refused(models, workspace):
    build_ensemble("both", models, "equal", workspace)
    ensemble = load_bundle(workspace.bundle("both"))
    faces = [np.zeros((2, size, size, 3), np.uint8) for size in (24, 40, 32)]
    with pytest.raises(ValueError, match="expected 3 arrays of faces, got 1"):
        ensemble.predict(faces[0])
    with pytest.raises(ValueError, match=r"expected \(n, 40, 40, 3\) uint8"):
        ensemble.predict(faces[0], faces[2], faces[1])
    with pytest.raises(ValueError, match="the same n"):
        ensemble.predict(faces[0], faces[1][:1], faces[2])
    assert ensemble.predict(*(array[:0] for array in faces)).shape == (0, 9)


def test_the_fingerprint_covers_the_members(models, workspace):
    build_ensemble("both", models, "equal", workspace)
    folder = workspace.bundle("both")
    prints = {load_bundle(folder).fingerprint}
    edit_card(folder / "members/small", temperature=3.0)
    prints.add(load_bundle(folder).fingerprint)
    with (folder / "members/large/graph/graph.bin").open("ab") as file:
        file.write(b"x")
    edit_card(folder / "members/large", files={})  # otherwise the checksums refuse it
    prints.add(load_bundle(folder).fingerprint)
    assert len(prints) == 3


@pytest.mark.parametrize("name", ["../small", "a/b", "/etc", "", ".hidden", "..", "a\\b"])
def test_a_member_cannot_lie_outside_the_bundle(models, workspace, name):
    build_ensemble("both", models, "equal", workspace)
    edit_card(workspace.bundle("both"), members=[{"name": name, "weight": 1.0}])
    with pytest.raises(FercompError, match=r"damaged \(members\.0\.name"):
        load_bundle(workspace.bundle("both"))


@pytest.mark.parametrize(
    "members",
    [
        [{"name": "small", "weight": 0.0}],
        [{"name": "small", "weight": -1.0}],
        [{"name": "small", "weight": float("nan")}],
        [{"name": "small", "weight": 0.5}, {"name": "small", "weight": 0.5}],
    ],
)
def test_members_that_make_no_mean_are_refused(models, workspace, members):
    build_ensemble("both", models, "equal", workspace)
    edit_card(workspace.bundle("both"), members=members)
    with pytest.raises(FercompError, match="damaged"):
        load_bundle(workspace.bundle("both"))


def test_members_that_do_not_fit_are_refused_by_the_bundle(models, workspace):
    folder = workspace.bundle("both")
    build_ensemble("both", models, "equal", workspace)
    edit_card(folder / "members/small", classes=EMOTIONS[:8])
    with pytest.raises(FercompError, match=r"members/small knows the classes .* same classes"):
        load_bundle(folder)
    build_ensemble("both", models, "equal", workspace)
    shutil.copytree(folder, workspace.root / "inner")
    shutil.move(workspace.root / "inner", folder / "members/inner")
    edit_card(folder, members=[{"name": "inner", "weight": 1.0}])
    with pytest.raises(FercompError, match="is an ensemble itself"):
        load_bundle(folder)
    edit_card(folder, members=[{"name": "gone", "weight": 1.0}])
    with pytest.raises(FercompError, match="members/gone not found"):
        load_bundle(folder)


@given(st.integers(0, 30), st.integers(2, 5))
def test_fitted_weights_have_the_least_log_loss(seed, m):
    shares = tuple(np.random.default_rng(seed).uniform(0, 1, m))
    outputs, labels = noisy_models(300, shares, seed)
    likelihood = outputs[:, np.arange(300), labels]

    def log_loss(weights):
        return -np.log(weights @ likelihood).mean()

    weights = fit_weights(outputs, labels)
    assert weights.sum() == pytest.approx(1)
    assert ((weights == 0) | (weights >= 0.01)).all()
    best = minimize(
        log_loss,
        np.full(m, 1 / m),
        method="SLSQP",
        bounds=[(1e-9, 1)] * m,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
    )
    # Up to what setting weights below 0.01 to 0 may cost.
    assert log_loss(weights) <= best.fun + 0.002 * m


def test_a_useless_model_gets_no_weight_and_equal_ones_the_same():
    outputs, labels = noisy_models(2000, (0.6, 0.6, 0.0))
    weights = fit_weights(outputs, labels)
    assert weights[2] == 0
    assert abs(weights[0] - weights[1]) < 0.1
    twice = fit_weights(outputs[[0, 0]], labels)
    np.testing.assert_allclose(twice, 0.5)


def test_a_model_without_weight_is_left_out(models, workspace):
    table = holdout_table(EMOTIONS).read(models[1] / HOLDOUT)
    table[list(EMOTIONS)] = np.eye(9)[(table["emotion"].map(EMOTIONS.index) + 1) % 9]  # always wrong
    holdout_table(EMOTIONS).write(table, models[1] / HOLDOUT)
    card = build_ensemble("both", models, "fitted", workspace)
    assert "large" not in [member.name for member in card.members]
    assert not (workspace.bundle("both") / "members/large").exists()


def test_cross_fitting_does_not_see_the_photos_it_mixes():
    outputs, labels = noisy_models(40, (0.6, 0.5))
    mixed = cross_fitted_mean(outputs, labels)
    np.testing.assert_allclose(mixed.sum(axis=1), 1)
    whole = np.average(outputs, axis=0, weights=fit_weights(outputs, labels))
    assert 0 < np.abs(mixed - whole).max() < 0.2
    changed = 0.0
    for i in range(len(labels)):
        other = labels.copy()
        other[i] = (labels[i] + 1) % 4
        again = cross_fitted_mean(outputs, other)
        np.testing.assert_array_equal(again[i], mixed[i])
        changed = max(changed, np.abs(again - mixed).max())
    assert changed > 0


def test_weights_are_fitted_on_out_of_fold_tables_where_all_have_one(models, workspace):
    on_holdout = build_ensemble("both", models[:2], "fitted", workspace)
    assert on_holdout.trained["fitted_on"] == HOLDOUT
    shutil.copyfile(models[0] / HOLDOUT, models[0] / OOF)
    assert build_ensemble("both", models[:2], "fitted", workspace).trained["fitted_on"] == HOLDOUT
    table = holdout_table(EMOTIONS).read(models[1] / HOLDOUT)
    wrong = np.eye(9)[(table["emotion"].map(EMOTIONS.index) + 1) % 9]
    holdout_table(EMOTIONS).write(table.assign(**dict(zip(EMOTIONS, wrong.T, strict=True))), models[1] / OOF)
    on_oof = build_ensemble("both", models[:2], "fitted", workspace)
    assert on_oof.trained["fitted_on"] == OOF
    assert [(member.name, member.weight) for member in on_oof.members] == [("small", 1.0)]


@pytest.mark.parametrize("weighting", ["equal", "fitted"])
def test_an_ensemble_may_be_a_member_and_stands_for_its_networks(models, workspace, weighting):
    build_ensemble("flat", models, weighting, workspace)
    build_ensemble("pair", models[:2], "equal", workspace)
    for folder in models[:2]:
        shutil.rmtree(folder)  # the pair has all that is needed of them
    build_ensemble("nested", [workspace.bundle("pair"), models[2]], weighting, workspace)
    flat, nested = (read_card(workspace.bundle(name)) for name in ("flat", "nested"))
    assert nested.model_copy(update={"name": "flat"}) == flat
    files = {path.relative_to(workspace.bundle("flat")) for path in workspace.bundle("flat").rglob("*.*")}
    for file in files - {Path(CARD), Path(MODEL_CARD)}:
        assert (workspace.bundle("nested") / file).read_bytes() == (
            workspace.bundle("flat") / file
        ).read_bytes()


def test_weights_by_models_are_shared_by_the_networks_of_each(models, workspace):
    build_ensemble("pair", models[:2], "equal", workspace)
    build_ensemble("half", [models[2], workspace.bundle("pair")], "models", workspace)
    card = read_card(workspace.bundle("half"))
    assert card.trained["weights"] == "models"
    assert {m.name: m.weight for m in card.members} == {"tiny": 0.5, "small": 0.25, "large": 0.25}
    ensemble = load_bundle(workspace.bundle("half"))
    table = holdout_table(EMOTIONS).read(workspace.bundle("half") / HOLDOUT)
    again = predict_photos(ensemble, workspace.raw, table["image_path"].tolist())
    np.testing.assert_allclose(again, pred_probs(table), atol=5e-6)


def test_fitted_weights_of_cross_validations_are_shared_by_their_networks(models, workspace):
    build_ensemble("pair", models[:2], "equal", workspace)
    table = holdout_table(EMOTIONS).read(models[2] / HOLDOUT)
    right = np.eye(9)[table["emotion"].map(EMOTIONS.index)]
    for part, folder in enumerate((workspace.bundle("pair"), models[2])):
        sure = np.where(np.arange(len(table)) % 3 == part, 0.9, 0.2)[:, None]  # of different photos
        said = sure * right + (1 - sure) / 9
        holdout_table(EMOTIONS).write(table.assign(**dict(zip(EMOTIONS, said.T, strict=True))), folder / OOF)
    card = build_ensemble("both", [workspace.bundle("pair"), models[2]], "fitted", workspace)
    assert card.trained["fitted_on"] == OOF
    weights = {member.name: member.weight for member in card.members}
    assert weights["small"] == weights["large"]
    _, labels, outputs = _read_tables([workspace.bundle("pair"), models[2]], OOF, EMOTIONS)
    assert weights["tiny"] == pytest.approx(fit_weights(outputs, labels)[1], abs=1e-6)
    assert 0 < weights["small"] < weights["tiny"] < 1
    assert 2 * weights["small"] + weights["tiny"] == pytest.approx(1, abs=1e-5)


def test_models_of_other_photos_are_refused(models, workspace):
    table = holdout_table(EMOTIONS).read(models[1] / HOLDOUT)
    holdout_table(EMOTIONS).write(table[1:], models[1] / HOLDOUT)
    gone = table["image_path"][0]
    with pytest.raises(FercompError, match=rf"differ in 1 photos or labels, such as {gone}.*same index"):
        build_ensemble("both", models, "equal", workspace)
    table.loc[0, "emotion"] = "sad" if table.loc[0, "emotion"] != "sad" else "happy"
    holdout_table(EMOTIONS).write(table[::-1], models[1] / HOLDOUT)
    with pytest.raises(FercompError, match=rf"such as {gone}"):
        build_ensemble("both", models, "equal", workspace)
    (models[1] / HOLDOUT).unlink()
    with pytest.raises(FercompError, match=r"large/holdout_probs\.csv not found"):
        build_ensemble("both", models, "equal", workspace)
    assert not workspace.bundle("both").exists()


def test_models_that_make_no_ensemble_are_refused(models, workspace):
    with pytest.raises(FercompError, match="two models or more, got 1"):
        build_ensemble("both", models[:1], "equal", workspace)
    with pytest.raises(FercompError, match="two of the networks are called 'small'"):
        build_ensemble("both", [*models, models[0]], "equal", workspace)
    with pytest.raises(FercompError, match="came with fercomp"):
        build_ensemble("shipped", models, "equal", workspace)
    build_ensemble("both", models, "equal", workspace)
    with pytest.raises(FercompError, match="two of the networks are called 'small'"):
        build_ensemble("more", [workspace.bundle("both"), models[0]], "equal", workspace)
    (workspace.bundle("both") / "members/large" / HOLDOUT).unlink()
    with pytest.raises(FercompError, match=r"members/large/holdout_probs\.csv not found.*build both again"):
        build_ensemble("more", [workspace.bundle("both"), models[0]], "equal", workspace)
    edit_card(models[1], classes=EMOTIONS[::-1])
    with pytest.raises(FercompError, match=r"large knows the classes uncertain.* of the same classes"):
        build_ensemble("both", models, "equal", workspace)


def test_a_network_is_not_replaced_by_an_ensemble_of_others(models, workspace):
    """What a user types who forgets the ensemble's name."""
    before = (workspace.bundle("small") / CARD).read_bytes()
    with pytest.raises(FercompError, match="small is a trained network"):
        build_ensemble("small", models[1:], "equal", workspace)
    assert (workspace.bundle("small") / CARD).read_bytes() == before


def test_a_failure_leaves_the_old_ensemble(models, workspace):
    build_ensemble("both", models[:2], "equal", workspace)
    before = {path: path.read_bytes() for path in workspace.bundle("both").rglob("*.*")}
    (models[2] / "graph/graph.bin").unlink()
    with pytest.raises(FercompError, match=r"graph\.bin not found"):
        build_ensemble("both", models, "equal", workspace)
    assert before == {path: path.read_bytes() for path in workspace.bundle("both").rglob("*.*")}
    assert not list(workspace.models.glob(".both*"))
