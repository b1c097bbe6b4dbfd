"""The bench on real small networks. How fast they are is for `fercomp bench` to say, not for tests."""

import io
import json
import math
import re
import shutil

import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from fercomp.core.errors import FercompError
from fercomp.core.params import load_params
from fercomp.kaggle.submissions.history import kaggle_scores
from fercomp.modeling.bundle import cost as measuring
from fercomp.modeling.bundle.card import CARD, KERAS_MODEL, read_card
from fercomp.modeling.bundle.cost import TIMED_BATCH, CostRow, measure, median_seconds
from fercomp.modeling.export.copy import export_model
from fercomp.stages.bench import BENCH, bench, bench_table, look_at, write_bench
from fercomp.stages.ensemble import build_ensemble
from tests.make_tiny import PARAMS

TINY = (*PARAMS, "train.weights=none")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(measuring, "SECONDS", 0.01)


def plan(workspace, *overrides):
    return load_params(workspace.params, overrides).plan("compact", "compact")


def found(plans, workspace):
    done, problems = look_at(plans, workspace)
    assert problems == {}
    return done


@pytest.mark.slow
def test_a_row_says_what_ships(workspace, quick):
    folder = workspace.bundle("tiny")
    row = measure(folder, workspace)
    card = read_card(folder)
    assert (row.model, row.backbone, row.runtime, row.problem) == ("tiny", "compact", "openvino", "")
    assert (row.accuracy, row.macro_f1) == (card.scores["accuracy"], card.scores["macro_f1"])
    assert round(row.megabytes * 1e6) == sum(path.stat().st_size for path in (folder / "graph").iterdir())
    assert row.keeps_25_fps == ("yes" if row.ms_per_face <= 40 else "no")
    (folder / CARD).write_text(json.dumps({**card.model_dump(), "runtime": "keras"}))
    on_keras = measure(folder, workspace)
    assert round(on_keras.megabytes * 1e6) == (folder / KERAS_MODEL).stat().st_size
    # OpenVINO folds batch normalisation into what is before it.
    assert 0.95 < row.parameters / on_keras.parameters < 1


def test_an_ensemble_costs_what_its_members_cost(workspace, quick):
    tiny, other = workspace.bundle("tiny"), workspace.bundle("other")
    shutil.copytree(tiny, other)
    card = read_card(tiny).model_dump()
    (other / CARD).write_text(json.dumps({**card, "name": "other", "margin": card["margin"] + 0.1}))
    build_ensemble("both", [tiny, other], "equal", workspace)
    one, two = measure(tiny, workspace), measure(workspace.bundle("both"), workspace)
    assert (two.backbone, two.parameters) == ("ensemble", 2 * one.parameters)
    assert two.megabytes == pytest.approx(2 * one.megabytes)


def test_speed_is_measured_on_batches_of_real_photos(workspace, quick, monkeypatch):
    seen = []

    class Watched(measuring.Bundle):
        def predict(self, *faces):
            seen.append(faces)
            return super().predict(*faces)

    monkeypatch.setattr(measuring, "load_bundle", Watched)
    measure(workspace.bundle("tiny"), workspace)
    assert {len(faces) for (faces,) in seen} == {1, TIMED_BATCH}
    assert all(faces.std() > 10 for (faces,) in seen), "a face is not one colour"


def test_the_median_does_not_count_the_first_calls():
    naps = iter([0.3, 0.2, 0.1])
    assert median_seconds(lambda: measuring.time.sleep(next(naps, 0.02))) == pytest.approx(0.02, abs=0.02)


def test_only_the_same_training_on_the_same_photos_is_finished(workspace):
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("compact"))
    same = plan(workspace, *TINY)
    assert found({"compact": same}, workspace) == {"compact": workspace.bundle("compact")}
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("bench-compact"))
    for other in ("train.seed=1", "train.augment.rotate=0", "train.batch_size=15"):
        assert found({"compact": plan(workspace, *TINY, other)}, workspace) == {}
    # Halved and accumulated, where the batch did not fit into memory.
    assert found({"compact": same.changed(batch_size=32)}, workspace) == {}
    halved = read_card(workspace.bundle("compact")).model_dump()
    halved["trained"]["params"] |= {"batch_size": 8, "accumulate": 2}
    for name in ("compact", "bench-compact"):
        (workspace.bundle(name) / CARD).write_text(json.dumps(halved))
    assert found({"compact": same}, workspace) == {"compact": workspace.bundle("bench-compact")}
    # Parameters that a later version has brought count as their defaults, and as nothing else.
    del halved["trained"]["params"]["mixup"], halved["trained"]["params"]["augment"]["erase"]
    (workspace.bundle("bench-compact") / CARD).write_text(json.dumps(halved))
    assert found({"compact": same}, workspace) == {"compact": workspace.bundle("bench-compact")}
    assert found({"compact": same.changed(mixup=0.2)}, workspace) == {}
    (workspace.bundle("bench-compact") / CARD).write_text("{}")
    photos = pd.read_csv(workspace.photos)
    photos.loc[photos.index[photos["split"] == "train"][0], "sha1"] = "0" * 40
    photos.to_csv(workspace.photos, index=False)
    assert found({"compact": same}, workspace) == {}


def test_kaggle_scores_are_the_best_of_an_experiment(workspace):
    assert kaggle_scores(workspace) == {}
    history = workspace.root / "submissions" / "history.csv"
    history.parent.mkdir(exist_ok=True)
    history.write_text(
        "time,experiment,public,private\n1,tiny,0.51,0.49\n2,tiny,0.53,\n3,tiny,,\n4,other,pending,\n"
    )
    scores = kaggle_scores(workspace)
    assert scores["tiny"] == (0.53, 0.49)
    assert all(math.isnan(score) for score in scores["other"])
    history.write_text("time\n1\n")
    with pytest.raises(FercompError, match="lacks the columns"):
        kaggle_scores(workspace)


@pytest.mark.slow
def test_kaggle_scores_stand_in_the_table(workspace):
    history = workspace.root / "submissions" / "history.csv"
    history.parent.mkdir(exist_ok=True)
    history.write_text("experiment,public,private\ntiny,0.53,0.49\n")
    (row,) = bench([], ["tiny"], load_params(workspace.params), workspace)
    assert (row.kaggle_public, row.kaggle_private) == (0.53, 0.49)
    written = BENCH.read(workspace.models / "bench.csv")
    assert written["kaggle_public"].astype(float).tolist() == [0.53]


ROWS = [
    CostRow("best", accuracy=0.62, macro_f1=0.5, parameters=1234567, ms_per_face=1.2, keeps_25_fps="yes"),
    CostRow("slow", accuracy=0.61, macro_f1=0.5, parameters=2e8, ms_per_face=800, keeps_25_fps="no"),
    CostRow("broken", problem="its weights [imagenet] cannot be downloaded"),
]


@pytest.mark.slow
def test_scores_from_before_a_refit_are_told_to_be(workspace, quick, capfd):
    params = load_params(workspace.params, ())
    for trained, told in (({}, False), ({"refit_of": "first"}, True)):
        file = workspace.bundle("tiny") / CARD
        file.write_text(json.dumps({**json.loads(file.read_text()), "trained": trained}))
        bench([], ["tiny"], params, workspace)
        assert ("before `fercomp refit`" in capfd.readouterr().err) == told


@pytest.mark.slow
def test_it_says_of_an_export_with_fewer_bits_that_its_scores_are_the_originals(workspace, quick, capfd):
    export_model(workspace.bundle("tiny"), workspace.bundle("small"), "small", "float16", workspace)
    bench((), ("tiny", "small"), load_params(workspace.params), workspace)
    lines = [line for line in capfd.readouterr().err.splitlines() if "scores are from before" in line]
    assert lines == ["small: scores are from before it was exported as float16"]


def test_the_table_fits_a_terminal_and_leaves_out_what_is_not_known():
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(bench_table(ROWS, console))
    lines = console.export_text().splitlines()
    assert re.search(r"^ *best +1\.2 +0\.6200 +0\.5000 +1\.20 +yes *$", "\n".join(lines), re.MULTILINE)
    assert not re.search("public|per s|broken", "\n".join(lines))


def test_the_picture_shows_every_row_that_has_both_numbers(workspace, monkeypatch):
    write_bench(ROWS, workspace)
    with Image.open(workspace.models / "bench.png") as picture:
        assert len(set(picture.convert("L").tobytes())) > 10
    drawn = []
    monkeypatch.setattr("fercomp.report.score_plots.plot_speed", lambda names, *_: drawn.append(names))
    write_bench(ROWS, workspace)
    assert drawn == [["best", "slow"]]
