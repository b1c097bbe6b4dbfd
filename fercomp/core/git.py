"""Which state of the code something was made with."""

import os
import subprocess
from typing import Final

COMMIT: Final = "FERCOMP_COMMIT"
"""The variable that says it where the code is used without its repository, as in a kernel at Kaggle."""


def head() -> str | None:
    """Returns the hash of the current commit, `None` outside of a git repository."""
    if os.environ.get(COMMIT):
        return os.environ[COMMIT]
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
