import json

import pytest

TINY = ("--set", "train.size=32", "--set", "train.epochs=1", "--set", "train.batch_size=16")
pytestmark = pytest.mark.usefixtures("shallow")


def test_a_student_learns_from_its_teacher(workspace, write_model, fercomp):
    write_model(workspace.bundle("teacher"))
    code, out, err = fercomp("distill", "teacher", "--name", "student", *TINY)
    assert code == 0, err
    assert out.startswith("models/student: holdout accuracy 0.")
    params = json.loads((workspace.bundle("student") / "card.json").read_text())["trained"]["params"]
    assert (params["teacher"], params["backbone"], params["epochs"]) == ("teacher", "compact", 1)
    assert "asking the teacher" in err


def test_the_teachers_weight_matters(workspace, write_model, fercomp):
    write_model(workspace.bundle("teacher"))
    weights = {}
    for weight in ("0", "1"):
        words = ("distill", "teacher", "-n", f"student{weight}", "--set", f"train.teacher_weight={weight}")
        assert fercomp(*words, *TINY)[0] == 0
        weights[weight] = (workspace.bundle(f"student{weight}") / "graph/graph.bin").read_bytes()
    assert weights["0"] != weights["1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tiny", "--name", "tiny"), "would take its teacher's place"),
        (("models/tiny", "--name", "tiny"), "would take its teacher's place"),
        (("tine", "--name", "student"), "did you mean tiny"),
        (("tiny", "--name", "shipped"), "came with fercomp"),
        (("tiny", "--name", "student", "--set", "train.teacher_weight=2"), "train.teacher_weight"),
    ],
)
def test_mistakes_are_one_line(workspace, fercomp, words, told):
    code, out, err = fercomp("distill", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err
