import inspect
import re
import shutil

import pytest

from fercomp.cli.bench import bench
from fercomp.modeling.bundle.card import read_card
from fercomp.stages.bench import BENCH, BENCH_BACKBONES
from tests.make_tiny import PARAMS


def test_the_help_names_the_backbones_that_are_compared():
    argument = inspect.signature(bench, eval_str=True).parameters["backbones"].annotation
    assert argument.__metadata__[0].show_default == ", ".join(BENCH_BACKBONES)


def with_tiny_parameters(*words, epochs=None):
    """Returns the words of a command with the parameters that the bundle `tiny` was trained with."""
    values = (*PARAMS, "train.weights=none", *([f"train.epochs={epochs}"] if epochs else []))
    return [*words, *(word for value in values for word in ("--set", value))]


@pytest.mark.slow
def test_a_backbone_is_trained_and_measured(workspace, fercomp):
    code, out, err = fercomp(*with_tiny_parameters("bench", "compact", epochs=1))
    assert code == 0, err
    card = read_card(workspace.bundle("bench-compact"))
    assert (card.backbone, card.trained["params"]["epochs"]) == ("compact", 1)
    (row,) = BENCH.read(workspace.models / "bench.csv").to_dict("records")
    assert (row["model"], row["backbone"], row["problem"]) == ("bench-compact", "compact", "")
    assert float(row["accuracy"]) == card.scores["accuracy"]
    assert "bench-compact" in out


@pytest.mark.slow
def test_what_cannot_run_is_said_before_anything_is_trained(workspace, fercomp):
    words = with_tiny_parameters("bench", "compact", "facenet", epochs=1)
    code, out, err = fercomp(*words, "--set", "train.weights=no.weights.h5", "--set", "train.teacher=nobody")
    assert code == 1
    assert err.count("cannot run and is left out: weights file no.weights.h5 not found") == 2
    assert "training" not in err
    assert "bench-facenet failed: weights file" in out
    problems = BENCH.read(workspace.models / "bench.csv")
    assert problems["model"].tolist() == ["bench-compact", "bench-facenet"]
    assert not workspace.bundle("bench-compact").exists()
    code, out, err = fercomp(*with_tiny_parameters("bench", "compact"), "--set", "train.labels=relabelled")
    assert code == 1
    assert "cannot run and is left out: datasets/labels.csv not found: run `fercomp crossval`" in err


@pytest.mark.slow
def test_a_backbone_that_fails_costs_its_row_and_a_finished_one_is_not_trained_again(workspace, fercomp):
    finished = shutil.copytree(workspace.bundle("tiny"), workspace.bundle("bench-compact"))
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    code, out, err = fercomp(*with_tiny_parameters("bench", "inception_v3", "compact"))
    assert code == 1, err
    assert before == {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    told = "inception_v3 cannot be built for 32 pixels"
    assert re.search(rf"1/2 bench-compact: trained.*2/2 bench-inception_v3: training.*{told}", err, re.DOTALL)
    assert f"bench-inception_v3 failed: {told}" in out
    good, bad = BENCH.read(workspace.models / "bench.csv").to_dict("records")
    assert (good["backbone"], good["problem"]) == ("compact", "")
    assert (bad["model"], bad["backbone"]) == ("bench-inception_v3", "inception_v3")
    assert bad["problem"].startswith(told)
    assert (bad["accuracy"], bad["keeps_25_fps"]) == ("", "")


def test_a_failure_is_exit_code_1(workspace, fercomp):
    (workspace.bundle("tiny") / "graph/graph.bin").unlink()
    code, out, err = fercomp("bench", "--model", "tiny")
    assert code == 1
    assert "graph/graph.bin not found: train the model again" in err
    assert out.startswith("tiny failed: ")
    assert BENCH.read(workspace.models / "bench.csv")["problem"].str.contains("graph.bin not found").all()
    assert not (workspace.models / "bench.png").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("bench", "compct"), "unknown backbone 'compct': did you mean compact"),
        (("bench", "--model", "tinny"), "unknown model 'tinny': did you mean tiny"),
        (("bench", "compact", "--set", "train.epoch=3"), "unknown parameter 'train.epoch'"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_trained(workspace, fercomp, command, message):
    code, out, err = fercomp(*command)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
