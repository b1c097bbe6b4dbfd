import os
import subprocess
import sys

import pytest

from fercomp.core.paths import Workspace
from tests.make_tiny import write_tiny


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """What `tiny_workspace` is, as the code writes it today, but trained for two epochs."""
    workspace = Workspace(tmp_path_factory.mktemp("trained"))
    write_tiny(workspace, "train.epochs=2")
    return workspace


@pytest.fixture
def run_on():
    """Runs a script that must end well in a process of its own, on the Keras backend of the given name."""

    def run(backend: str, script: str) -> subprocess.CompletedProcess:
        env = {**os.environ, "KERAS_BACKEND": backend}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done

    return run
