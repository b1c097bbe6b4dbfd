import json

import numpy as np
import pytest

from fercomp.core.params import MachineParams, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.stages.taught import teacher_of

TINY = ("--set", "train.size=32", "--set", "train.epochs=1", "--set", "train.batch_size=16")
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.mark.slow
def test_a_student_learns_from_its_teacher(workspace, write_model, fercomp):
    write_model(workspace.bundle("teacher"))
    code, out, err = fercomp("distill", "teacher", *TINY)
    assert code == 0, err
    assert out.startswith("models/teacher-student: holdout accuracy 0.")
    lines = [line.removeprefix("Next:").strip() for line in out.splitlines()]
    commands = ("uncertain --model", "evaluate --model", "predict --model", "submission --model")
    assert lines[1:5] == [f"fercomp {command} teacher-student" for command in commands]
    assert lines[5:] == ["fercomp submit submissions/teacher-student.csv"]
    params = json.loads((workspace.bundle("teacher-student") / "card.json").read_text())["trained"]["params"]
    assert (params["teacher"], params["backbone"], params["epochs"]) == ("teacher", "compact", 1)
    assert "asking teacher about" in err


@pytest.mark.slow
def test_the_teachers_weight_matters(workspace, write_model, fercomp):
    write_model(workspace.bundle("teacher"))
    weights = {}
    for weight in ("0", "1"):
        words = ("distill", "teacher", "-n", f"student{weight}", "--set", f"train.teacher_weight={weight}")
        assert fercomp(*words, *TINY)[0] == 0
        weights[weight] = (workspace.bundle(f"student{weight}") / "graph/graph.bin").read_bytes()
    assert weights["0"] != weights["1"]


@pytest.mark.slow
def test_of_several_teachers_the_mean_is_learned(workspace, write_model, fercomp):
    for seed, name in enumerate(("one", "other")):
        write_model(workspace.bundle(name), seed=seed)
    code, _, err = fercomp("distill", "one", "other", "-n", "s", "--set", "train.teacher_weight=1", *TINY)
    assert code == 0, err
    trained = json.loads((workspace.bundle("s") / "card.json").read_text())["trained"]["params"]
    params, photos = TrainParams.model_validate(trained), PHOTOS.read(workspace.photos)
    assert params.teachers == ("one", "other")
    both = teacher_of(params, photos, workspace, MachineParams())
    one, other = (
        teacher_of(params.model_copy(update={"teacher": name}), photos, workspace, MachineParams())
        for name in params.teachers
    )
    np.testing.assert_allclose(both, (one + other) / 2)
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tiny", "--name", "tiny"), "would take its teacher's place"),
        (("shipped", "models/tiny", "--name", "tiny"), "would take its teacher's place"),
        (("tine", "--name", "student"), "did you mean tiny"),
        (("tiny", "--name", "shipped"), "came with fercomp"),
        (("tiny", "--name", "student", "--set", "train.teacher_weight=2"), "train.teacher_weight"),
    ],
)
def test_mistakes_are_one_line(workspace, fercomp, words, told):
    code, out, err = fercomp("distill", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err
