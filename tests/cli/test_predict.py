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
