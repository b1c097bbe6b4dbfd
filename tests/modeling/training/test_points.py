import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.tables import AXES, PHOTOS, holdout_table, pred_probs
from fercomp.decisions.circumplex import decode, directions
from fercomp.decisions.metrics import agreement, concordance
from fercomp.modeling.training.points import with_points

BOTH = TrainParams(head="both")


def points_of(photos):
    return photos[list(AXES)].to_numpy()


def test_a_network_of_emotions_needs_no_points(workspace):
    photos = PHOTOS.read(workspace.photos)
    assert with_points(photos, TrainParams(), workspace) is photos


def test_mean_targets_are_made_of_out_of_fold_probabilities(affect_workspace):
    photos = PHOTOS.read(affect_workspace.photos)
    points = points_of(with_points(photos, BOTH, affect_workspace))
    test = photos["split"] == "test"
    assert np.isnan(points[test]).all()
    oof = holdout_table(EMOTIONS).read(affect_workspace.oof).set_index("image_path")
    row = photos[~test].iloc[5]
    shares = pred_probs(oof.loc[[row["image_path"]]])[0, :8]
    expected = shares @ directions(EMOTIONS[:8]) / shares.sum()
    np.testing.assert_allclose(points[photos.index.get_loc(row.name)], expected, atol=1e-5)


def test_ray_targets_decode_to_the_given_label_and_follow_the_seed(affect_workspace):
    photos = PHOTOS.read(affect_workspace.photos)
    labelled = photos[photos["split"] != "test"]
    ray = BOTH.model_copy(update={"va_targets": "ray"})
    points = points_of(with_points(labelled, ray, affect_workspace))
    unsure = (labelled["emotion"] == UNCERTAIN).to_numpy()
    assert np.isnan(points[unsure]).all()
    assert decode(points[~unsure])[0].tolist() == labelled["emotion"][~unsure].tolist()
    np.testing.assert_array_equal(points, points_of(with_points(labelled, ray, affect_workspace)))
    other = with_points(labelled, ray.model_copy(update={"seed": 1}), affect_workspace)
    assert (points[~unsure] != points_of(other)[~unsure]).any()


def test_labelled_points_are_read_from_a_csv(workspace, tmp_path):
    photos = PHOTOS.read(workspace.photos)
    file = tmp_path / "points.csv"
    chosen = photos["image_path"].iloc[[3, 0]]
    pd.DataFrame({"path": chosen, "valence": [0.5, -1], "arousal": [0, 0.25]}).to_csv(file, index=False)
    params = BOTH.model_copy(update={"va_targets": str(file)})
    points = points_of(with_points(photos, params, workspace))
    np.testing.assert_array_equal(points[[3, 0]], np.array([[0.5, 0], [-1, 0.25]], np.float32))
    assert np.isnan(points).any(axis=1).sum() == len(photos) - 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,valence\na,0\n", r"lacks the columns \['arousal'\]"),
        ("path,valence,arousal\na,0,1.5\n", "line 2 has arousal 1.5: -1 to 1 was expected"),
        ("path,valence,arousal\na,0,0\nb,nan,0\n", "line 3 has nan as valence, a number was expected"),
        ("path,valence,arousal\na,0,0\na,0,0\n", "line 3 has 'a' a second time"),
        ("path,valence,arousal\na,high,0\n", "of the wrong type"),
    ],
)
def test_a_csv_of_points_is_not_trusted(workspace, tmp_path, text, words):
    (tmp_path / "points.csv").write_text(text)
    params = BOTH.model_copy(update={"va_targets": str(tmp_path / "points.csv")})
    with pytest.raises(FercompError, match=words) as error:
        with_points(PHOTOS.read(workspace.photos), params, workspace)
    assert "\n" not in str(error.value)


def test_what_is_missing_is_said_in_one_line(workspace):
    photos = PHOTOS.read(workspace.photos)
    with pytest.raises(FercompError, match=r"oof\.csv not found.* run `fercomp crossval`"):
        with_points(photos, BOTH, workspace)
    with pytest.raises(FercompError, match=r"nowhere\.csv not found: name a CSV with path"):
        with_points(photos, BOTH.model_copy(update={"va_targets": "nowhere.csv"}), workspace)


def test_concordance_of_known_arrays():
    a = np.array([-0.5, 0.0, 0.5, 0.9])
    assert concordance(a, a) == pytest.approx(1)
    assert concordance(a, -a + 2 * a.mean()) == pytest.approx(-1)
    assert concordance(a, a + 1) == pytest.approx(2 * a.var() / (2 * a.var() + 1))
    assert concordance(a, np.zeros(4)) == 0
    assert concordance(np.zeros(2), np.zeros(2)) == 0


def test_agreement_is_over_what_is_known():
    said = np.array([[0.5, 0.1], [-0.5, -0.1], [0.9, 0.9]])
    meant = np.array([[0.4, -0.1], [-0.4, -0.1], [np.nan, np.nan]])
    scores = agreement(said, meant)
    assert scores["rmse_valence"] == pytest.approx(0.1)
    assert (scores["sign_valence"], scores["sign_arousal"]) == (1.0, 0.5)
    assert scores["ccc_valence"] > 0.9
    assert agreement(said[2:], meant[2:]) == {}
