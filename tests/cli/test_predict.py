import shutil

import pandas as pd
import pytest

from fercomp.core.tables import PHOTOS


@pytest.mark.parametrize(("same_file", "vote"), [(True, 1.0), (False, 0.25)])
def test_the_label_of_a_copy_counts(workspace, fercomp, same_file, vote):
    photos = PHOTOS.read(workspace.photos)
    test = photos.index[photos["split"] == "test"][0]
    twin = photos.index[photos["emotion"] == "disgust"][0]
    for column in ("duplicate_group", "sha1") if same_file else ("duplicate_group",):
        photos.loc[test, column] = photos.loc[twin, column]
    PHOTOS.write(photos, workspace.photos)
    tables = {}
    for votes, told in (
        ("null", "20 test photos\n"),
        ("3", "20 test photos, 1 of them with a labelled copy"),
    ):
        code, out, err = fercomp("predict", "--model", "tiny", "--set", f"predict.network_votes={votes}")
        assert code == 0, err
        assert told in out
        tables[votes] = pd.read_csv(workspace.test_probabilities("tiny"), index_col="image_path")
    difference = (tables["3"] - tables["null"]).abs().sum(axis=1)
    assert difference.index[difference > 1e-5].tolist() == [photos.loc[test, "image_path"]]
    path = photos.loc[test, "image_path"]
    expected = (3 * tables["null"].loc[path, "disgust"] + vote) / (3 + vote)
    assert abs(tables["3"].loc[path, "disgust"] - expected) < 1e-5


def test_a_wrong_number_of_votes_is_one_line(workspace, fercomp):
    code, out, err = fercomp("predict", "--model", "tiny", "--set", "predict.network_votes=0")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "predict.network_votes" in err


def test_predictions_have_the_name_of_the_models_folder(workspace, fercomp):
    """Seen: a copy of a model replaced the predictions of the model it was copied from."""
    assert fercomp("predict", "--model", "tiny")[0] == 0
    before = workspace.test_probabilities("tiny").read_bytes()
    workspace.test_probabilities("tiny").write_bytes(before + b"#")
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("copy"))
    shutil.copytree(workspace.bundle("tiny"), "elsewhere")
    for model, name in (("copy", "copy"), ("models/copy", "copy"), ("elsewhere", "elsewhere")):
        code, out, err = fercomp("predict", "--model", model)
        assert code == 0, err
        path = workspace.test_probabilities(name)
        assert f"calls itself tiny on its card; {path} has its folder's name" in err
        assert path.read_bytes() == before
        assert out.endswith(
            f"Next: fercomp submission --model {model}\n      fercomp submit submissions/{name}.csv\n"
        )
        code, out, err = fercomp("submission", "--model", model)
        assert code == 0, err
        assert out.endswith(f"Next: fercomp submit submissions/{name}.csv\n")
    assert workspace.test_probabilities("tiny").read_bytes() == before + b"#"
    assert not workspace.submission("tiny").exists()


def test_a_folder_elsewhere_with_the_name_of_another_model_replaces_nothing(workspace, fercomp):
    shutil.copytree(workspace.bundle("tiny"), "elsewhere/tiny")
    for command in ("predict", "submission"):
        code, out, err = fercomp(command, "--model", "elsewhere/tiny")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "has the name of another model, models/tiny" in err
    assert not workspace.test_probabilities("tiny").exists()


def test_the_processor_alone_and_a_gpu_that_is_missing(workspace, fercomp, monkeypatch):
    hidden = []
    monkeypatch.setattr("fercomp.modeling.backend.choice.hide_gpus", lambda: hidden.append(True))
    assert fercomp("predict", "--model", "tiny", "--set", "machine.device=cpu")[0] == 0
    assert hidden, "Keras is kept from a GPU, whatever it is used for"
    workspace.test_probabilities("tiny").unlink()
    code, out, err = fercomp("predict", "--model", "tiny", "--set", "machine.device=gpu")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: machine.device is gpu, but tensorflow sees no GPU")
    assert not workspace.test_probabilities("tiny").exists()
    (workspace.bundle("tiny") / "model.keras").unlink()
    code, _, err = fercomp("predict", "--model", "tiny", "--set", "machine.device=gpu")
    assert code == 0, "a graph alone runs on the processor, whatever is asked for"
    assert "models/tiny has no model.keras, which a GPU needs: OpenVINO answers on the CPU" in err
