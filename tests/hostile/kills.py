"""Kills: commands that write are stopped at seeded moments; the next run has to end as an unbroken one."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from subprocess import TimeoutExpired

from tests.forks import Forked

from .case import Case, Outcome, Result
from .kill_ground import COMMANDS, PATIENCE, Ground, listing

SIGNALS = ("SIGKILL", "SIGTERM")


def kill_cases() -> list[Case]:
    """Returns all kills, and what else happens while a network is trained; `kill_results` does it."""
    names = [f"{name}, {i}" for name, (count, _) in COMMANDS.items() for i in range(count)]
    return [Case("kills", name, lambda folder: []) for name in [*names, *SCENES]]


def kill_results(cases: Sequence[Case], workers: int) -> Iterator[Result]:
    """Does what the cases say."""
    if not cases:
        return
    with tempfile.TemporaryDirectory(prefix="hostile-kills-") as name, ThreadPool(workers) as pool:
        ground = Ground(Path(name))
        try:
            yield from pool.imap_unordered(partial(_result, ground), cases)
        finally:
            ground.forks.close()


def _result(ground: Ground, case: Case) -> Result:
    name, _, number = case.name.partition(", ")
    try:
        outcome, why = SCENES[name](ground) if name in SCENES else _kill(ground, name, int(number))
    except TimeoutExpired:
        outcome, why = "hang", f"no end after {PATIENCE:.0f} s"
    return Result(case, outcome, why)


Told = tuple[Outcome, str]


def _kill(ground: Ground, name: str, number: int) -> Told:
    rng = random.Random(f"{name} {number}")
    whole, share = ground.unbroken(name), rng.uniform(0.02, 0.98)
    stop = getattr(signal, SIGNALS[number % 2])
    for patience in (1.0, 0.5, 0.2):  # by time, it may have ended
        work = ground.copy()
        if number % 3 == 2:
            child = ground.run(ground.words(name), work)
            time.sleep(share * patience * whole.seconds)
            child.send_signal(stop)
        else:
            child = ground.run(ground.words(name), work, stop, 1 + int(share * whole.changes * patience))
        _, err = child.communicate(PATIENCE)
        if child.returncode == -stop:
            break
    else:
        return "wrong", f"ended with {child.returncode} before it was killed: {err[-200:]}"
    if "Traceback" in err:
        return "traceback", err[-300:]
    raw, aside = _raw(listing(work)), any((work / "datasets").glob(".part.*.raw.old"))
    if not aside and raw not in (_raw(whole.files), _raw(listing(ground.start))):
        return "lost", f"{stop.name} at {share:.2f}: datasets/raw is neither the old nor the new"
    return _same(ground, name, work, f"{stop.name} at {share:.2f}")


def _raw(files: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if name.startswith("datasets/raw/")}


def _same(ground: Ground, name: str, work: Path, after: str) -> Told:
    """Runs the command again and compares what is there with what an unbroken run leaves."""
    child = ground.run(ground.words(name), work)
    out, err = child.communicate(PATIENCE)
    if child.returncode:
        return ("traceback" if "Traceback" in err else "wrong"), f"{after}: {(out + err)[-300:]}"
    there, wanted = listing(work), ground.unbroken(name).files
    shutil.rmtree(work.parent)
    if there == wanted:
        return "clear", ""
    more, fewer = sorted(there.keys() - wanted.keys()), sorted(wanted.keys() - there.keys())
    other = sorted(name for name in there.keys() & wanted.keys() if there[name] != wanted[name])
    return "wrong", f"{after}: left over {more[:3]}, missing {fewer[:3]}, other bytes {other[:3]}"


def _begun(ground: Ground, **more: int) -> tuple[Path, Forked]:
    """Starts a training and waits for its first checkpoint."""
    work = ground.copy()
    child = ground.run(ground.words("train"), work, **more)
    while child.poll() is None and not (work / "models" / ".training" / "new.npz").exists():
        time.sleep(0.01)
    return work, child


def _two_trainings(ground: Ground) -> Told:
    work, first = _begun(ground)
    second = ground.run(ground.words("train"), work)
    _, err = second.communicate(PATIENCE)
    first.wait(PATIENCE)
    if second.returncode != 1 or "error:" not in err or "Traceback" in err:
        return "wrong", f"the second ended with {second.returncode}: {err[-300:]}"
    if first.returncode:
        return "wrong", f"the first ended with {first.returncode}"
    return _same(ground, "train", work, "two trainings")


def _fetch_meanwhile(ground: Ground) -> Told:
    work, training = _begun(ground)
    fetch = ground.run(ground.words("fetch a zip"), work)
    codes = fetch.wait(PATIENCE), training.wait(PATIENCE)
    said = fetch.communicate(PATIENCE)[1] + training.communicate(PATIENCE)[1]
    if "Traceback" in said or codes != (0, 0):
        return ("traceback" if "Traceback" in said else "wrong"), f"{codes}: {said[-300:]}"
    return _same(ground, "train", work, "a fetch meanwhile")


def _full_disk(ground: Ground, limit: int) -> Told:
    work = ground.copy()
    child = ground.run(ground.words("train"), work, limit=limit)
    _, err = child.communicate(PATIENCE)
    if child.returncode != 1 or "the disk is full" not in err or "Traceback" in err:
        return ("traceback" if "Traceback" in err else "wrong"), f"{child.returncode}: {err[-300:]}"
    return _same(ground, "train", work, "a full disk")


def _clock(ground: Ground, seconds: int) -> Told:
    """Kills a training whose clock is wrong, and dates all files wrongly, too."""
    work, child = _begun(ground, clock=seconds)
    child.kill()
    child.wait()
    for path in work.rglob("*"):
        os.utime(path, (path.stat().st_mtime + seconds,) * 2)
    return _same(ground, "train", work, "a clock that jumps")


YEARS = 20 * 365 * 86400
SCENES = {
    "two trainings of one model": _two_trainings,
    "a fetch while a network is trained": _fetch_meanwhile,
    **{f"a disk that is full after {n} bytes": partial(_full_disk, limit=n) for n in (500, 20_000, 60_000)},
    "a clock that was ahead": partial(_clock, seconds=YEARS),
    "a clock that was behind": partial(_clock, seconds=-YEARS),
}
