"""The Keras file of a trained network: the same bytes for the same network, and no code inside it is run."""

import json
import re
import tempfile
import zipfile
from pathlib import Path

from fercomp.core.errors import FercompError, in_brief
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.hub import import_hub, needs_hub, settle_positions


def save_keras(model: keras.Model, path: Path) -> None:
    """Saves a model as a `.keras` file without the time of writing.

    Args:
        model: The network.
        path: The file to write.
    """
    settle_positions(model)
    with tempfile.TemporaryDirectory() as folder:
        dated = Path(folder) / "model.keras"
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist()):
                data = source.read(name)
                if name == "metadata.json":
                    data = json.dumps({**json.loads(data), "date_saved": ""}).encode()
                if name == "config.json":
                    data = _renumber_shared_objects(data.decode()).encode()
                target.writestr(zipfile.ZipInfo(name), data)


def _renumber_shared_objects(config: str) -> str:
    """Replaces memory addresses, which Keras uses to mark objects that layers share, by 0, 1, 2 ..."""
    numbers: dict[str, int] = {}
    return re.sub(
        r'("shared_object_id": )(\d+)',
        lambda match: match[1] + str(numbers.setdefault(match[2], len(numbers))),
        config,
    )


def load_keras(path: Path) -> keras.Model:
    """Loads a `.keras` file; code inside it is refused (`safe_mode`).

    Args:
        path: The file.

    Returns:
        The model, without its optimizer.

    Raises:
        FercompError: The file is missing or is not a model of ours; or KerasHub, of which its layers are, is.
    """
    if not path.is_file():
        raise FercompError(f"{path} not found: train the model again")
    if needs_hub(path):
        import_hub(str(path))
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise FercompError(f"{path} cannot be loaded ({in_brief(error)}): train the model again") from error
