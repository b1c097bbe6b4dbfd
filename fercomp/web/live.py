"""The page of `fercomp live`: the browser's camera, frame by frame, and what is said of the faces in it."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from fercomp.annotate.options import Options
from fercomp.annotate.records.parquet import rows_format
from fercomp.core.classes import UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.core.palette import LABEL_COLOURS, PLAIN, as_hex, emotion_colour
from fercomp.core.timing import sleepless
from fercomp.faces.found import Faces, known
from fercomp.media.clips import Frame
from fercomp.media.images import decode_image
from fercomp.media.problems import ImageProblem
from fercomp.modeling.bundle.model import Bundle
from fercomp.web.clients import MAX_CLIENTS
from fercomp.web.local import Access
from fercomp.web.pages import add_page
from fercomp.web.recording import Pace, Recording

_REFUSED: Final = 1008
"""WebSocket close code for who may not connect (RFC 6455, policy violation)."""

_LARGEST: Final = 16_384
"""Pixels of a side of a camera's picture, more than any has."""

_EXPECTED: Final = 'expected a frame, {"record": true or false}, or {"camera": [width, height]} in pixels'


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
        self._recogniser = options.clip_recogniser(bundle)
        self._start = sleepless()
        self._frames = 0
        self._camera: tuple[int, int] | None = None
        self._pace = Pace()
        self._recording: Recording | None = None

    def hello(self) -> dict[str, Any]:
        """Returns what the page has to know of the model."""
        classes = self._bundle.card.classes
        named = (*classes, UNCERTAIN)
        colours = {name: as_hex(LABEL_COLOURS.get(name, PLAIN)) for name in named}
        emotions = {name: emotion_colour(name) for name in named}
        return {"kind": "hello", "classes": classes, "colours": colours, "emotions": emotions}

    def answer(self, text: str) -> dict[str, Any]:
        """Does what the page asks for: `{"record": true}`, or `{"camera": [width, height]}` in pixels.

        Raises:
            FercompError: It asks for something else, or the recording cannot be written.
        """
        try:
            ((what, value),) = json.loads(text).items()
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise FercompError(_EXPECTED) from error
        if what == "record" and type(value) is bool:
            return self.record(value)
        if what == "camera" and type(value) is list and len(value) == 2:
            width, height = value
            if all(type(side) is int and 1 <= side <= _LARGEST for side in value):
                return self.use_camera(width, height)
        raise FercompError(_EXPECTED)

    def use_camera(self, width: int, height: int) -> dict[str, Any]:
        """Gives boxes in the pixels of a camera, of which the frames are smaller copies, from now on."""
        if self._camera is not None:
            self._recogniser.forget()
        self._camera = (width, height)
        return {"kind": "camera"}

    def look(self, jpeg: bytes) -> dict[str, Any]:
        """Says what a frame shows, and puts it on record while a recording runs."""
        try:
            image = decode_image(jpeg, "the frame")
        except ImageProblem as problem:
            return {"kind": "problem", "message": str(problem), "recording": self._recording is not None}
        time = sleepless() - self._start
        picture = self._recogniser.look(Frame(self._frames, time, self._frames, image))
        picture = replace(picture, faces=self._in_camera(picture.faces, image.shape[1], image.shape[0]))
        self._frames += 1
        step, missing = self._pace.step(time)
        answer: dict[str, Any] = {"kind": "faces", "faces": _faces(picture.faces)}
        if self._recording is not None:
            self._recording.add(picture, step, missing)
            answer["clock"] = self._recording.clock()
        return answer

    def _in_camera(self, faces: Faces, width: int, height: int) -> Faces:
        """Returns the faces with their boxes in the camera's pixels, where these are known."""
        if self._camera in (None, (width, height)):
            return faces
        scale = np.array(self._camera, np.float32) / np.array((width, height), np.float32)
        points = None if faces.landmarks is None else faces.landmarks * scale
        return replace(faces, boxes=faces.boxes * np.tile(scale, 2), landmarks=points)

    def record(self, wanted: bool) -> dict[str, Any]:
        """Starts or stops a recording, a file of its own each.

        Returns:
            Whether one runs now, and its file; of one that was stopped its timeline.

        Raises:
            FercompError: The file cannot be written.
        """
        timeline = None
        if wanted and self._recording is None:
            moment = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
            kind = rows_format(self._options.records)
            path = self._output / f"{moment}.{kind}"
            now = sleepless() - self._start
            self._recording = Recording(path, kind, self._bundle.card.classes, now)
        elif not wanted:
            timeline = self.close()
        file = None if self._recording is None else str(self._recording.path)
        return {"kind": "recording", "file": file, "timeline": timeline}

    def close(self) -> dict[str, Any] | None:
        """Ends the recording where one runs, and returns its timeline."""
        recording, self._recording = self._recording, None
        if recording is None:
            return None
        now = sleepless() - self._start
        return recording.end(now, self._pace.missing(now))


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
    options.clip_recogniser(bundle).warm_up()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_page(app, access, "live")
    cameras = 0

    @app.websocket("/frames")
    async def frames(socket: WebSocket, token: str = "") -> None:
        nonlocal cameras
        is_ours = "origin" in socket.headers and access.allows(token, socket.headers)
        if not is_ours or cameras == MAX_CLIENTS:  # uvicorn's limit is for requests alone
            await socket.close(_REFUSED)
            return
        session = Session(bundle, options, output)
        cameras += 1
        try:
            await socket.accept()
            await _talk(socket, session)
        except WebSocketDisconnect:
            pass
        finally:
            cameras -= 1
            with suppress(FercompError, OSError):
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
                answer = await run_in_threadpool(session.answer, message.get("text") or "")
        except (FercompError, OSError) as error:
            with suppress(FercompError, OSError):  # of the same full disk
                session.close()
            answer = {"kind": "problem", "message": f"{error}", "recording": False}
        await socket.send_json(answer)


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
