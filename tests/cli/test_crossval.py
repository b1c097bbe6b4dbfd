from contextlib import ExitStack

import pytest

from fercomp.core.locks import exclusive
from fercomp.core.tables import PHOTOS

pytestmark = pytest.mark.usefixtures("shallow")


@pytest.mark.slow
def test_the_networks_of_two_folds_are_a_model_like_any_other(workspace, fercomp):
    table = PHOTOS.read(workspace.photos)
    PHOTOS.write(
        table.assign(fold=table["fold"].where(table["fold"] < 0, table["fold"] % 2)), workspace.photos
    )
    few = ("--set", "train.size=16", "--set", "train.epochs=1")
    code, out, err = fercomp("crossval", *few)
    assert code == 0, err
    assert out.startswith("models/crossval: 2 networks, holdout accuracy 0.")
    assert workspace.oof.is_file()
    code, out, err = fercomp("predict")
    assert code == 0, err
    assert "models/crossval/test_probs.csv" in out


def test_a_process_that_joins_nothing_ends_with_1(workspace, fercomp):
    """So that what comes after `&&` does not begin without the ensemble."""
    with ExitStack() as others:
        for fold in range(5):
            others.enter_context(exclusive(workspace.training / "locks" / f"crossval-{fold}", "taken"))
        code, out, err = fercomp("crossval", "--set", "train.size=16")
    assert (code, out) == (1, "")
    assert "another process is at fold 0 and 1 and 2 and 3 and 4, and joins" in err


def test_without_ray_one_line_says_what_to_install(workspace, fercomp, monkeypatch):
    monkeypatch.setattr("fercomp.core.ray.cluster.find_spec", lambda _: None)
    code, out, err = fercomp("crossval", "--on", "ray")
    assert (code, out) == (1, "")
    assert "--on ray needs ray and pyarrow: install fercomp's extra `ray`" in err
    assert len(err.splitlines()) == 1
