"""Private datasets that carry files to kernels. One is called by what is in it, and never changes."""

from typing import Final

from rich.filesize import decimal

from fercomp.core.errors import FercompError
from fercomp.core.polling import paced
from fercomp.core.progress import say, waiting
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.refusals import Refused, Unanswered, printable
from fercomp.kaggle.client.storage import UPLOADS
from fercomp.kaggle.kernels.packing import Packed

READY_EVERY = 5.0
"""Seconds between two questions whether a dataset is ready."""

_PATIENCE: Final = 1800.0
"""Seconds after which a dataset that is not ready is given up."""


def upload_dataset(kaggle: Account, packed: Packed) -> str:
    """Makes sure that a private dataset holds an archive, and waits until kernels can read it.

    Returns:
        The last part of its address.

    Raises:
        FercompError: Kaggle refuses, does not answer, or does not get it ready.
    """
    slug = packed.name.removesuffix(".bin")
    if _status(kaggle, slug) is None:
        size = packed.path.stat().st_size
        say(f"uploading {decimal(size)} as the private dataset {slug}")
        token = _upload(kaggle, packed, size)
        try:
            _create(kaggle, slug, token)
        except (Refused, Unanswered) as error:
            if _status(kaggle, slug) is None:  # else the answer was lost, or is that it is there
                raise
            say(f"{error}: it is there")
    with waiting("waiting for the dataset"):
        _wait(kaggle, slug)
    return slug


def _status(kaggle: Account, slug: str) -> str | None:
    try:
        answer = kaggle.call("dataset", "GetDatasetStatus", owner_slug=kaggle.owner, dataset_slug=slug)
    except Refused as error:
        if error.is_missing:
            return None
        raise
    with kaggle.told(competition=False):
        status = str(answer.status.name)
    return None if status == "DELETED" else status


def _upload(kaggle: Account, packed: Packed, size: int) -> str:
    for _ in range(UPLOADS):
        answer = kaggle.call(
            "blob",
            "StartBlobUpload",
            type="DATASET",
            name=packed.name,
            content_length=size,
            last_modified_epoch_seconds=0,
        )
        with kaggle.told(competition=False), packed.path.open("rb") as file:
            if kaggle.storage.put(answer.create_url, file):
                return str(answer.token)
    raise Unanswered(f"Kaggle's storage took {packed.name} only in part, {UPLOADS} times: try again later")


def _create(kaggle: Account, slug: str, token: str) -> None:
    answer = kaggle.call(
        "dataset",
        "CreateDataset",
        owner_slug=kaggle.owner,
        slug=slug,
        title=slug.replace("-", " "),
        license_name="other",
        is_private=True,
        files=[{"token": token}],
    )
    with kaggle.told(competition=False):
        if error := printable(answer.error):
            raise Refused(f"Kaggle does not take the dataset: {error}")


def _wait(kaggle: Account, slug: str) -> None:
    for _ in paced(READY_EVERY, patience=_PATIENCE):
        status = _status(kaggle, slug)
        if status == "READY":
            return
        if status == "FAILED":
            break
    raise FercompError(
        f"Kaggle does not get the dataset {slug} ready ({status}): look at it at "
        f"https://www.kaggle.com/datasets/{kaggle.owner}/{slug}, delete it, then try again"
    )


def delete_dataset(kaggle: Account, slug: str) -> None:
    """Deletes a dataset of this account, if it is there."""
    if _status(kaggle, slug) is not None:
        kaggle.call("dataset", "DeleteDataset", owner_slug=kaggle.owner, dataset_slug=slug)
