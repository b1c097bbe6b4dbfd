"""Runs cases, each in a process of its own, forked from one in which everything is imported already."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path

from .case import Case, Outcome, Result

TIMEOUT = 90.0
"""Seconds after which a case hangs; on a quiet machine most take less than two."""

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def warm_up() -> None:
    """Imports what commands import, so that a forked child need not."""
    import av
    import cv2
    import openvino
    import pandas
    import PIL.Image

    import fercomp.annotate.batch
    import fercomp.cli.app
    import fercomp.stages.fetch
    import fercomp.stages.predicting.predict
    import fercomp.stages.prepare
    import fercomp.stages.report
    import fercomp.stages.robustness

    del av, cv2, openvino, pandas, PIL, fercomp


def run_all(cases: Sequence[Case], base: Path, workers: int) -> Iterator[Result]:
    """Runs cases side by side.

    Args:
        cases: The cases.
        base: The workspace of which each case gets a copy.
        workers: How many at a time.

    Yields:
        What came of each, in the order of their end.
    """
    with ThreadPool(workers) as pool:
        yield from pool.imap_unordered(lambda case: run(case, base), cases)


def run(case: Case, base: Path) -> Result:
    """Runs one case and says what came of it."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        room = Path(name)
        work = room / "work"
        shutil.copytree(base, work, symlinks=True)
        words = case.build(work)
        before, around = _hashes(work), _listing(room)
        code, output = _fercomp(words, case.environment, work, room)
        outcome, why = _judge(case, code, output)
        if outcome == "clear":
            outcome, why = _look_around(case, before, around, work, room)
        return Result(case, outcome, why)


def _fercomp(
    words: Sequence[str], variables: Mapping[str, str], work: Path, room: Path
) -> tuple[int | None, str]:
    """Runs fercomp in a forked child; returns its exit code (none: it hung) and all that it said."""
    said = room / "said.txt"
    with said.open("wb") as file:
        pid = os.fork()
        if pid == 0:
            _child(words, variables, work, file.fileno())
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), said.read_text(errors="replace")
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None, said.read_text(errors="replace")


def _child(words: Sequence[str], variables: Mapping[str, str], work: Path, out: int) -> None:
    """Becomes `fercomp WORDS` in the folder `work`; does not return."""
    code = 70
    with contextlib.suppress(BaseException):
        os.setsid()
        os.chdir(work)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, encoding="utf-8", errors="surrogateescape", buffering=1)
            for number, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        os.environ.update({"HOME": str(work), "COLUMNS": "200", "NO_COLOR": "1", **variables})
        sys.argv = ["fercomp", *words]
        code = _call_main()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _call_main() -> int:
    import traceback

    from fercomp.cli.app import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _judge(case: Case, code: int | None, output: str) -> tuple[Outcome, str]:
    """Judges by exit code and words."""
    tail = " | ".join(output.strip().splitlines()[-3:])[-300:]
    if code is None:
        return "hang", tail
    if code < 0:
        return "crash", f"{signal.Signals(-code).name}: {tail}"
    if "Traceback (most recent call last)" in output:
        return "traceback", tail
    if found := CONTROL.search(output.replace("\r", "")):
        return "escape", f"control character {found[0]!r} on the terminal: {tail!r}"
    if code != 0 and not output.strip():
        return "wrong", f"exit code {code} without a word"
    if case.expected == "refused" and code == 0:
        return "wrong", f"accepted: {tail}"
    if case.expected == "done" and code != 0:
        return "wrong", f"refused: {tail}"
    return "clear", tail


def _look_around(
    case: Case, before: dict[str, str], around: set[str], work: Path, room: Path
) -> tuple[Outcome, str]:
    """Judges by what is there afterwards."""
    if strange := _listing(room) - around - {"said.txt"}:
        return "escape", f"wrote outside of its folder: {sorted(strange)[:3]}"
    after = _hashes(work)
    if lost := sorted(name for name, digest in before.items() if after.get(name) != digest):
        return "lost", f"changed or gone: {lost[:3]}"
    if why := case.check(work):
        return "wrong", why
    return "clear", ""


def _listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _hashes(work: Path) -> dict[str, str]:
    """Returns the digests of what a person cannot make again: raw photos, the review, the submissions."""
    precious = [
        *work.glob("datasets/raw/**/*"),
        *work.glob("datasets/review.jsonl"),
        *work.glob("precious/**/*"),
    ]
    return {
        str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in precious
        if path.is_file() and not path.is_symlink()
    }
