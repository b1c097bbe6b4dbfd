import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.modeling.bundle.model import Bundle, load_bundle
from tests.drawn import draw_face

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n"
)


class RtspCamera:
    """A camera that is asked by RTSP (RFC 2326): FFmpeg makes its packets, they go over TCP.

    It answers one viewer, shows each picture for 1/25 s in H.264, and then hangs up.

    Attributes:
        address: Where it is.
        asked: The methods of the requests.
    """

    def __init__(self, pictures):
        self.pictures = pictures
        self.asked = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"rtsp://127.0.0.1:{self.listening.getsockname()[1]}/camera"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        viewer, _ = self.listening.accept()
        with viewer, viewer.makefile("rb") as requests:
            while line := requests.readline().decode():
                method, fields = line.split()[0], {}
                while (line := requests.readline().decode().strip()) != "":
                    name, _, value = line.partition(": ")
                    fields[name.lower()] = value
                self.asked.append(method)
                answers = {
                    "OPTIONS": "Public: DESCRIBE, SETUP, PLAY\r\n",
                    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n",
                    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
                }
                head = f"RTSP/1.0 200 OK\r\nCSeq: {fields['cseq']}\r\n{answers.get(method, '')}\r\n"
                viewer.sendall((head + (SDP if method == "DESCRIBE" else "")).encode())
                if method == "PLAY":
                    break
            self.play(viewer)

    def play(self, viewer):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            packets.bind(("127.0.0.1", 0))
            threading.Thread(target=self.forward, args=(packets, viewer), daemon=True).start()
            address = f"rtp://127.0.0.1:{packets.getsockname()[1]}?pkt_size=1200"
            options = {"preset": "ultrafast", "tune": "zerolatency"}
            with av.open(address, "w", format="rtp") as container:
                stream = container.add_stream("libx264", rate=25, options=options)
                stream.height, stream.width = self.pictures[0].shape[:2]
                stream.pix_fmt = "yuv420p"
                for picture in self.pictures:
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                    time.sleep(1 / 25)
                container.mux(stream.encode())
            time.sleep(0.2)  # the last packets are on their way
            viewer.shutdown(socket.SHUT_RDWR)

    def forward(self, packets, viewer):
        """Puts datagrams of FFmpeg into the viewer's connection, each behind a dollar and its length."""
        while True:
            try:
                packet = packets.recv(2048)
                viewer.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
            except OSError:
                return


@pytest.fixture
def rtsp_camera() -> Callable[[list[np.ndarray]], RtspCamera]:
    """Starts a camera on this machine that shows pictures once."""
    return RtspCamera


@pytest.fixture(scope="session")
def bundle(tiny_bundle_folder: Path) -> Bundle:
    return load_bundle(tiny_bundle_folder)


@pytest.fixture(scope="session")
def faces() -> list[np.ndarray]:
    """One drawn face of 96 pixels for each emotion."""
    rng = np.random.default_rng(1)
    return [draw_face(emotion, rng, 96) for emotion in EMOTIONS]


@pytest.fixture
def photos(tmp_path: Path, faces: list[np.ndarray]) -> Path:
    """A folder of six photos: faces in several formats and sub-folders, one landscape, names that meet."""
    folder = tmp_path / "photos"
    (folder / "a" / "deep").mkdir(parents=True)
    (folder / "b").mkdir()
    two = np.full((200, 400, 3), 190, dtype=np.uint8)
    two[50:146, 40:136] = faces[0]
    two[60:156, 240:336] = faces[4]
    pictures = {
        "a/deep/face.png": faces[2],
        "a/face.jpg": faces[0],
        "b/face.jpg": faces[1],
        "landscape.png": np.full((80, 120, 3), 120, dtype=np.uint8),
        "two.webp": two,
        "ünïcode, name.jpg": faces[3],
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / name)
    return folder


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets nobody look into a folder, or everybody again."""
    scandir = os.scandir

    def lock(locked: Path, is_locked: bool = True) -> None:
        def scan(folder: Path) -> object:
            if is_locked and Path(folder) == locked:
                raise PermissionError(13, "Permission denied", str(folder))
            return scandir(folder)

        monkeypatch.setattr(os, "scandir", scan)

    return lock


@pytest.fixture
def without_privileges() -> Callable[[], None]:
    """Takes from a new process what root has more than others: to read what nobody may read."""

    def drop() -> None:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, out of the bounding set
            libc.prctl(24, capability, 0, 0, 0)

    return drop
