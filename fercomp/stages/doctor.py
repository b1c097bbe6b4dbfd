"""The health of an installation: what is there, what is missing, what to do about it.

Every check looks and touches nothing: no network, no camera opened, no secret read or shown.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from fercomp.core.errors import FercompError
from fercomp.core.isolated import isolated
from fercomp.core.params import load_params
from fercomp.core.paths import Workspace
from fercomp.core.reading import is_there
from fercomp.core.text_table import text_table, texts
from fercomp.kaggle.client.credentials import SETTINGS, find_credentials
from fercomp.modeling.backend.choice import keras_sees, lack_of_gpu, nvidia_gpus
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.report.other_photos import other_photos

if TYPE_CHECKING:
    from rich.table import Table

CLONE: Final = (Path(__file__).parents[2] / "run").is_file()
"""Whether fercomp runs from a clone of the repository, where `./run` keeps the environment right."""

INSTALL_AGAIN: Final = (
    "start through ./run, which installs it" if CLONE else "install fercomp again, as you installed it before"
)

State = Literal["ok", "optional", "problem"]

TRAINS: Final = ("tensorflow", "keras", "kaggle", "dvc")
"""What an installation just for `annotate` and `live` leaves out."""
PACKAGES: Final = ("openvino", *TRAINS)
OPENCV: Final = {"opencv-python": "can open windows", "opencv-python-headless": "cannot open windows"}
LEAST_FREE: Final = 2e9
"""Bytes of free disk below which a training run or an annotated folder may not fit."""


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Attributes:
        subject: What was looked at.
        state: `ok`; `optional`, where all else works without it; `problem`, where it does not.
        found: What was found.
        remedy: What to do, empty where nothing needs doing.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""


def diagnose(workspace: Workspace) -> list[Finding]:
    """Looks at the installation, the machine, and a competition's folder.

    Args:
        workspace: The folder to look at.

    Returns:
        The findings, the installation first. Takes a second or two, and some more where there is a GPU.
    """
    return [
        Finding("python", "ok", f"{platform.python_version()}, {sys.prefix}"),
        *map(_package, ("fercomp", *PACKAGES)),
        _opencv(),
        _face_detector(),
        _programs(),
        _processor(),
        _gpu(),
        _disk(workspace.root),
        *_screen_and_camera(),
        kaggle_credentials(os.environ, Path.home()),
        _params(workspace),
        *_made(workspace),
        *_models(workspace),
    ]


def findings_table(findings: list[Finding]) -> "Table":
    """Lays the findings out as a table for the terminal, but for the remedies."""
    from rich.text import Text

    colours = {"ok": "green", "optional": "dim", "problem": "bold red"}
    rows = (
        (finding.subject, Text(finding.state, style=colours[finding.state]), finding.found)
        for finding in findings
    )
    return text_table(texts("what", "state", "found"), rows)


def kaggle_credentials(environment: Mapping[str, str], home: Path) -> Finding:
    """Says whether the Kaggle client would find credentials, without reading them.

    Args:
        environment: Environment variables.
        home: The user's home folder.
    """
    place = find_credentials(environment, home)
    if place:
        return Finding("kaggle account", "ok", place)
    remedy = f"only to download and submit: make a token at {SETTINGS} and save it"
    return Finding(
        "kaggle account", "optional", "no credentials", f"{remedy} as {home / '.kaggle' / 'access_token'}"
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        if name in TRAINS and not any(map(find_spec, TRAINS)):
            return Finding(name, "optional", "not installed", "annotate and live work without it")
        return Finding(name, "problem", "not installed", INSTALL_AGAIN)


def _opencv() -> Finding:
    installed = {name: row.found for name in OPENCV if (row := _package(name)).state == "ok"}
    found = ", ".join(f"{name} {number} ({OPENCV[name]})" for name, number in installed.items())
    if len(installed) != 1:
        remedy = (
            "exactly one may be installed: remove .venv and start through ./run"
            if CLONE
            else "exactly one may be installed: uninstall both, install fercomp[desktop] or fercomp[headless]"
        )
        return Finding("opencv", "problem", found or "not installed", remedy)
    try:
        import_module("cv2")  # the one package that depends on the system's libraries
    except ImportError as error:
        headless = "FERCOMP_OPENCV=headless ./run" if CLONE else "install fercomp[headless] instead"
        remedy = f"{headless}, or install the system library named"
        return Finding("opencv", "problem", f"{found} does not load: {error}", remedy)
    return Finding("opencv", "ok", found)


def _face_detector() -> Finding:
    try:
        from fercomp.faces.yunet_network import YUNET_FILE
    except ImportError:
        return Finding("face detector", "problem", "OpenCV does not load", "see opencv")
    if not YUNET_FILE.is_file():
        return Finding("face detector", "problem", f"{YUNET_FILE} not found", INSTALL_AGAIN)
    return Finding("face detector", "ok", f"YuNet, {YUNET_FILE.name}")


def _programs() -> Finding:
    missing = [name for name in ("git", "dvc", "fercomp") if shutil.which(name) is None]
    if missing:
        remedy = "only `dvc repro` needs all three" + (": start through ./run, install git" if CLONE else "")
        return Finding("programs", "optional", f"not on the PATH: {', '.join(missing)}", remedy)
    return Finding("programs", "ok", "git, dvc and fercomp are on the PATH")


def _processor() -> Finding:
    import psutil

    found = f"{os.cpu_count()} processors, {psutil.virtual_memory().total / 1e9:.1f} GB memory"
    try:
        devices = import_module("openvino").Core().available_devices
    except (ImportError, RuntimeError) as error:
        return Finding("processor", "problem", f"{found}; OpenVINO does not start: {error}", INSTALL_AGAIN)
    return Finding("processor", "ok", f"{found}; OpenVINO runs on {', '.join(devices)}")


def _gpu() -> Finding:
    if not (cards := nvidia_gpus()):
        return Finding("gpu", "optional", "no NVIDIA GPU seen", "only large networks need one to train")
    there = "; ".join(cards)
    try:
        backend, seen = isolated(keras_sees)  # which takes memory of the GPU
    except FercompError as error:
        return Finding("gpu", "problem", f"{there}; Keras does not start: {error}", INSTALL_AGAIN)
    unused = Finding("gpu", "optional", f"{there}; not used", lack_of_gpu(backend, cards))
    return Finding("gpu", "ok", f"{there}; {backend} computes on it") if seen else unused


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    found = f"{free / 1e9:.1f} GB free"
    if free < LEAST_FREE:
        return Finding("disk", "problem", found, f"make room: {LEAST_FREE / 1e9:.0f} GB at least")
    return Finding("disk", "ok", found)


def _screen_and_camera() -> Iterator[Finding]:
    if sys.platform != "linux":  # elsewhere only opening them would tell, and that may hang or ask
        return
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    yield _there("display", screen, "neither DISPLAY nor WAYLAND_DISPLAY", "only windows need one")
    cameras = sorted(path.name for path in Path("/dev").glob("video*"))
    yield _there("camera", ", ".join(cameras), "no /dev/video*", "only live recognition needs one")


def _there(subject: str, found: str | None, lack: str, remedy: str) -> Finding:
    return Finding(subject, "ok", found) if found else Finding(subject, "optional", lack, remedy)


def _params(workspace: Workspace) -> Finding:
    try:
        if not is_there(workspace.params):
            remedy = "defaults are used; `dvc repro` runs in the folder that has it"
            return Finding("params.yaml", "optional", f"none in {workspace.root.absolute()}", remedy)
        load_params(workspace.params)
    except FercompError as error:
        return Finding("params.yaml", "problem", str(error), "correct the file")
    return Finding("params.yaml", "ok", str(workspace.params))


def _made(workspace: Workspace) -> Iterator[Finding]:
    steps = (("photos", workspace.train_csv, "fetch"), ("index of photos", workspace.photos, "prepare"))
    for subject, path, command in steps:
        found = str(path) if path.is_file() else None
        yield _there(subject, found, f"no {path}", f"for the competition: fercomp {command}")


def _models(workspace: Workspace) -> Iterator[Finding]:
    folders = sorted(card.parent for card in workspace.models.glob(f"*/{CARD}"))
    if not folders:
        yield Finding(
            "models",
            "optional",
            f"none in {workspace.models}; the shipped ones learned from a stand-in, 21,609 grey faces",
            "for one of your own: fercomp train",
        )
    for folder in folders:
        try:
            card = read_card(folder)
        except FercompError as error:
            yield Finding(f"model {folder.name}", "problem", str(error), "train it again, or remove it")
        else:
            found = f"{card.backbone}, {card.size} px"
            if "accuracy" in card.scores:
                found += f", holdout accuracy {card.scores['accuracy']:.3f}"
            yield Finding(f"model {folder.name}", "ok", found)
    if workspace.photos.is_file():
        for name, told in other_photos(workspace, [*folders, *CAME_ALONG.values()]).items():
            yield Finding(f"photos for {name}", "optional", told)
