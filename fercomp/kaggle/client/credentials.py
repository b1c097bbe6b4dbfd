"""Where the Kaggle client finds an account's credentials, and whether it could read what is there."""

import json
import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.progress import say
from fercomp.core.reading import read_at_most, read_json

SETTINGS: Final = "https://www.kaggle.com/settings"
"""Where Kaggle makes tokens."""

HOW: Final = (
    f"make a token at {SETTINGS} and give it in one of three ways: the variable KAGGLE_API_TOKEN, the file "
    "~/.kaggle/access_token, or the older ~/.kaggle/kaggle.json (KAGGLE_USERNAME and KAGGLE_KEY)"
)
"""What a user without credentials does."""

NOTEBOOK: Final = "KAGGLE_API_V1_TOKEN"
"""The variable that names the file of the token in a notebook at Kaggle, beside two that say it is one."""

_MOST: Final = 2**16
"""Bytes of a file of credentials."""


def find_credentials(environment: Mapping[str, str], home: Path) -> str | None:
    """Says which credentials the Kaggle client would use.

    The places are those of kaggle 2.2 (`kagglesdk.get_access_token_from_env` and
    `KaggleApi.authenticate`), in its order. They are looked for, not read.

    Args:
        environment: Environment variables.
        home: The user's home folder.

    Returns:
        Names of variables or the path of a file; `None` where there are no credentials.
    """
    folder = home / ".kaggle"
    settings = folder
    if environment.get("KAGGLE_CONFIG_DIR"):
        settings = Path(environment["KAGGLE_CONFIG_DIR"])
    elif sys.platform == "linux" and not _present(folder):
        settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    at_kaggle = {"KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_DATA_PROXY_URL"} <= environment.keys()
    token = environment.get(NOTEBOOK, "")
    places = {
        NOTEBOOK: at_kaggle and bool(token) and _present(Path(token)),
        "KAGGLE_API_TOKEN": bool(environment.get("KAGGLE_API_TOKEN")),
        **_filled(folder / "access_token", folder / "access_token.txt"),
        "KAGGLE_USERNAME and KAGGLE_KEY": bool(
            environment.get("KAGGLE_USERNAME") and environment.get("KAGGLE_KEY")
        ),
        **_filled(settings / "kaggle.json", folder / "credentials.json"),
    }
    return next((place for place, present in places.items() if present), None)


def check_credentials(place: str, environment: Mapping[str, str]) -> None:
    """Reads the file that credentials are in, since the client passes over one that is damaged.

    A file that other users of the machine can read is told.

    Args:
        place: What `find_credentials` gave.
        environment: Environment variables.

    Raises:
        FercompError: It cannot be read, or does not hold what it should.
    """
    named = environment.get(place, "") if place in (NOTEBOOK, "KAGGLE_API_TOKEN") else place
    if place in environment and not os.path.exists(named):  # noqa: PTH110 - a token is no path to ask for
        return
    if place == "KAGGLE_USERNAME and KAGGLE_KEY":
        return
    path = Path(named)
    if path.name == "kaggle.json":
        values = read_json(path, _MOST, f"download it anew at {SETTINGS}")
        for key in ("username", "key"):
            if not isinstance(environment.get(f"KAGGLE_{key.upper()}") or values.get(key) or None, str):
                raise FercompError(f"{path} has no {key!r}: download it anew at {SETTINGS}")
    elif path.name == "credentials.json":
        values = read_json(path, _MOST, "remove it, and sign in again by `kaggle auth login`")
        if not isinstance(values.get("refresh_token") or None, str):
            raise FercompError(f"{path} has no 'refresh_token': remove it and run `kaggle auth login`")
    else:
        _check_token(path)
    if os.name == "posix" and place != NOTEBOOK and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        say(f"{path} is open to other users of this machine: `chmod 600 {path}`")


def _check_token(path: Path) -> None:
    content = read_at_most(path, _MOST).strip()
    try:
        json.loads(content)
        what = "JSON, such as kaggle.json has" if content.startswith(b"{") else ""
    except (ValueError, RecursionError):
        one_line = re.fullmatch(rb"[\x21-\x7e]+", content)
        what = "" if one_line else "no token in one line" if content else "nothing"
    if what:
        raise FercompError(f"{path} holds {what}: save the token of {SETTINGS} in it, and nothing else")


def _filled(*paths: Path) -> dict[str, bool]:
    return {str(path): _present(path) for path in paths}


def _present(path: Path) -> bool:
    """Says whether there is something but an empty file; what may not be looked at is there."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
