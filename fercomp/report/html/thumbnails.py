"""Small pictures of photos that stand in the page itself."""

import base64
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from PIL import Image

from fercomp.core.parallel import threads
from fercomp.data.inputs import READERS, read_face
from fercomp.media.problems import ImageProblem
from fercomp.report.html.element import element

SIDE: Final = 72
"""Pixels. Some 2 KB each in the page."""


def thumbnails(raw: Path, image_paths: Sequence[str]) -> dict[str, str]:
    """Reads photos, framed and turned as the networks see them.

    Args:
        raw: The folder that the paths are relative to.
        image_paths: The paths.

    Returns:
        By path, the address of the picture; those that cannot be read are left out.
    """
    with ThreadPoolExecutor(threads(READERS)) as pool:
        found = pool.map(lambda path: _address(raw / path), image_paths)
        return {path: made for path, made in zip(image_paths, found, strict=True) if made}


def _address(path: Path) -> str:
    try:
        face = read_face(path, SIDE)
    except ImageProblem:
        return ""
    return picture_address(Image.fromarray(face), quality=75)


def picture_address(picture: Image.Image, quality: int) -> str:
    """Returns the address of a picture that stands in the page itself, as a JPEG of a quality up to 95."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return jpeg_address(file.getvalue())


def jpeg_address(jpeg: bytes) -> str:
    """Returns the address of a JPEG that stands in the page itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def grid(pictures: Mapping[str, str], captions: Mapping[str, str]) -> Element:
    """Lays pictures out side by side.

    Args:
        pictures: Their addresses by path.
        captions: What stands below each, by path; what has no picture is left out.
    """
    made = element("ul", class_="grid")
    for path, caption in captions.items():
        if path in pictures:
            image = element("img", src=pictures[path], alt="", width=SIDE, height=SIDE, title=path)
            made.append(element("li", element("figure", image, element("figcaption", caption))))
    return made
