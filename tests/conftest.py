"""What tests of several rooms share: a tiny competition and a model trained on it, both real."""

import gc
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from tests.make_tiny import TINY

# A shell starts what it puts into the background with Ctrl-C ignored, and what a test starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is generated is checked for what comes out; how fast, a machine that does other things cannot say.
settings.register_profile("fercomp", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=30)
settings.load_profile("fercomp")


def free_gigabytes() -> float:
    """Memory that a process may still take; without Linux' own word for it, what the machine has."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")) / 1e9


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the longest tests begin first, so that no core is idle while another ends with them.

    These are the ones that may take longer than others.
    """

    def seconds(item: pytest.Item) -> float:
        return next((mark.args[0] for mark in item.iter_markers("timeout")), 0)

    items.sort(key=lambda item: (item.get_closest_marker("large") is None, -seconds(item)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Looks for no garbage while all tests are imported, and never again among what they imported."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what the memory does not allow now."""
    needed = next((mark.args[0] for mark in item.iter_markers("large")), 0)
    if needed and needed > (free := free_gigabytes()):
        pytest.skip(f"needs {needed} GB of memory, {free:.0f} are free")


@pytest.fixture(scope="session")
def tiny_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """What `make_tiny` wrote: raw data, index and one model `tiny`; tests must not change it."""
    root = tmp_path_factory.mktemp("tiny") / "workspace"
    shutil.copytree(TINY, root)
    return Workspace(root)


@pytest.fixture(scope="session")
def tiny_bundle_folder(tiny_workspace: Workspace) -> Path:
    """The bundle `tiny`: a small `compact` at 32 pixels; tests must not change it."""
    return tiny_workspace.bundle("tiny")


@pytest.fixture(scope="module")
def shallow() -> Iterator[None]:
    """Gives `compact` one block: a training on a few photos is mostly tracing, layer by layer."""
    channels = {"compact": (16,), "compact_wide": (24,)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fercomp.modeling.backbones.compact.BLOCKS", 1)
        patch.setattr("fercomp.modeling.backbones.compact.CHANNELS", channels)
        yield


@pytest.fixture
def workspace(tiny_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of `tiny_workspace` that a test may change, as the current folder."""
    shutil.copytree(tiny_workspace.root, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Workspace()


@pytest.fixture(scope="session")
def write_model() -> Callable[..., Path]:
    """Writes a bundle whose network is a linear layer over all pixels, in no time and without Keras."""

    def write(folder: Path, size: int = 32, seed: int = 0, **card: object) -> Path:
        import openvino
        from openvino import opset13 as ops

        from fercomp.modeling.bundle.card import GRAPH, Card
        from fercomp.modeling.bundle.integrity import write_card

        card = {"classes": EMOTIONS, "margin": 0.1, "trained": {}, "scores": {}, **card}
        card = {"name": folder.name, "backbone": "linear", "runtime": "openvino", **card}
        pixels, rng = size * size * 3, np.random.default_rng(seed)
        faces = ops.parameter([-1, size, size, 3], np.uint8)
        flat = ops.reshape(ops.convert(faces, "f32"), np.array([-1, pixels]), special_zero=False)

        def layer(outputs: int) -> openvino.Output:
            weights = rng.normal(0, 3 / pixels**0.5, (pixels, outputs)).astype(np.float32)
            return ops.matmul(ops.divide(flat, np.float32(255)), weights, False, False)

        answers = ops.softmax(layer(len(card["classes"])), 1)
        if card.get("head") == "both":
            answers = ops.concat([answers, ops.tanh(layer(2))], 1)
        (folder / GRAPH).parent.mkdir(parents=True)
        openvino.save_model(openvino.Model([answers], [faces]), folder / GRAPH, compress_to_fp16=False)
        write_card(folder, Card(size=size, **card))
        return folder

    return write


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    """Writes a clip: pictures, their times in milliseconds or a rate, and a tone where a codec is named."""

    def write(path, pictures, rate=25, times=None, sound=None, rotation=0, encoder="libx264") -> Path:
        import av

        index_first = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
        with av.open(str(path), "w", options=index_first) as container:
            stream = container.add_stream(encoder, rate=rate)
            height, width = pictures[0].shape[:2]
            stream.width, stream.height = width, height
            even = width % 2 == height % 2 == 0
            stream.pix_fmt = ("yuvj420p" if encoder == "mjpeg" else "yuv420p") if even else "yuv444p"
            if times is not None:
                stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            if rotation:
                stream.set_display_rotation(rotation)
            tone = container.add_stream(sound, rate=44100, layout="mono") if sound else None
            for i, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                if times is not None:
                    frame.pts, frame.time_base = times[i], Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if tone:
                seconds = np.arange(int(len(pictures) / rate * 44100)) / 44100
                wave = (np.sin(seconds * 440 * 2 * np.pi) * 9000).astype(np.int16)
                samples = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
                samples.rate = 44100
                resampler = av.AudioResampler(tone.format, "mono", 44100, frame_size=1024)
                for part in [*resampler.resample(samples), *resampler.resample(None)]:
                    container.mux(tone.encode(part))
                container.mux(tone.encode())
        return path

    return write


@pytest.fixture(scope="session")
def affect_workspace(
    tiny_workspace: Workspace, write_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A copy of `tiny_workspace` with out-of-fold probabilities; tests may add models."""
    from fercomp.core.tables import PHOTOS, holdout_table

    root = tmp_path_factory.mktemp("affect")
    shutil.copytree(tiny_workspace.root, root, dirs_exist_ok=True)
    workspace = Workspace(root)
    write_model(workspace.oof.parent)
    photos = PHOTOS.read(workspace.photos).query("split != 'test'")
    probabilities = np.random.default_rng(0).dirichlet(np.ones(9), len(photos))
    label = photos["emotion"].map(EMOTIONS.index).to_numpy()
    probabilities = (probabilities + 2 * np.eye(9)[label]) / 3
    table = pd.DataFrame(probabilities, columns=list(EMOTIONS))
    table = table.assign(image_path=photos["image_path"].tolist(), emotion=photos["emotion"].tolist())
    holdout_table(EMOTIONS).write(table, workspace.oof)
    return workspace
