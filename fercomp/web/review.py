"""The page of `fercomp review`: suggested labels, worst given ones first, decided by keyboard."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from PIL import Image
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.labels.journal import DROP, Journal, Key, Verdict
from fercomp.media.images import read_image
from fercomp.media.problems import ImageProblem
from fercomp.web.local import MAX_MESSAGE, Access
from fercomp.web.pages import add_page

if TYPE_CHECKING:
    import pandas as pd

_SHOWN: Final = 256
"""Longest side in pixels of a photo on the page."""

_LARGE: Final = 640
"""The same of the one that is looked at."""

_STEPS: Final = 500
"""How many steps can be taken back after the page was loaded again."""

_EXPECTED: Final = (
    'expected [{"photo": number, "label": class, "drop" or null, "was": the same of what the page shows}]'
)

_REFUSED: Final = "open the address that `fercomp review` printed"


class StaleError(FercompError):
    """Decisions were made on a page that does not show what was decided meanwhile, such as in another tab."""


class Review:
    """What is to be decided, and what was.

    Args:
        photos: Table `PHOTOS`.
        labels: Table `LABELS`, made from these photos.
        raw: The folder that the paths are relative to.
        journal: Where decisions go, opened.

    Raises:
        FercompError: The tables do not fit each other, or nothing is suggested.
    """

    def __init__(self, photos: "pd.DataFrame", labels: "pd.DataFrame", raw: Path, journal: Journal) -> None:
        known = photos.drop_duplicates("image_path").set_index("image_path").reindex(labels["image_path"])
        if (known["emotion"].to_numpy() != labels["emotion"].to_numpy()).any():
            raise FercompError("datasets/labels.csv is of other photos: run `fercomp relabel` again")
        self._raw = raw
        self._journal = journal
        self._lock = Lock()
        self._labels = labels.reset_index(drop=True)
        self._pictures = known["duplicate_group"].to_numpy(dtype=int)
        self._keys = list(zip(self._labels["image_path"], known["sha1"], strict=True))
        doubted = self._labels[self._labels["reason"] != ""]
        self._queue = doubted.sort_values("quality", kind="stable").index.tolist()
        if not self._queue:
            raise FercompError("datasets/labels.csv suggests no other label: there is nothing to review")

    def state(self) -> dict[str, Any]:
        """Returns everything but the photos: what the page has to know when it opens.

        `queue` has the numbers of the suggestions, the worst first; `photos` what is known of these and of
        all their copies, by number: path, given label, suggested label (empty: dropped), quality, reason,
        the percent of people expected to give each label, number of the picture, and the decision or `None`.
        `steps` has what can be taken back, the last step last: of each photo the number and what the
        decision was before.
        """
        pictures = set(self._pictures[self._queue].tolist())
        shown = [i for i, picture in enumerate(self._pictures.tolist()) if picture in pictures]
        table = self._labels.iloc[shown].round({"quality": 4})
        columns = [table[name] for name in ("image_path", "emotion", "suggested", "quality", "reason")]
        percent = (100 * table[list(EMOTIONS)]).round().astype(int).to_numpy().tolist()
        with self._lock:
            decided = [self._journal.decided.get(self._keys[i]) for i in shown]
            steps = self._steps({self._keys[i]: i for i in shown})
        pictures_shown = self._pictures[shown].tolist()
        rows = zip(*(c.tolist() for c in columns), percent, pictures_shown, decided, strict=True)
        photos = dict(zip(shown, rows, strict=True))
        return {"classes": EMOTIONS, "queue": self._queue, "photos": photos, "steps": steps}

    def _steps(self, numbers: Mapping[Key, int]) -> list[list[tuple[int, str | None]]]:
        """Returns the last steps, back to the first that is about a photo that is not shown."""
        known: list[list[tuple[int, str | None]]] = []
        for step in reversed(self._journal.steps.done[-_STEPS:]):
            if not step.keys() <= numbers.keys():
                break
            known.append([(numbers[key], before) for key, (before, _) in step.items()])
        return known[::-1]

    def photo(self, number: int, large: bool = False) -> bytes:
        """Returns a photo as a PNG of at most `_SHOWN` pixels, or `_LARGE`.

        Raises:
            FercompError: There is no such photo, or it cannot be read.
        """
        path = self._raw / self._keys[self._known(number)][0]
        try:
            picture = Image.fromarray(read_image(path))
        except ImageProblem as problem:
            raise FercompError(f"{problem}: run `fercomp fetch`") from problem
        picture.thumbnail((_LARGE, _LARGE) if large else (_SHOWN, _SHOWN))
        data = io.BytesIO()
        picture.save(data, "PNG", compress_level=1)
        return data.getvalue()

    def decide(self, text: bytes) -> int:
        """Puts decisions on record; they are on disk when this returns.

        Args:
            text: JSON, such as `[{"photo": 3, "label": "happy", "was": null}]`; a label may also be `drop`,
                or `null` to take a decision back. `was` is the decision that the page shows until then, by
                which a page that is out of date is known. `"same_step": true` says that a decision was made
                by the same key as the one before it, so that both are taken back together.

        Returns:
            How many decisions there were.

        Raises:
            StaleError: The decision on one of the photos is not what the page shows; nothing is decided.
            FercompError: The text is something else, or cannot be put on record; then nothing is decided.
        """
        try:
            wishes = [self._decision(wish) for wish in json.loads(text)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FercompError(_EXPECTED) from error
        with self._lock:
            self._refuse_stale(wishes)
            self._journal.append(verdict for verdict, _ in wishes)
        return len(wishes)

    def _decision(self, wish: Mapping[str, Any]) -> tuple[Verdict, str | None]:
        """Returns a decision, and the one that it is to replace."""
        path, sha1 = self._keys[self._known(wish["photo"])]
        label, was = wish["label"], wish["was"]
        for each in (label, was):
            if each not in (*EMOTIONS, DROP, None):
                raise ValueError(f"unknown label {each!r}")
        same_step = wish.get("same_step", False)
        if type(same_step) is not bool:
            raise TypeError(f"neither true nor false: {same_step!r}")
        return Verdict(path, sha1, label, same_step), was

    def _refuse_stale(self, wishes: list[tuple[Verdict, str | None]]) -> None:
        now: dict[Key, str | None] = {}  # a photo may be decided twice in one request
        for verdict, was in wishes:
            if (now if verdict.key in now else self._journal.decided).get(verdict.key) != was:
                raise StaleError(f"{verdict.image_path} was decided elsewhere: load the page again")
            now[verdict.key] = verdict.label

    def _known(self, number: int) -> int:
        if type(number) is not int or not 0 <= number < len(self._keys):
            raise FercompError(f"there is no photo {number!r}")
        return number


def review_app(review: Review, access: Access) -> FastAPI:
    """Makes the server of the page.

    Args:
        review: What is to be decided.
        access: Who may connect.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    kept_private = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}

    add_page(app, access, "review")

    @app.get("/state")
    def state(request: Request, token: str = "") -> Response:
        if not access.allows(token, request.headers):
            return PlainTextResponse(_REFUSED, status_code=403)
        return JSONResponse(review.state(), headers={"cache-control": "no-store"})

    @app.get("/photos/{number}")
    def photo(request: Request, number: int, token: str = "", large: bool = False) -> Response:
        if not access.allows(token, request.headers):
            return PlainTextResponse(_REFUSED, status_code=403)
        try:
            return Response(review.photo(number, large), media_type="image/png", headers=kept_private)
        except FercompError as error:
            return PlainTextResponse(str(error), status_code=404)

    @app.post("/decisions")
    async def decisions(request: Request, token: str = "") -> Response:
        # A browser names the origin of every POST.
        if "origin" not in request.headers or not access.allows(token, request.headers):
            return PlainTextResponse(_REFUSED, status_code=403)
        text = b""
        try:
            async for part in request.stream():
                text += part
                if len(text) > MAX_MESSAGE:
                    return PlainTextResponse(f"more than {MAX_MESSAGE} bytes", status_code=413)
            return JSONResponse(await run_in_threadpool(review.decide, text))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except StaleError:
            return JSONResponse(await run_in_threadpool(review.state), status_code=409)
        except FercompError as error:
            return PlainTextResponse(str(error), status_code=400)

    return app
