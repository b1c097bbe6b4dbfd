"""The page of `fercomp live`: the browser's camera, frame by frame, and what is said of the faces in it."""

import json
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fercomp.annotate.clip_recogniser import ClipRecogniser
from fercomp.annotate.options import Options
from fercomp.annotate.parquet import rows_format
from fercomp.annotate.record_rows import columns, frame_rows
from fercomp.annotate.records import Records
from fercomp.core.errors import FercompError
from fercomp.core.palette import LABEL_COLOURS, PLAIN
from fercomp.faces.found import Faces, known
from fercomp.media.clips import Frame
from fercomp.media.images import decode_image
from fercomp.media.problems import ImageProblem
from fercomp.modeling.bundle.model import Bundle
from fercomp.web.local import Access, page

_REFUSED = 1008
"""WebSocket close code for who may not connect (RFC 6455, policy violation)."""


class Session:
    """One browser's camera: its people, and the recording where there is one.

    Args:
        bundle: The trained model.
        options: How to look.
        output: Folder for recordings.
    """

    def __init__(self, bundle: Bundle, options: Options, output: Path) -> None:
        self._bundle = bundle
        self._options = options
        self._output = output
        self._recogniser = ClipRecogniser(
            bundle, partial(options.make_detector, clip=True), options.every, options.uncertain
        )
        self._start = monotonic()
        self._frames = 0
        self._records: Records | None = None

    def hello(self) -> dict[str, Any]:
        """Returns what the page has to know of the model."""
        classes = self._bundle.card.classes
        colours = {name: LABEL_COLOURS.get(name, PLAIN) for name in (*classes, "uncertain")}
        return {"kind": "hello", "classes": classes, "colours": colours}

    def look(self, jpeg: bytes) -> dict[str, Any]:
        """Says what a frame shows, and puts it on record while a recording runs."""
        try:
            image = decode_image(jpeg, "the frame")
        except ImageProblem as problem:
            return {"kind": "problem", "message": str(problem)}
        time = monotonic() - self._start
        frame = Frame(self._frames, time, self._frames, image)
        picture = self._recogniser.look(frame)
        self._frames += 1
        if self._records is not None:
            self._records.append(frame_rows("camera", picture))
        return {"kind": "faces", "faces": _faces(picture.faces)}

    def record(self, wanted: bool) -> dict[str, Any]:
        """Starts or stops a recording, a file of its own each.

        Returns:
            Whether one runs now, and its file.

        Raises:
            FercompError: The file cannot be written.
        """
        if wanted and self._records is None:
            moment = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
            kind = rows_format(self._options.records)
            path = self._output / f"{moment}.{kind}"
            records = Records(path, columns(self._bundle.card.classes), kind)
            records.rewrite([])
            self._records = records.__enter__()
        elif not wanted:
            self.close()
        return {"kind": "recording", "file": str(self._records.path) if self._records else None}

    def close(self) -> None:
        """Ends the recording where one runs."""
        if self._records is not None:
            self._records.__exit__(None, None, None)
            self._records = None


def live_app(bundle: Bundle, options: Options, output: Path, access: Access) -> FastAPI:
    """Makes the server of the page.

    Args:
        bundle: The trained model.
        options: How to look, and the format of recordings.
        output: Folder for recordings.
        access: Who may connect.

    Raises:
        FercompError: The detector cannot be made.
    """
    ClipRecogniser(bundle, partial(options.make_detector, clip=True)).warm_up()
    html = files("fercomp.web").joinpath("live.html").read_text(encoding="utf-8")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def index(request: Request, token: str = "") -> Response:
        if not access.allows(token, request.headers):
            return PlainTextResponse("open the address that `fercomp live` printed", status_code=403)
        return page(html)

    @app.websocket("/frames")
    async def frames(socket: WebSocket, token: str = "") -> None:
        if "origin" not in socket.headers or not access.allows(token, socket.headers):
            await socket.close(_REFUSED)
            return
        session = Session(bundle, options, output)
        try:
            await socket.accept()
            await _talk(socket, session)
        except WebSocketDisconnect:
            pass
        finally:
            session.close()

    return app


async def _talk(socket: WebSocket, session: Session) -> None:
    """Answers each message with one, so that the browser never sends faster than is looked."""
    await socket.send_json(session.hello())
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            if message.get("bytes") is not None:
                answer = await run_in_threadpool(session.look, message["bytes"])
            else:
                answer = session.record(_wants_recording(message.get("text") or ""))
        except (FercompError, OSError) as error:
            session.close()
            answer = {"kind": "problem", "message": f"{error}"}
        await socket.send_json(answer)


def _wants_recording(text: str) -> bool:
    try:
        wanted = json.loads(text)["record"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FercompError('expected a frame, or {"record": true or false}') from error
    return wanted is True


def _faces(faces: Faces) -> list[dict[str, Any]]:
    confidences, pred_probs = known(faces.confidences), known(faces.pred_probs)
    tracks, points = known(faces.tracks), faces.valence_arousal
    return [
        {
            "box": [round(float(value), 1) for value in faces.boxes[i]],
            "track": int(tracks[i]),
            "emotion": emotion,
            "confidence": round(float(confidences[i]), 4),
            "probabilities": [round(float(p), 4) for p in pred_probs[i]],
            "point": None if points is None else [round(float(value), 4) for value in points[i]],
        }
        for i, emotion in enumerate(known(faces.emotions))
    ]
