"""Which state of the code something was made with."""

import subprocess


def head() -> str | None:
    """Returns the hash of the current commit, `None` outside of a git repository."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
