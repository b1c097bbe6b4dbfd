"""Inference graphs with fewer bits: stored as float16, or quantised to 8 bits, which saves time, too."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.data.inputs import readable_faces

Precision = Literal["float16", "int8"]

CALIBRATION: Final = 300
"""Photos by which ranges are found, NNCF's own default."""


def store_as_float16(graph: Path) -> None:
    """Rewrites a graph with weights stored as float16; it still computes in float32.

    Args:
        graph: The graph's `.xml`; its `.bin` lies beside it.
    """
    import openvino

    _replace(graph, openvino.Core().read_model(graph))


def quantise(graph: Path, faces: np.ndarray) -> None:
    """Quantises a graph: it then computes with integers of 8 bits, weights of 7 (Jacob et al., 2018).

    Ranges of what flows between layers are those that it has on faces; weights get a scale for each channel.

    Args:
        graph: The graph's `.xml`; its `.bin` lies beside it.
        faces: `(N, S, S, 3)` uint8 RGB, such as it will see.
    """
    os.environ.setdefault("NNCF_CI", "1")  # otherwise it reports to its makers that it is used
    import nncf
    import openvino

    nncf.set_log_level("ERROR")
    examples = nncf.Dataset([face[None] for face in faces])
    network = openvino.Core().read_model(graph)
    preset = nncf.QuantizationPreset.MIXED  # activations need not lie around 0: they come from ReLU
    # Processors with AVX2 alone add pairs of products in 16 bits, which overflow: with weights of 7 bits they
    # cannot, and the graph computes the same on every machine.
    portable = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    with redirect_stdout(sys.stderr):  # where it shows its progress
        small = nncf.quantize(
            network, examples, preset=preset, subset_size=len(faces), advanced_parameters=portable
        )
    _replace(graph, small)


def name_by_position(graph: Any) -> None:
    """Replaces what comes from the process, not from the network: equal networks give equal files.

    Args:
        graph: An OpenVINO model of one input and one output; it is changed.
    """
    for i, operation in enumerate(graph.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{i}")
        for output in operation.outputs():
            output.get_tensor().set_names(set())
    graph.input().get_tensor().set_names({"faces"})
    graph.output().get_tensor().set_names({"probabilities"})
    graph.set_rt_info("", ["conversion_parameters", "input_model"])  # the temporary folder's path


def _replace(graph: Path, network: Any) -> None:
    """Writes beside the files first: what was read may still lie in them."""
    import openvino

    name_by_position(network)
    new = graph.with_name("new.xml")
    openvino.save_model(network, new, compress_to_fp16=True)
    for suffix in (".xml", ".bin"):
        new.with_suffix(suffix).replace(graph.with_suffix(suffix))


def example_faces(workspace: Workspace, size: int, seed: int) -> np.ndarray:
    """Reads some training photos.

    Args:
        workspace: Where the index and the photos are.
        size: Side in pixels, S.
        seed: Which photos: another seed draws others.

    Returns:
        `(N, S, S, 3)` uint8 RGB, N at most `CALIBRATION`.

    Raises:
        FercompError: There is no index, or no photo of it can be read.
    """
    photos = PHOTOS.read(workspace.photos)
    paths = photos.loc[photos["split"] == "train", "image_path"].sample(frac=1, random_state=seed)
    _, faces = readable_faces(workspace.raw, paths.tolist(), size, CALIBRATION)
    if not faces:
        raise FercompError(f"no photo of {workspace.photos} can be read: run fercomp fetch and prepare again")
    return np.stack(faces)
