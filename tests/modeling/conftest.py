import os
import subprocess
import sys

import pytest


@pytest.fixture
def run_on():
    """Runs a script that must end well in a process of its own, on the Keras backend of the given name."""

    def run(backend: str, script: str) -> subprocess.CompletedProcess:
        env = {**os.environ, "KERAS_BACKEND": backend}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done

    return run
