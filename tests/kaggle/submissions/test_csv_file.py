import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.kaggle.submissions.csv_file import (
    SUBMISSION,
    build_submission,
    check_submission,
    write_submission,
)
from fercomp.stages.predicting.predict import predict_test

SAMPLE = pd.DataFrame({"image_path": ["0.jpg", "1.jpg", "10.jpg"], "emotion": "neutral"})


def test_labels_take_the_order_of_the_sample():
    labels = pd.Series({"10.jpg": "sad", "0.jpg": "happy", "1.jpg": "fear"})
    submission, filled = build_submission(labels, SAMPLE)
    assert submission["image_path"].tolist() == ["0.jpg", "1.jpg", "10.jpg"]
    assert submission["emotion"].tolist() == ["happy", "fear", "sad"]
    assert filled == 0


def test_an_unreadable_photo_gets_the_samples_own_answer():
    submission, filled = build_submission(pd.Series({"1.jpg": "sad"}), SAMPLE)
    assert submission["emotion"].tolist() == ["neutral", "sad", "neutral"]
    assert filled == 2


def test_predictions_of_other_photos_are_refused():
    with pytest.raises(FercompError, match=r"not in the sample submission, such as '7\.jpg'"):
        build_submission(pd.Series({"7.jpg": "sad"}), SAMPLE)
    with pytest.raises(FercompError, match="no photo of the sample submission was predicted"):
        build_submission(pd.Series(dtype=str), SAMPLE)
    with pytest.raises(FercompError, match=r"'0\.jpg' was predicted twice"):
        build_submission(pd.Series(["sad", "sad"], index=["0.jpg", "0.jpg"]), SAMPLE)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (SAMPLE[:2], "2 rows, 3 were expected"),
        (SAMPLE[::-1], "the right ids in another order"),
        (SAMPLE.assign(image_path=["0.jpg", "x.jpg", "10.jpg"]), "id 'x.jpg' in row 2, '1.jpg' was expected"),
        (SAMPLE.assign(emotion="joy"), "unknown classes"),
    ],
)
def test_what_kaggle_would_refuse(rows, message):
    with pytest.raises(FercompError, match=message):
        check_submission(rows, SAMPLE, "mine.csv")


def test_from_photos_to_csv(workspace):
    folder = workspace.bundle("tiny")
    with pytest.raises(FercompError, match=r"test_probs\.csv not found: run `fercomp predict --model tiny`"):
        write_submission(folder, workspace)
    predict_test(folder, workspace, PredictParams())
    written = write_submission(folder, workspace)
    sample = SUBMISSION.read(workspace.sample_submission)
    submission = SUBMISSION.read(written.path)
    assert submission["image_path"].tolist() == sample["image_path"].tolist()
    assert set(submission["emotion"]) <= set(EMOTIONS)
    assert (written.rows, written.filled) == (20, 0)
    assert written.path.read_text().startswith("image_path,emotion\n")


def test_only_a_photo_that_cannot_be_read_is_filled(workspace):
    photos = PHOTOS.read(workspace.photos)
    PHOTOS.write(photos[photos["image_path"] != "test_kaggle/3.jpg"], workspace.photos)
    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    told = r"no answer for 1 photo of 20 that can be read, such as '3\.jpg': .*predict --model tiny` again"
    with pytest.raises(FercompError, match=told):
        write_submission(workspace.bundle("tiny"), workspace)
    problem = {"image_path": "test_kaggle/3.jpg", "split": "test", "emotion": ""}
    PROBLEMS.write(pd.DataFrame([{**problem, "reason": "truncated_used"}]), workspace.problems)
    with pytest.raises(FercompError, match=told):
        write_submission(workspace.bundle("tiny"), workspace)
    PROBLEMS.write(pd.DataFrame([{**problem, "reason": "not_an_image"}]), workspace.problems)
    assert write_submission(workspace.bundle("tiny"), workspace).filled == 1
    workspace.problems.unlink()
    (workspace.raw / "test_kaggle" / "3.jpg").unlink()
    assert write_submission(workspace.bundle("tiny"), workspace).filled == 1


def test_a_table_of_probabilities_that_lacks_its_end_writes_nothing(workspace):
    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    path = workspace.test_probabilities("tiny")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(FercompError, match="no answer for 19 photos of 20"):
        write_submission(workspace.bundle("tiny"), workspace)
    assert not workspace.submission("tiny").exists()


@pytest.mark.parametrize("header", ["id,image_path,emotion", "image_path,emotion,", "emotion,image_path"])
def test_a_sample_with_other_columns_writes_nothing(workspace, header):
    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    sample = SUBMISSION.read(workspace.sample_submission).assign(**{"id": 0, "": ""})
    sample[header.split(",")].to_csv(workspace.sample_submission, index=False)
    with pytest.raises(FercompError, match=r"tiny\.csv has the columns .*sample_submission\.csv has"):
        write_submission(workspace.bundle("tiny"), workspace)
    assert not workspace.submission("tiny").exists()


def test_a_sample_with_other_ids_writes_nothing(workspace):
    predict_test(workspace.bundle("tiny"), workspace, PredictParams())
    SUBMISSION.write(SAMPLE.assign(image_path=["a.jpg", "b.jpg", "c.jpg"]), workspace.sample_submission)
    with pytest.raises(FercompError, match="not in the sample submission"):
        write_submission(workspace.bundle("tiny"), workspace)
    assert not workspace.submission("tiny").exists()
