import shutil
from types import SimpleNamespace

import pandas as pd
import pytest

from fercomp.core import timing
from fercomp.core.errors import FercompError
from fercomp.core.locks import locked
from fercomp.core.shards import Shard
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle import predict
from fercomp.modeling.bundle.predict import predict_tables
from fercomp.stages.predicting import in_parts


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


def test_shards_are_merged_into_the_table_of_one_machine(workspace, fercomp):
    assert fercomp("predict", "--model", "tiny")[0] == 0
    path = workspace.test_probabilities("tiny")
    whole = path.read_bytes()
    path.unlink()
    for k in (3, 1, 2, 4):
        code, out, err = fercomp("predict", "--model", "tiny", "--shard", f"{k}/4")
        assert code == 0, err
        assert f"test_probs.shard-{k}-of-4.csv: probabilities of" in out
        assert f"then the same command with --merge, not --shard {k}/4" in out
        if k != 4:
            code, out, err = fercomp("predict", "--model", "tiny", "--merge")
            assert (code, out, err.count("\n")) == (1, "", 1)
            assert "models/tiny lacks the shard" in err
            assert not path.exists()
    code, out, err = fercomp("predict", "--model", "tiny", "--merge")
    assert code == 0, err
    assert "test_probs.csv: probabilities of 20 test photos" in out
    assert path.read_bytes() == whole
    assert not list(path.parent.glob(".*"))


@pytest.fixture
def left(monkeypatch):
    """`predict` in parts of about 8 photos, stopped after `left.stop` of them; how many each run had left."""
    left = SimpleNamespace(parts=[], stop=1)

    def tables(bundle, raw, parts, cache):
        left.parts.append(len(parts))
        for done, table in enumerate(predict_tables(bundle, raw, parts, cache)):
            if done == left.stop:
                raise FercompError("stopped here")
            yield table

    monkeypatch.setattr(in_parts, "SAVED_AFTER", 8)
    monkeypatch.setattr(in_parts, "predict_tables", tables)
    return left


def test_a_predict_that_is_stopped_goes_on_with_the_parts_that_are_missing(
    workspace, fercomp, monkeypatch, left
):
    assert fercomp("predict", "--model", "tiny", "--shard", "1/3")[0] == 0
    path = workspace.test_probabilities("tiny")
    shard = path.with_stem("test_probs.shard-1-of-3")
    of_others = shard.read_bytes()
    assert fercomp("predict", "--model", "tiny")[0] == 1
    assert {entry.name for entry in path.parent.glob("test_probs*")} == {
        "test_probs.part-1-of-3.csv",
        shard.name,
    }
    with locked(path.with_name(".lock.parts"), "busy"):
        code, out, err = fercomp("predict", "--model", "tiny")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"another fercomp is at {path}: wait until it has ended" in err
    left.stop = None
    monkeypatch.setattr(in_parts, "SAVED_AFTER", 10_000)  # what is begun stays as it was divided
    code, out, err = fercomp("predict", "--model", "tiny")
    assert code == 0 and "1 of 3 parts were done by an earlier run" in err
    assert "test_probs.csv: probabilities of 20 test photos" in out
    assert left.parts == [3, 2]
    assert {entry.name for entry in path.parent.glob("test_probs*")} == {path.name, shard.name}
    assert shard.read_bytes() == of_others
    whole = path.read_bytes()
    assert fercomp("predict", "--model", "tiny")[0] == 0
    assert path.read_bytes() == whole and left.parts == [3, 2], "at once, where no part is left"


def test_what_is_said_of_parts_is_said_once_of_all(workspace, fercomp, monkeypatch, left):
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("copy"))
    left.stop, looked = None, []
    monkeypatch.setattr(predict, "BATCH", 2)
    monkeypatch.setattr(timing, "TOLD", 0.0)
    monkeypatch.setattr(in_parts, "say_if_other", lambda bundle, table, *_: looked.append(len(table)))
    code, _, err = fercomp("predict", "--model", "copy")
    assert (code, looked, left.parts) == (0, [20], [3])
    assert err.count("classifying") == err.count("classifying 20 photos: about") == 1
    assert err.count("calls itself tiny on its card") == 1


def of_another_model(workspace):
    card = workspace.bundle("tiny") / "card.json"
    card.write_text(card.read_text().replace('"accuracy"', ' "accuracy"', 1))
    return "as made_by: known are"


def of_another_index(workspace):
    workspace.photos.write_bytes(workspace.photos.read_bytes().replace(b",-1", b",-1 ", 1))
    return "as made_of: known are"


def of_other_photos(workspace):
    lines = workspace.test_probabilities("tiny").with_stem("test_probs.shard-1-of-2").read_text().splitlines()
    with workspace.test_probabilities("tiny").with_stem("test_probs.shard-2-of-2").open("a") as file:
        file.write(lines[1] + "\n")
    return "of another shard: run `fercomp predict --shard 2/2` again"


def with_a_row_twice(workspace):
    path = workspace.test_probabilities("tiny").with_stem("test_probs.shard-1-of-2")
    with path.open("a") as file:
        file.write(path.read_text().splitlines()[1] + "\n")
    return "a second time: run `fercomp predict --shard 1/2` again"


def without_a_row(workspace):
    path = workspace.test_probabilities("tiny").with_stem("test_probs.shard-1-of-2")
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    return "test_probs.shard-1-of-2.csv lacks "


BAD = [of_another_model, of_another_index, of_other_photos, with_a_row_twice, without_a_row]


@pytest.mark.parametrize("change", BAD, ids=lambda change: change.__name__)
def test_shards_that_are_no_whole_are_one_line(workspace, fercomp, change):
    for k in (1, 2):
        assert fercomp("predict", "--model", "tiny", "--shard", f"{k}/2")[0] == 0
    told = change(workspace)
    code, out, err = fercomp("predict", "--model", "tiny", "--merge")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err
    assert not workspace.test_probabilities("tiny").exists()


def of_other_votes(workspace):
    workspace.params.write_text("predict: {network_votes: 3}\n")


@pytest.mark.parametrize("change", [of_another_model, of_another_index, of_other_votes])
def test_a_stopped_predict_takes_no_part_that_was_made_of_something_else(
    workspace, fercomp, monkeypatch, left, change
):
    assert fercomp("predict", "--model", "tiny")[0] == 1
    change(workspace)
    left.stop = None
    code, _, err = fercomp("predict", "--model", "tiny")
    assert code == 0, err
    assert left.parts == [3, 3] and "earlier run" not in err
    path = workspace.test_probabilities("tiny")
    assert [entry.name for entry in path.parent.glob("test_probs*")] == [path.name]
    divided = path.read_bytes()
    monkeypatch.setattr(in_parts, "SAVED_AFTER", 10_000)
    assert fercomp("predict", "--model", "tiny")[0] == 0
    assert path.read_bytes() == divided and left.parts == [3, 3]


def test_other_votes_and_a_shard_given_twice(workspace, fercomp):
    for k, votes in ((1, "null"), (2, "3")):
        words = ("--model", "tiny", "--shard", f"{k}/2", "--set", f"predict.network_votes={votes}")
        assert fercomp("predict", *words)[0] == 0
    code, _, err = fercomp("predict", "--model", "tiny", "--merge", "--set", "predict.network_votes=3")
    assert (code, err.count("\n")) == (1, 1)
    assert "has 'none' as made_with: known are 3 to 0.25: run `fercomp predict --shard 1/2` again" in err
    with locked(workspace.bundle("tiny") / ".lock.shard-1-of-2", "busy"):
        code, _, err = fercomp("predict", "--model", "tiny", "--shard", "1/2")
    assert (code, err.count("\n")) == (1, 1)
    assert "give each shard to one machine only" in err


@pytest.mark.parametrize(
    "words", [("--shard", "0/4"), ("--shard", "5/4"), ("--shard", "x"), ("--shard=1/2", "--merge")]
)
def test_what_is_no_shard_is_one_line(workspace, fercomp, words):
    code, out, err = fercomp("predict", "--model", "tiny", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "shard" in err


def test_a_shard_without_photos(workspace, fercomp):
    test = PHOTOS.read(workspace.photos).query("split == 'test'")["image_path"]
    empty = next(k for k in range(1, 100) if not any(map(Shard(k, 99).holds, test)))
    code, out, err = fercomp("predict", "--model", "tiny", "--shard", f"{empty}/99")
    assert code == 0, err
    assert "probabilities of 0 test photos" in out
    path = workspace.test_probabilities("tiny")
    assert pd.read_csv(Shard(empty, 99).beside(path)).empty
    Shard(empty, 99).beside(path).rename(Shard(1, 1).beside(path))
    code, _, err = fercomp("predict", "--model", "tiny", "--merge")
    assert (code, err.count("\n")) == (1, 1)
    assert f"test_probs.shard-1-of-1.csv lacks {test.iloc[0]}" in err
