"""What a teacher, or another model, says of photos: computed once, then kept on disk."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.core.params import Wanted
from fercomp.core.progress import say
from fercomp.core.tables import oof_table, pred_probs
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.card import OOF, read_card
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.training.array_cache import keep, read_kept


def check_teacher(teacher: Path, classes: tuple[str, ...]) -> None:
    """Checks that a model, such as a teacher, says what is wanted of it.

    Args:
        teacher: The model's bundle.
        classes: The K classes that it should know.

    Raises:
        FercompError: The model has other classes, gives points alone, or is missing or damaged.
    """
    card = read_card(teacher)
    if card.classes != classes:
        raise FercompError(
            f"{teacher} knows the classes {', '.join(card.classes)}; expected "
            f"{', '.join(classes)}: name a model of the same classes"
        )
    if card.head == "valence_arousal":
        raise FercompError(f"{teacher} gives points, not probabilities of emotions: name another model")


def check_teacher_of_tests(teacher: Path, classes: tuple[str, ...]) -> None:
    """Checks that a model may name test photos for a student.

    Args:
        teacher: The model's bundle.
        classes: The K classes that it should know.

    Raises:
        FercompError: See `check_teacher`; or the model has learned from the holdout.
    """
    check_teacher(teacher, classes)
    if read_card(teacher).is_refit:
        raise FercompError(
            f"{teacher} has learned from the holdout, whose labels would come back by way of test photos: "
            "name the model that it repeats, or set train.test_photos to false"
        )


def accept_teacher(teacher: Path, classes: tuple[str, ...]) -> None:
    """Checks that a student can learn from a model, and says so where that has seen the holdout.

    Args:
        teacher: The model's bundle.
        classes: The student's K classes.

    Raises:
        FercompError: See `check_teacher`.
    """
    check_teacher(teacher, classes)
    card = read_card(teacher)
    if card.is_refit:
        say(
            f"the teacher {card.name} has learned from the holdout: there, its student will look better than "
            "it is"
        )


def kept_probs(
    model: Path,
    classes: tuple[str, ...],
    raw: Path,
    image_paths: Sequence[str],
    folder: Path,
    cache: PhotoCache | None = None,
    device: Wanted = "cpu",
    together: bool = False,
) -> np.ndarray:
    """Returns a model's probabilities of photos, which are computed once.

    A student learns from those of its teacher (Hinton et al., 2015). Of a cross-validated model, a photo's
    are those of the network that was not trained on it (`oof.csv`): what a network says of photos that it has
    learned by heart repeats their wrong labels.

    Others are kept under a key of the model's fingerprint and the photos' paths and bytes, so that another
    model or a changed photo gets its own.

    Args:
        model: The bundle: a single model or an ensemble.
        classes: Its K classes.
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        folder: Where the probabilities are kept, made if missing.
        cache: Where decoded photos are kept.
        device: What is to answer, `machine.device`.
        together: Let all networks of a cross-validated model answer: for photos that none of them has
            learned, such as test photos.

    Returns:
        `(N, K)` float32, rows sum to 1, columns in the order of `classes`.

    Raises:
        FercompError: The model is missing or damaged, or its `oof.csv` lacks a photo.
        ImageProblem: A photo cannot be read.
    """
    if (model / OOF).is_file() and not together:
        return out_of_fold(model / OOF, classes, image_paths)
    bundle = load_bundle(model, device)
    file = folder / f"{bundle.card.name}-{_key(bundle, raw, image_paths)}.npy"
    known = read_kept(file, (len(image_paths), len(classes)))
    if known is not None:
        return known
    say(f"asking {bundle.card.name} about {len(image_paths):,} photos, once")
    return keep(predict_photos(bundle, raw, image_paths, cache), file)


def out_of_fold(file: Path, classes: tuple[str, ...], image_paths: Sequence[str]) -> np.ndarray:
    """Reads the probabilities of photos by networks that were not trained on them.

    Args:
        file: Table `oof.csv` of a cross-validated model.
        classes: Its K classes.
        image_paths: N paths.

    Returns:
        `(N, K)` float32.

    Raises:
        FercompError: The table is missing or lacks a photo.
    """
    table = oof_table(classes).read(file).set_index("image_path")
    if missing := [path for path in image_paths if path not in table.index]:
        raise FercompError(
            f"{file} lacks {len(missing)} of the photos, such as {missing[0]}: run `fercomp crossval` again"
        )
    return pred_probs(table.loc[list(image_paths)], classes).astype(np.float32)


def _key(bundle: Bundle, raw: Path, image_paths: Sequence[str]) -> str:
    digest = hashlib.sha256(bundle.fingerprint.encode())
    for path in image_paths:
        digest.update(f"\n{path} {sha256(raw / path)}".encode())
    return digest.hexdigest()[:16]
