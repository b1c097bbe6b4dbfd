"""How far photos of several kinds are from those that a model learned from, in the units of its thresholds.

    python benchmarks/other_photos.py WORKSPACE FOLDER
    python benchmarks/other_photos.py WORKSPACE --write fercomp/shipped-large

The first compares 20 random halves of the holdout, and hundreds of the same photos, enlarged four times and
saved as JPEG in RGB, then the photos of a folder as they are and grey at 48 pixels. The second writes on the
cards of a bundle that lacks its holdout table what its photos were like: answers are those on test photos.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from fercomp.core.files import write_json
from fercomp.core.paths import Workspace
from fercomp.core.reading import read_json
from fercomp.core.tables import PHOTOS
from fercomp.data.inputs import read_faces
from fercomp.faces.tta import VIEWS
from fercomp.media.images import read_image
from fercomp.modeling.bundle.card import CARD, FORMAT, LARGEST_CARD
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.kind import MOST, answer_traits, evenly, kind_of, seen_traits
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.model_card import write_model_card

SPLITS = 20
"""Random parts of the holdout."""


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--write", type=Path, metavar="BUNDLE")
    arguments = parser.parse_args()
    workspace = Workspace(arguments.workspace)
    if arguments.write:
        bundle = load_bundle(arguments.write)
        for each in (bundle, *bundle.members):
            write_kind(each, workspace)
        return
    compare(load_bundle(CAME_ALONG["shipped"]), workspace, arguments.folder)


def write_kind(bundle: Bundle, workspace: Workspace) -> None:
    """Writes the kind of a workspace's labelled photos on a card."""
    photos = PHOTOS.read(workspace.photos)
    kind = kind_of(photos[photos["split"] != "test"], workspace.raw, bundle.card.size)
    test = photos.loc[photos["split"] == "test", "image_path"].tolist()
    some = [test[i] for i in evenly(len(test), MOST)]
    faces = [read_faces(workspace.raw, some, size) for size, _ in bundle.inputs]
    kind = kind.with_traits(answer_traits(bundle.answer(*faces, views=len(VIEWS)).pred_probs))
    said = read_json(bundle.folder / CARD, LARGEST_CARD, "")
    write_json(bundle.folder / CARD, said | {"format": FORMAT, "kind": kind.model_dump()})
    if (bundle.folder / "model-card.md").is_file():
        write_model_card(bundle.folder)


def compare(bundle: Bundle, workspace: Workspace, folder: Path) -> None:
    """Prints differences, the largest and the least of several parts."""
    photos = PHOTOS.read(workspace.photos)
    holdout = photos.loc[photos["split"] == "holdout", "image_path"].tolist()
    names = sorted(path.name for path in folder.iterdir())
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as temporary:
        large, small = Path(temporary, "large"), Path(temporary, "small")
        for name in holdout:
            saved(workspace.raw / name, large / Path(name).with_suffix(".jpg"), 4)
        for name in names:
            saved(folder / name, small / Path(name).with_suffix(".png"))
        enlarged = [str(Path(name).with_suffix(".jpg")) for name in holdout]
        grey = [str(Path(name).with_suffix(".png")) for name in names]
        sets = {
            "holdout": (workspace.raw, holdout),
            "holdout, 4 times as large, RGB": (large, enlarged),
            "folder": (folder, names),
            "folder, grey at 48 pixels": (small, grey),
        }
        for told, (raw, paths) in sets.items():
            traits = traits_of(bundle, raw, paths)
            for n in sorted({len(paths) // 2, min(200, len(paths)), 64}, reverse=True):
                parts = [rng.permutation(len(paths))[:n] for _ in range(SPLITS)]
                show(f"{told}, {SPLITS} times {n}", bundle, traits, parts)


def saved(source: Path, target: Path, times: int = 0) -> None:
    """Writes a photo enlarged in RGB, or grey at 48 pixels."""
    image = read_image(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if times:
        side = image.shape[0] * times
        Image.fromarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)).save(
            target, quality=92
        )
    else:
        Image.fromarray(cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA)).convert("L").save(target)


def traits_of(bundle: Bundle, raw: Path, paths: list[str]) -> dict[str, np.ndarray]:
    """Returns what is compared, of all photos."""
    faces = {size: read_faces(raw, paths, size) for size, _ in bundle.inputs}
    answers = bundle.answer(*(faces[size] for size, _ in bundle.inputs))  # one look, as in `annotate`
    return seen_traits(faces[bundle.card.size]) | answer_traits(answers.pred_probs)


def show(told: str, bundle: Bundle, traits: dict[str, np.ndarray], parts: list[np.ndarray]) -> None:
    """Prints a line for a set of photos, of which several parts were compared."""
    kind = bundle.card.kind
    chosen = [{name: values[rows] for name, values in traits.items()} for rows in parts]
    found = [kind.differences(part) for part in chosen]
    ends = {name: (min(f[name] for f in found), max(f[name] for f in found)) for name in found[0]}
    fired = sum(bool(kind.told(part)) for part in chosen)
    print(f"{told}: {fired} told; " + ", ".join(f"{n} {a:+.2f} to {b:+.2f}" for n, (a, b) in ends.items()))


if __name__ == "__main__":
    main()
