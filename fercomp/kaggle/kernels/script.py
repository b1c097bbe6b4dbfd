"""What a kernel runs at Kaggle. `packing.kernel_text` sends this file, with the two values below filled in.

It uses Python's own library only. What it runs is fercomp's command
line, in a folder of its own with links to the competition's files. Kaggle throws away all that a session has
written which it cuts off, so a run that comes near that limit is ended here, and saved for the next kernel.
"""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

JOB: dict[str, Any] = json.loads("{}")
PAYLOAD: str = ""

STARTED: Final = time.monotonic()
ROOT: Final = Path(os.environ.get("FERCOMP_KAGGLE", "/kaggle"))
"""Kaggle's folder; another one in tests."""

WORK: Final = ROOT / "temp" / "fercomp"
SAVED: Final = ROOT / "working" / "fercomp"
DEEPEST: Final = 4
"""Folders below `input/` in which another kernel's output or a dataset may lie."""

GRACE: Final = 60.0
"""Seconds that a command has to end after it was interrupted."""

PATHS: Final = [str(WORK)]
"""Where commands find packages that came along."""

LEFT_OUT: Final = r"\.part\.|\..*\.lock|\.lock"
"""How the names of locks begin, and of what was being written."""

_stopped = False


def main() -> None:
    """Does what the job says and leaves its results, and a manifest of them, in Kaggle's output folder."""
    signal.signal(signal.SIGTERM, _stop)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    unpack_payload()
    restore()
    if JOB["gpu"] and (not shutil.which("nvidia-smi") or subprocess.run(["nvidia-smi"]).returncode):
        fail("this session has no GPU: verify a phone number at https://www.kaggle.com/settings")
    get_packages()
    state = "done"
    for step in JOB["steps"]:
        if step["makes"] and (WORK / step["makes"]).is_file():
            continue
        code = run(step["words"])
        if code is None:
            state = "cut"
            break
        if code:
            fail(f"`{' '.join(step['words'])}` ended with exit code {code}; its last lines are above")
    save(state)


def _stop(*_: object) -> None:
    global _stopped
    _stopped = True


def fail(why: str) -> NoReturn:
    """Ends the kernel with an error."""
    print(f"fercomp: {why}", flush=True)
    sys.exit(1)


def unpack_payload() -> None:
    """Unpacks what came along: fercomp itself, parameters, tables, models."""
    if JOB["payload"]:
        places = [folder / JOB["payload"] for folder in folders(ROOT / "input")]
        found = [place for place in places if place.is_file()]
        if not found:
            fail(f"the dataset with {JOB['payload']} is not attached")
        source: Any = found[0].open("rb")
    else:
        source = io.BytesIO(base64.b85decode(PAYLOAD))
    with source, tarfile.open(fileobj=source) as archive:
        archive.extractall(WORK, filter="data")
    command = WORK / "bin" / "fercomp"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m fercomp "$@"\n', encoding="utf-8", newline="\n"
    )
    command.chmod(0o755)


def folders(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Walks through the folders of what is attached, but for the competition's files."""
    yield folder
    if depth < DEEPEST and folder.is_dir():
        for child in sorted(folder.iterdir()):
            if child.is_dir() and child.name not in ("competitions", JOB["competition"]):
                yield from folders(child, depth + 1)


def restore() -> None:
    """Takes over what the kernel before this one has saved."""
    if not JOB["after"]:
        return
    for folder in folders(ROOT / "input"):
        path = folder / "fercomp" / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if manifest.get("run") == JOB["run"] and manifest.get("slug") == JOB["after"]:
            break
    else:
        fail(f"the output of {JOB['after']}, from which this kernel goes on, is not attached")
    for file in manifest["files"]:
        stored, target = folder / "fercomp" / file["stored"], WORK / file["path"]
        if digest(stored) != file["sha256"]:
            fail(f"{stored} is damaged")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stored, target)
    print(f"fercomp: going on from {len(manifest['files'])} files of {JOB['after']}", flush=True)


def get_packages() -> None:
    """Gets what Kaggle's image lacks: from the net, or from what came along."""
    sys.path.insert(0, str(WORK))
    from fercomp.kaggle.kernels import packages

    if JOB["internet"]:
        packages.install(JOB["requires"], WORK, fail)
    else:
        PATHS.extend(packages.take_along(JOB["requires"], WORK, fail))


def run(words: list[str]) -> int | None:
    """Runs a command of fercomp, or of DVC.

    Returns:
        Its exit code; `None` where it was ended, since the session comes near its limit.
    """
    if sys.platform == "win32":
        fail("a kernel runs on Linux")
    program = words if words[0] == "dvc" else ["fercomp", *words]
    print(f"fercomp: {' '.join(program)}", flush=True)
    variables = {
        "PYTHONPATH": os.pathsep.join(PATHS),
        "PYTHONUNBUFFERED": "1",
        "FERCOMP_COMMIT": JOB["commit"],
    }
    variables["FERCOMP_KAGGLE"] = str(ROOT)  # `fetch` finds the competition's files there
    path = f"{WORK / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, **variables, "PATH": path}
    process = subprocess.Popen(
        [sys.executable, "-m", *program], cwd=WORK, env=environment, start_new_session=True
    )
    while True:
        try:
            return process.wait(0.2)
        except subprocess.TimeoutExpired:
            if not _stopped and time.monotonic() - STARTED < JOB["seconds"] - JOB["margin"]:
                continue
        print("fercomp: the session comes near its limit: saving, the next kernel goes on", flush=True)
        for number in (signal.SIGINT, signal.SIGKILL):  # all that it has started, too
            try:
                os.killpg(process.pid, number)
                process.wait(GRACE)
                return None
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                return None
        return None


def save(state: str) -> None:
    """Copies what is to be kept into Kaggle's output folder, and writes the manifest, as the last file.

    Names there have no dot in front: Kaggle may not show such files.
    """
    SAVED.mkdir(parents=True, exist_ok=True)
    files = []
    kept = {place for pattern in JOB[state] for place in WORK.glob(pattern)}
    for path in sorted({path for place in kept for path in kept_files(place)}):
        name = path.relative_to(WORK).as_posix()
        stored = "/".join(f"_{part[1:]}" if part.startswith(".") else part for part in name.split("/"))
        target = SAVED / stored
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        size = target.stat().st_size
        files.append({"path": name, "stored": stored, "sha256": digest(target), "bytes": size})
    if state == "done" and JOB["submits"]:
        shutil.copyfile(WORK / JOB["submits"], ROOT / "working" / JOB["submits_as"])
    manifest = {"run": JOB["run"], "slug": JOB["slug"], "state": state, "files": files}
    temporary = SAVED / "manifest.tmp"
    temporary.write_text(json.dumps(manifest, indent=1), encoding="utf-8", newline="\n")
    temporary.rename(SAVED / "manifest.json")
    print(f"fercomp: {state}, {len(files)} files", flush=True)


def kept_files(path: Path) -> list[Path]:
    """Lists the files at or below a path, but for locks and what was being written."""
    found = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    parts = [(file, file.relative_to(WORK).parts) for file in found]
    return [f for f, names in parts if not any(re.match(LEFT_OUT, name) for name in names)]


def digest(path: Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
