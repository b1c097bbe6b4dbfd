"""The demo as people see it: nothing is made smaller, since what it comes to is what they judge."""

import pytest

from fercomp.core.params import Params
from fercomp.core.paths import Workspace
from fercomp.stages.demo import run_demo


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_network_learns(tmp_path):
    scores, done = run_demo(Workspace(tmp_path), Params())
    assert scores.accuracy > 0.4  # one in nine by chance
    assert (done.photos, done.frames) == (6, 100)
