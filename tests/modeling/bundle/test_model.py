import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs, prediction_table
from fercomp.data.inputs import read_faces
from fercomp.decisions.metrics import score
from fercomp.faces.tta import VIEWS
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.modeling.bundle.card import CARD, FORMAT, HOLDOUT, read_card
from fercomp.modeling.bundle.find import CAME_ALONG, check_name, new_model, resolve_model
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.predicting.predict import predict_test


def edit_card(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


@pytest.mark.slow
def test_the_card_says_how_it_came_about(trained_workspace):
    card = read_card(trained_workspace.bundle("tiny"))
    assert (card.name, card.backbone, card.size, card.classes) == ("tiny", "compact", 32, EMOTIONS)
    assert card.runtime == "openvino"
    assert card.trained["params"]["epochs"] == 2
    photos = PHOTOS.read(trained_workspace.photos)
    assert card.trained["photos"] == (photos["split"] == "train").sum()
    assert card.scores["n"] == (photos["split"] == "holdout").sum()


@pytest.mark.parametrize(
    "which", [pytest.param("trained_workspace", marks=pytest.mark.slow), "tiny_workspace"]
)
def test_the_scores_are_those_of_the_bundle_itself(which, request):
    """What `fercomp train` reports can be had again from the folder and the photos alone."""
    workspace = request.getfixturevalue(which)
    folder = workspace.bundle("tiny")
    table = holdout_table(EMOTIONS).read(folder / HOLDOUT)
    faces = read_faces(workspace.raw, table["image_path"].tolist(), 32)
    probabilities = load_bundle(folder).answer(faces, views=len(VIEWS)).pred_probs
    np.testing.assert_allclose(probabilities, pred_probs(table), atol=2e-6)
    labels = table["emotion"].map(EMOTIONS.index).to_numpy()
    assert score(pred_probs(table), labels).accuracy == pytest.approx(
        read_card(folder).scores["accuracy"], abs=1e-6
    )


def test_predict_checks_its_input(tiny_bundle_folder):
    bundle = load_bundle(tiny_bundle_folder)
    assert bundle.predict(np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 9)
    for wrong in (np.zeros((1, 48, 48, 3), np.uint8), np.zeros((1, 32, 32, 3), np.float32)):
        with pytest.raises(ValueError, match=r"expected \(n, 32, 32, 3\) uint8"):
            bundle.predict(wrong)
    with pytest.raises(ValueError, match="expected 1 arrays of faces, got 0"):
        bundle.predict()


def test_flip_is_the_mean_over_the_face_and_its_mirror_image(write_model, tmp_path):
    folder = write_model(tmp_path / "plain")
    faces = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    plain = load_bundle(folder)
    one, other = plain.predict(faces), plain.predict(faces[:, :, ::-1])
    assert np.abs(one - other).max() > 0.1
    edit_card(folder, flip=True)
    flipping = load_bundle(folder)
    np.testing.assert_allclose(flipping.predict(faces), (one + other) / 2, atol=1e-6)
    np.testing.assert_allclose(flipping.predict(faces[:, :, ::-1]), (one + other) / 2, atol=1e-6)
    assert flipping.predict(faces[:0]).shape == (0, 9)
    some = np.array([True, False, True, False, False])
    expected = np.where(some[:, None], other, one)
    np.testing.assert_allclose(flipping.predict(faces, mirrored=some), expected, atol=1e-6)
    np.testing.assert_allclose(plain.predict(faces, mirrored=some), one, atol=1e-6)
    edit_card(folder, flip=True, temperature=2.0)
    expected = np.sqrt((one + other) / 2)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(load_bundle(folder).predict(faces), expected, atol=1e-6)


def test_keras_is_a_fallback_with_equal_output(workspace):
    folder = workspace.bundle("tiny")
    faces = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    fast = load_bundle(folder).predict(faces)
    edit_card(folder, runtime="keras")
    np.testing.assert_allclose(load_bundle(folder).predict(faces), fast, atol=1e-4)


def test_running_a_bundle_imports_neither_tensorflow_nor_keras(tiny_bundle_folder):
    code = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from fercomp.modeling.bundle.model import load_bundle\n"
        "load_bundle(Path(sys.argv[1])).predict(np.zeros((1, 32, 32, 3), np.uint8))\n"
        "print({'tensorflow', 'keras', 'kaggle'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tiny_bundle_folder], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_predict_test_writes_a_row_for_each_test_photo(workspace):
    done = predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    path, n = done.path, done.photos
    table = prediction_table(EMOTIONS).read(path)
    assert n == len(table) == 20
    np.testing.assert_allclose(pred_probs(table).sum(axis=1), 1, atol=1e-5)


def test_the_model_trained_last_is_the_default(workspace):
    assert resolve_model(None, workspace).name == "tiny"
    newer = workspace.bundle("newer")
    newer.mkdir()
    (newer / CARD).write_text((workspace.bundle("tiny") / CARD).read_text())
    os.utime(newer / CARD, (2**31, 2**31))
    assert resolve_model(None, workspace).name == "newer"
    for compared in ("study-given", "bench-compact"):
        workspace.bundle(compared).mkdir()
        (workspace.bundle(compared) / CARD).write_text((newer / CARD).read_text())
        os.utime(workspace.bundle(compared) / CARD, (2**31 + 1, 2**31 + 1))
    assert resolve_model(None, workspace).name == "newer"
    killed = workspace.bundle(".half.x1")
    killed.mkdir()
    (killed / CARD).write_text("{}")
    os.utime(killed / CARD, (2**31 + 1, 2**31 + 1))
    assert resolve_model(None, workspace).name == "newer"


def test_the_shipped_model_is_found_everywhere(workspace, write_model, monkeypatch):
    assert CAME_ALONG["shipped"].parent.name == "fercomp"
    shipped = write_model(workspace.root / "package" / "shipped")
    large = write_model(workspace.root / "package" / "shipped-large")
    monkeypatch.setitem(CAME_ALONG, "shipped", shipped)
    monkeypatch.setitem(CAME_ALONG, "shipped-large", large)
    empty = Workspace(workspace.root / "elsewhere")
    assert resolve_model("shipped", empty) == shipped
    assert resolve_model(None, empty) == resolve_model("shipped-large", empty) == large
    shutil.copytree(workspace.bundle("tiny"), empty.bundle("study-given"))
    assert resolve_model(None, empty) == large
    assert resolve_model("shipped", workspace) == shipped
    with pytest.raises(
        FercompError, match=r"unknown model 'compact': .* \(to train it: `fercomp train --backbone c"
    ):
        resolve_model("compact", empty)
    with pytest.raises(FercompError, match="unknown model 'shiped': did you mean shipped"):
        resolve_model("shiped", empty)


def test_the_shipped_models_results_go_to_the_workspace(workspace, write_model, monkeypatch):
    shipped = write_model(workspace.root / "package" / "shipped")
    monkeypatch.setitem(CAME_ALONG, "shipped", shipped)
    before = sorted(shipped.rglob("*"))
    path = predict_test(resolve_model("shipped", workspace), workspace, PredictParams()).path
    assert path == workspace.models / "shipped" / "test_probs.csv"
    written = write_submission(resolve_model("shipped", workspace), workspace)
    assert written.path == workspace.root / "submissions" / "shipped.csv"
    assert sorted(shipped.rglob("*")) == before
    # A folder of results is no model: neither the one trained last, nor the one that is meant.
    assert resolve_model(None, workspace).name == "tiny"
    assert resolve_model("shipped", workspace) == shipped


@pytest.mark.parametrize(
    "name",
    [
        "shipped",
        "Shipped-Large",
        "history",
        "HISTORY",
        "bench.csv",
        "robustness.png",
        "",
        ".hidden",
        "../up",
        "a/b",
        "a b",
        "a\n",
        "-n",
    ],
)
def test_names_that_an_experiment_may_not_have(name):
    with pytest.raises(
        FercompError,
        match=r"is the name of (a model that came with fercomp|the \w+ of )|expected a letter or",
    ) as error:
        check_name(name)
    assert "\n" not in str(error.value)


def test_names_that_an_experiment_may_have():
    assert [check_name(name) for name in ("compact", "v1.2_b-c", "0")] == ["compact", "v1.2_b-c", "0"]


def test_a_new_model_takes_the_place_of_models_only(workspace):
    assert new_model("tiny", workspace) == workspace.bundle("tiny")
    assert new_model("absent", workspace) == workspace.bundle("absent")
    mine = workspace.bundle("mine")
    mine.mkdir()
    (mine / ".gitignore").touch()
    assert new_model("mine", workspace) == mine
    (mine / "notes.txt").write_text("years of work")
    for name in ("mine", "notes"):
        (workspace.models / "notes").write_text("a file")
        with pytest.raises(FercompError, match=r"such as notes\.txt: move it away|is a file, a folder was"):
            new_model(name, workspace)
    (mine / "test_probs.csv").touch()  # what DVC has left of a model
    assert new_model("mine", workspace) == mine


def test_a_folder_named_like_the_record_of_submissions_replaces_nothing(workspace):
    record = workspace.submission("history")
    record.parent.mkdir(exist_ok=True)
    record.write_text("time\n")
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("history"))
    with pytest.raises(FercompError, match="'history' is the name of the record of submissions"):
        write_submission(workspace.bundle("history"), workspace)
    assert record.read_text() == "time\n"


def test_a_card_cannot_send_results_elsewhere(workspace):
    edit_card(workspace.bundle("tiny"), name="../../elsewhere")
    with pytest.raises(FercompError, match="damaged"):
        predict_test(workspace.bundle("tiny"), workspace, PredictParams())


def test_models_by_name_and_by_folder(workspace):
    assert resolve_model("tiny", workspace) == workspace.bundle("tiny")
    assert resolve_model("models/tiny", workspace) == workspace.bundle("tiny")
    with pytest.raises(FercompError, match="unknown model 'tine': did you mean tiny"):
        resolve_model("tine", workspace)
    with pytest.raises(FercompError, match=r"datasets has no card\.json"):
        resolve_model("datasets", workspace)
    with pytest.raises(FercompError, match="some/where not found"):
        resolve_model("some/where", workspace)


def test_cards_that_cannot_be_used(workspace):
    folder = workspace.bundle("tiny")
    good = (folder / CARD).read_text()
    edit_card(folder, format=FORMAT + 1)
    with pytest.raises(FercompError, match="update fercomp"):
        read_card(folder)
    for bad in (
        "",
        "junk",
        "[]",
        "{}",
        good.replace('"size": 32', '"size": "big"'),
        good.replace('"size"', '"side"'),
        "\x00",
    ):
        (folder / CARD).write_text(bad)
        with pytest.raises(FercompError, match="damaged"):
            read_card(folder)
    (folder / CARD).write_bytes(b"\xff\xfe")
    with pytest.raises(FercompError, match="damaged"):
        read_card(folder)


def test_the_fingerprint_changes_with_card_and_network(workspace):
    folder = workspace.bundle("tiny")
    prints = {load_bundle(folder).fingerprint}
    edit_card(folder, margin=0.5)
    prints.add(load_bundle(folder).fingerprint)
    edit_card(folder, files={})  # otherwise the change that follows is refused
    with (folder / "graph/graph.bin").open("ab") as file:
        file.write(b"x")
    prints.add(load_bundle(folder).fingerprint)
    assert len(prints) == 3
