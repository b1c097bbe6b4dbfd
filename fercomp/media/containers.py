"""Files of moving pictures and sound: opened, or refused with a reason in one word."""

import os
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from fercomp.media.problems import ClipProblem, reading

CLIP_SUFFIXES: Final = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".ogv"),
        *(".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts", ".dv"),
    }
)
"""Lower-case file name endings under which clips are found in folders."""

_FORMATS: Final = "mov,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg,dv"
"""FFmpeg's names of the formats that are read: a closed list, since others (playlists) open further files."""

MAX_CLIP_PIXELS: Final = 8192 * 4320
"""Of a frame; more is a mistake or a bomb."""


def open_container(path: Path) -> InputContainer:
    """Opens a file of moving pictures or sound.

    Raises:
        ClipProblem: It cannot be read or is of no known format.
    """
    with reading(path, ClipProblem, "a video") as status:
        if not os.access(path, os.R_OK):
            raise ClipProblem("permission_denied", f"{path} may not be read: change its permissions")
        if status.st_size == 0:
            raise ClipProblem("empty", f"{path} is empty (0 bytes): a video was expected")
        # `file:` and the whitelists: a name is no address, and a file names no other files to be opened.
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        try:
            return av.open(f"file:{path}", options=options, metadata_errors="replace")
        except av.FFmpegError as error:
            raise ClipProblem(
                "not_a_video",
                f"{path} is not a video that can be read: MP4, MOV, MKV, WebM or AVI were expected",
            ) from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Chooses the pictures to be read.

    Raises:
        ClipProblem: There are none, or they are too large.
    """
    # The cover of a song is a picture, not a video.
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise ClipProblem(
            "no_video_stream", f"{path} has no pictures in it, only sound: a video was expected"
        )
    stream = streams[0]
    if stream.codec_context is None:
        raise ClipProblem(
            "not_a_video", f"{path} holds pictures of a kind that cannot be decoded: convert it"
        )
    if stream.width * stream.height > MAX_CLIP_PIXELS:
        raise ClipProblem("too_large", f"{path} has {stream.width}x{stream.height} pixels: make it smaller")
    stream.thread_type = "AUTO"
    return stream
