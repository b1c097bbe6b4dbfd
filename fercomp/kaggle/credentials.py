"""Where the Kaggle client finds an account's credentials. They are looked for, not read."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SETTINGS: Final = "https://www.kaggle.com/settings"
"""Where Kaggle makes tokens."""

HOW: Final = (
    f"make a token at {SETTINGS} and give it in one of three ways: the variable KAGGLE_API_TOKEN, the file "
    "~/.kaggle/access_token, or the older ~/.kaggle/kaggle.json (KAGGLE_USERNAME and KAGGLE_KEY)"
)
"""What a user without credentials does."""


def find_credentials(environment: Mapping[str, str], home: Path) -> str | None:
    """Says which credentials the Kaggle client would use.

    The places are those of kaggle 2.2 (`kagglesdk.get_access_token_from_env` and
    `KaggleApi.authenticate`), in its order.

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
    elif sys.platform == "linux" and not folder.exists():
        settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    places = {
        "KAGGLE_API_TOKEN": bool(environment.get("KAGGLE_API_TOKEN")),
        **_filled(folder / "access_token", folder / "access_token.txt"),
        "KAGGLE_USERNAME and KAGGLE_KEY": bool(
            environment.get("KAGGLE_USERNAME") and environment.get("KAGGLE_KEY")
        ),
        **_filled(settings / "kaggle.json", folder / "credentials.json"),
    }
    return next((place for place, present in places.items() if present), None)


def _filled(*paths: Path) -> dict[str, bool]:
    return {str(path): path.is_file() and path.stat().st_size > 0 for path in paths}
