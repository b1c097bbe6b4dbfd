import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams, UncertainParams
from fercomp.core.tables import holdout_table, pred_probs
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.kaggle.submissions.history import find_origin
from fercomp.modeling.bundle.card import DECISION, HOLDOUT, OOF, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.export.copy import export_model
from fercomp.stages.evaluate import evaluate_model
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.uncertain import settle_uncertain

EIGHT = EMOTIONS[:8]


def write_holdout(folder, classes, pred_probs, labels):
    table = pd.DataFrame(pred_probs, columns=list(classes))
    table.insert(0, "image_path", [f"{i}.jpg" for i in range(len(table))])
    table.insert(1, "emotion", labels)
    holdout_table(classes).write(table, folder / HOLDOUT)


@pytest.fixture
def eight(workspace, write_model):
    """A model of eight classes that is right where it is sure; other photos are labelled uncertain."""
    folder = write_model(workspace.bundle("eight"), classes=EIGHT)
    rng = np.random.default_rng(0)
    n, names = 400, np.array(EIGHT)
    top = rng.uniform(0.2, 0.95, n)
    likeliest = rng.integers(0, 8, n)
    probs = np.repeat((1 - top)[:, None] / 7, 8, axis=1)
    probs[np.arange(n), likeliest] = top
    labels = np.where(top > 0.5, names[likeliest], UNCERTAIN)
    labels = np.where(rng.random(n) < 0.1, names[rng.integers(0, 8, n)], labels)
    write_holdout(folder, EIGHT, probs, labels)
    return folder


def test_an_eight_class_model_gets_the_threshold_that_answers_best(eight, workspace):
    settled = settle_uncertain(eight, UncertainParams())
    assert settled.used
    assert settled.sentence == (
        f"A threshold of {settled.rule.threshold:.3g} on the probability from now on: on unseen photos it "
        f"raises accuracy from {settled.plain.accuracy:.3f} to {settled.cross_fitted.accuracy:.3f}."
    )
    assert settled.rule.threshold == pytest.approx(0.5, abs=0.03)
    assert settled.plain.accuracy < 0.7 < settled.cross_fitted.accuracy <= settled.decided.accuracy
    card = read_card(eight)
    assert card.threshold == settled.rule.threshold
    assert card.scores["accuracy"] == pytest.approx(settled.cross_fitted.accuracy, abs=1e-6)
    sweep = pd.read_csv(eight / "uncertain.csv")
    assert set(sweep["score"]) == {"probability", "margin", "entropy"}
    assert sweep.query("score == 'probability'")["accuracy"].max() == pytest.approx(settled.decided.accuracy)
    with Image.open(eight / "uncertain.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.slow
def test_evaluation_counts_what_the_threshold_makes_uncertain(eight, workspace):
    before, _ = evaluate_model(eight, workspace.raw)
    settle_uncertain(eight, UncertainParams(score="margin"))
    scores, by_class = evaluate_model(eight, workspace.raw)
    assert scores.accuracy > before.accuracy
    assert scores.log_loss == before.log_loss
    assert json.loads((eight / "metrics.json").read_text())["accuracy"] == read_card(eight).scores["accuracy"]
    assert by_class["emotion"].tolist() == list(EMOTIONS)
    assert by_class.set_index("emotion").loc[UNCERTAIN, "recall"] > 0.8
    counts = pd.read_csv(eight / "confusion.csv", index_col="emotion")
    assert counts.shape == (9, 9)


def test_what_was_found_is_what_annotates_and_what_is_sent(eight, workspace):
    predict_test(eight, workspace, PredictParams())
    plain = pd.read_csv(write_submission(eight, workspace).path)
    assert UNCERTAIN not in set(plain["emotion"])
    before = load_bundle(eight).fingerprint
    settle_uncertain(eight, UncertainParams())
    assert load_bundle(eight).fingerprint != before
    with pytest.raises(FercompError, match="older than the model eight"):
        find_origin(workspace.submission("eight"), workspace)
    sent = pd.read_csv(write_submission(eight, workspace).path)["emotion"]
    card = read_card(eight)
    probs = pred_probs(holdout_table(EIGHT).read(eight / HOLDOUT), EIGHT)
    unsure = probs.max(axis=1) < card.threshold
    assert [emotion == UNCERTAIN for emotion in card.rule.labels(probs)] == unsure.tolist()
    np.testing.assert_array_equal(card.rule.confidences(probs), probs.max(axis=1))
    tested = pd.read_csv(workspace.test_probabilities("eight"))[list(EIGHT)].max(axis=1)
    assert (sent == UNCERTAIN).sum() == (tested < card.threshold).sum()


def test_a_decision_travels_with_its_model(eight, workspace, tmp_path):
    settle_uncertain(eight, UncertainParams())
    export_model(eight, tmp_path / "copy")
    assert not (tmp_path / "copy" / DECISION).exists(), "it stands on the card of the copy"
    assert read_card(tmp_path / "copy") == read_card(eight)
    settle_uncertain(workspace.bundle("tiny"), UncertainParams())
    export_model(workspace.bundle("tiny"), tmp_path / "small", precision="float16")
    small, original = read_card(tmp_path / "small"), read_card(workspace.bundle("tiny"))
    assert (small.rule, small.scores) == (original.rule, original.scores)
    assert small.trained == {**original.trained, "precision": "float16"}


def test_what_does_not_pay_is_not_used(eight):
    """A model whose sureness says nothing of its rightness."""
    rng = np.random.default_rng(1)
    top, likeliest = rng.uniform(0.2, 0.95, 300), rng.integers(0, 8, 300)
    probs = np.repeat((1 - top)[:, None] / 7, 8, axis=1)
    probs[np.arange(300), likeliest] = top
    write_holdout(eight, EIGHT, probs, np.array(EIGHT)[likeliest])
    settled = settle_uncertain(eight, UncertainParams())
    assert not settled.used
    told = "the tested threshold of 0.125 on the probability leaves accuracy at 1.000 on unseen photos."
    assert settled.sentence == f"Nothing changed: {told}"
    assert read_card(eight).threshold is None


@pytest.fixture
def nine(workspace, write_model):
    """A model of nine classes that holds back fear."""
    folder = write_model(workspace.bundle("nine"))
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(9, 0.15), 1200)
    labels = np.array(EMOTIONS)[[rng.choice(9, p=row) for row in probs]]
    probs[:, 3] *= 0.02
    write_holdout(folder, EMOTIONS, probs / probs.sum(axis=1, keepdims=True), labels)
    return folder


def test_a_nine_class_model_gets_a_class_bias(nine):
    settled = settle_uncertain(nine, UncertainParams())
    assert settled.used
    card = read_card(nine)
    assert card.threshold is None
    assert np.argmax(card.bias) == 3
    assert settled.plain.accuracy < settled.cross_fitted.accuracy <= settled.decided.accuracy
    assert card.trained["decision"]["fitted_on"] == HOLDOUT
    probs = pred_probs(holdout_table(EMOTIONS).read(nine / HOLDOUT))
    said, confidences = card.rule.labels(probs), card.rule.confidences(probs)
    brought = [i for i, row in enumerate(probs) if said[i] != EMOTIONS[row.argmax()]]
    assert brought, "a class bias changes some answers"
    assert confidences[brought[0]] == probs[brought[0], EMOTIONS.index(said[brought[0]])]


def test_a_class_bias_is_fitted_out_of_fold_where_there_is_such_a_table(nine):
    table = holdout_table(EMOTIONS).read(nine / HOLDOUT)
    fit, test = table[:800], table[800:]
    holdout_table(EMOTIONS).write(table, nine / OOF)  # it lists the holdout too
    holdout_table(EMOTIONS).write(test, nine / HOLDOUT)
    settled = settle_uncertain(nine, UncertainParams())
    assert read_card(nine).trained["decision"]["fitted_on"] == OOF
    assert settled.decided == settled.cross_fitted, "no photo of the holdout was fitted on"
    other = nine.parent / "other"
    shutil.copytree(nine, other)
    holdout_table(EMOTIONS).write(fit, other / OOF)
    assert settle_uncertain(other, UncertainParams()).fitted.bias == settled.fitted.bias


def test_the_same_model_gives_the_same_files(eight):
    settle_uncertain(eight, UncertainParams())
    first = {path.name: path.read_bytes() for path in eight.iterdir() if path.is_file()}
    settle_uncertain(eight, UncertainParams())
    assert first == {path.name: path.read_bytes() for path in eight.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"threshold": 2}', '{"bias": [1], "fitted_on": "x", "scores": {}}'],
)
def test_a_damaged_decision_is_one_line(eight, text):
    (eight / DECISION).write_text(text)
    with pytest.raises(
        FercompError, match=r"decision\.json is damaged.*run `fercomp uncertain` again"
    ) as error:
        read_card(eight)
    assert "\n" not in str(error.value)
