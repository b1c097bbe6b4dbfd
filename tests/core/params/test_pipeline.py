"""Models of `params.yaml` that are made of others: what can be made, and what is said of the rest."""

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import load_params

WHOLE = """
experiments: {one: {}, two: {seed: 1}}
relabelled: {better: {labels: weighted}}
students:
  pupil: {teacher: vote, weights: models/two/model.keras, epochs: 3}
  other: {teacher: crossval}
  third: {teacher: pupil, weights: models/pupil/model.keras}
  warm: {teacher: one, weights: start.weights.h5}
ensembles:
  vote: {members: [one, two]}
  three: {members: [vote, pupil], weights: fitted}
  all: {members: [three, crossval]}
  last: {members: [one-refit, pupil-refit]}
refits: {one-refit: one, pupil-refit: pupil, better-refit: better}
"""


def read(folder, text, overrides=()):
    path = folder / "params.yaml"
    path.write_text(text)
    return load_params(path, overrides)


def test_what_models_are_made_of(tmp_path):
    params = read(tmp_path, WHOLE)
    assert params.plan("pupil").train.teacher == "vote"
    assert params.plan("pupil").train.epochs == 3
    assert params.ensembles["vote"].weights == "equal"
    assert list(params.networks_in("all")) == ["one", "two", "pupil", "crossval"]
    assert params.made_of("pupil-refit") == ("pupil",)
    assert params.made_of("one") == ()
    assert params.group_of("better") == "relabelled"
    assert params.group_of("nobody") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "{teacher: vote, w",
            "{w",
            r"students\.pupil\.teacher: expected the name of one model.*received None",
        ),
        ("teacher: vote", "teacher: [one, two]", r"students\.pupil\.teacher: expected the name of one model"),
        ("teacher: vote", "teacher: vot", r"unknown model in students\.pupil 'vot': did you mean vote"),
        ("teacher: vote", "teacher: models/one", r"unknown model in students\.pupil 'models/one'"),
        ("teacher: vote", "teacher: pupil", "pupil is made of itself: pupil <- pupil"),
        ("teacher: vote", "teacher: three", "is made of itself: pupil <- three <- pupil"),
        ("[one, two]", "[one]", r"ensembles\.vote\.members: .*expected two names; a third model joins by"),
        ("[one, two]", "[one, two, pupil]", r"ensembles\.vote\.members: .*expected two names"),
        ("[one, two]", "one", r"ensembles\.vote\.members: .*expected two names"),
        ("[one, two]", "[one, one]", r"ensembles\.vote has the network one twice"),
        ("[vote, pupil]", "[vote, two]", r"ensembles\.three has the network two twice"),
        ("[one, two]", "[one, tow]", r"unknown model in ensembles\.vote 'tow': did you mean .*two"),
        ("[one, two]", "[one, ../two]", r"ensembles\.vote\.members\.1"),
        ("fitted", "best", r"ensembles\.three\.weights"),
        ("one-refit: one", "one-refit: vote", r"refits\.one-refit: vote is no network of experiments"),
        ("one-refit: one", "one-refit: better-refit", r"refits\.one-refit: better-refit is no network"),
        ("one-refit: one", "one-refit: crossval", r"refits\.one-refit: crossval is no network"),
        ("one-refit: one,", "one-refit: on,", r"unknown model in refits\.one-refit 'on': did you mean .*one"),
        (
            "models/two/",
            "models/better/",
            r"students\.pupil\.weights: .*make better first.*teacher: one, two",
        ),
        ("models/two/", "./models/better/", r"students\.pupil\.weights: .*make better first"),
        ("models/two/", "models/vote/", r"students\.pupil\.weights: .*make vote first"),
        ("pupil-refit: pupil", "vote: pupil", "ensembles and refits both have 'vote'"),
        ("{one: {}, two", "{crossval: {}, one: {}, two", "experiments.crossval: the stage `crossval` makes"),
        (
            "one: {}",
            "one: {teacher: vote}",
            r"experiments\.one\.teacher: .*makes vote first for students only",
        ),
        ("one: {}", "one: {teacher: [shipped, two]}", r"experiments\.one\.teacher: .*makes two first for"),
        ("{teacher: crossval}", "{teacher: crossval, labels: weighted}", r"students\.other is taught labels"),
        (
            "{teacher: crossval}",
            "{teacher: crossval, head: both}",
            r"students\.other is taught labels or points",
        ),
    ],
)
def test_what_cannot_be_made_is_one_line(tmp_path, old, new, told):
    assert old in WHOLE
    with pytest.raises(FercompError, match=told) as caught:
        read(tmp_path, WHOLE.replace(old, new))
    assert "\n" not in str(caught.value)


def test_teachers_that_the_pipeline_does_not_make_are_free(tmp_path):
    text = WHOLE.replace("one: {}", "one: {teacher: [shipped, /elsewhere/model]}")
    assert read(tmp_path, text).plan("one").train.teachers == ("shipped", "/elsewhere/model")


def test_what_is_typed_by_hand_is_not_checked_for_the_pipeline(tmp_path):
    params = read(tmp_path, WHOLE, ["train.teacher=vote", "train.labels=weighted"])
    assert params.plan("new").train.teacher == "vote"
    assert params.plan("pupil").train.labels == "weighted"


@pytest.mark.parametrize(("name", "told"), [("vote", "`fercomp ensemble`"), ("one-refit", "`fercomp refit`")])
def test_an_ensemble_is_not_trained(tmp_path, name, told):
    with pytest.raises(FercompError, match=told):
        read(tmp_path, WHOLE).plan(name)
