"""What DVC says is stale. It is asked in a process of its own while the rest of the report is made."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from fercomp.core.progress import count

MOST_SECONDS: Final = 8.0
"""How long DVC's answer is waited for; on a new clone with many photos it reads all of them, once."""


@dataclass(frozen=True)
class Stale:
    """What DVC says.

    Attributes:
        said: One sentence.
        stages: Why each stage would run again, by its name.
        known: Whether DVC has answered.
        used: Whether `dvc repro` has ever run here.
    """

    said: str
    stages: Mapping[str, str]
    known: bool
    used: bool = False


class DvcQuestion:
    """A running `dvc status`, or why there is none.

    Args:
        root: The folder of `dvc.yaml`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._why_not = ""
        self._process: subprocess.Popen[bytes] | None = None
        if not (root / "dvc.yaml").is_file():
            self._why_not = "No dvc.yaml here, so DVC does not look after these files."
        elif find_spec("dvc") is None:
            self._why_not = "DVC is not installed, so it is not known what is stale."
        else:
            # What is said to the network or to a daemon of DVC's is left out.
            quiet = {"DVC_NO_ANALYTICS": "true", "CI": "true"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dvc", "status", "--json"],
                cwd=root,
                env={**os.environ, **quiet},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def answer(self, seconds: float = MOST_SECONDS) -> Stale:
        """Waits for the answer.

        Args:
            seconds: How long at most.
        """
        if self._process is None:
            return Stale(self._why_not, {}, known=False)
        try:
            out, err = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            said = f"DVC did not answer within {seconds:g} seconds: type `dvc status` and wait for it."
            return Stale(said, {}, known=False)
        try:
            stages = {str(name): _why(changes) for name, changes in dict(json.loads(out)).items()}
        except (ValueError, TypeError, RecursionError):
            lines = err.decode(errors="replace").strip().splitlines() or ["no answer"]
            return Stale(f"DVC could not say what is stale: {lines[-1]}", {}, known=False)
        said = f"{count(len(stages), 'stage')} would run again." if stages else "All stages are up to date."
        return Stale(said, stages, known=True, used=(self._root / "dvc.lock").is_file())

    def stop(self) -> None:
        """Ends DVC, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def asking_dvc(root: Path) -> Iterator[DvcQuestion]:
    """Asks DVC at once; when the block ends, no process of it is left."""
    question = DvcQuestion(root)
    try:
        yield question
    finally:
        question.stop()


def _why(changes: Any) -> str:
    """Writes a stage's changes in a line, such as `deps: params.yaml (train.epochs modified)`."""
    parts = []
    for change in changes if isinstance(changes, list) else [changes]:
        if not isinstance(change, dict):
            parts.append(str(change))
            continue
        for what, files in change.items():
            named = files if isinstance(files, dict) else {str(files): ""}
            parts.append(
                f"{what}: {', '.join(f'{name} {_state(state)}'.strip() for name, state in named.items())}"
            )
    return "; ".join(parts)


def _state(state: Any) -> str:
    if isinstance(state, dict):
        return f"({', '.join(f'{key} {value}' for key, value in state.items())})"
    return f"({state})" if state else ""
