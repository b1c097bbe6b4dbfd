"""Keras on a GPU and OpenVINO on the processor answer alike; here Keras computes on the processor, too."""

import json
import shutil

import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle import scorer
from fercomp.modeling.bundle.card import CARD, GRAPH, KERAS_MODEL, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.bundle.scorer import GPU_BATCH, gpu_network


@pytest.fixture
def on_gpu(monkeypatch):
    """Lets Keras answer wherever a GPU is wanted."""
    monkeypatch.setattr(scorer, "choose_device", lambda wanted: "cpu" if wanted == "cpu" else "gpu")


@pytest.fixture
def paths(workspace):
    return PHOTOS.read(workspace.photos)["image_path"].tolist()


def edit_card(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


@pytest.mark.parametrize("use", [{"views": True}, {"views": False, "flip": True}, {"temperature": 0.5}])
def test_both_devices_give_the_same_table(workspace, paths, on_gpu, use):
    folder = workspace.bundle("tiny")
    edit_card(folder, **use)
    gpu, processor = load_bundle(folder, "auto"), load_bundle(folder)
    assert (gpu.device, processor.device) == ("gpu", "cpu")
    np.testing.assert_allclose(
        predict_photos(gpu, workspace.raw, paths), predict_photos(processor, workspace.raw, paths), atol=1e-4
    )
    assert gpu.fingerprint == processor.fingerprint


ON_JAX = """
import sys
from pathlib import Path
import numpy as np
from fercomp.modeling.backend.choice import choose_device, keras_sees
from fercomp.modeling.bundle import scorer
from fercomp.modeling.bundle.model import load_bundle
assert keras_sees() == ("jax", [])
assert choose_device("auto") == "cpu"
folder, faces = Path(sys.argv[1]), np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), dtype=np.uint8)
processor = load_bundle(folder, "auto").answer(faces, views=9).pred_probs
scorer.choose_device = lambda wanted: "gpu"
gpu = load_bundle(folder, "auto")
assert gpu.device == "gpu"
np.testing.assert_allclose(gpu.answer(faces, views=9).pred_probs, processor, atol=1e-4)
"""


@pytest.mark.slow
def test_jax_gives_the_same_table_and_may_see_no_gpu(tiny_bundle_folder, run_on):
    run_on("jax", ON_JAX.replace("sys.argv[1]", repr(str(tiny_bundle_folder))))


def test_a_graph_alone_runs_on_the_processor_and_says_so_where_a_gpu_is_asked_for(
    workspace, paths, on_gpu, capfd
):
    folder = workspace.bundle("tiny")
    (folder / KERAS_MODEL).unlink()
    expected = predict_photos(load_bundle(folder), workspace.raw, paths)
    for wanted, told in (("auto", ""), ("gpu", "has no model.keras, which a GPU needs: OpenVINO answers on")):
        bundle = load_bundle(folder, wanted)
        np.testing.assert_array_equal(predict_photos(bundle, workspace.raw, paths), expected)
        assert bundle.device == "cpu"
        err = capfd.readouterr().err
        assert told in err
        assert bool(told) == ("OpenVINO" in err)


def test_the_keras_file_of_another_network_is_refused(workspace, on_gpu):
    folder = workspace.bundle("tiny")
    assert KERAS_MODEL in read_card(folder).files
    with (folder / KERAS_MODEL).open("ab") as file:
        file.write(b"x")
    faces = np.zeros((1, 32, 32, 3), np.uint8)
    load_bundle(folder).predict(faces)
    with pytest.raises(FercompError, match=r"model\.keras is not the file that its card\.json was written f"):
        load_bundle(folder, "auto").predict(faces)


def test_a_card_of_an_earlier_version_knows_no_sum_of_the_keras_file(workspace, on_gpu):
    folder = workspace.bundle("tiny")
    files = {name: total for name, total in read_card(folder).files.items() if name != KERAS_MODEL}
    edit_card(folder, files=files, format=4)
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    expected = load_bundle(folder).predict(faces)
    np.testing.assert_allclose(load_bundle(folder, "auto").predict(faces), expected, atol=1e-4)


class SmallMemory:
    """Stands for a network on a GPU whose memory is enough for some photos."""

    def __init__(self, most):
        self.most = most
        self.sizes = []

    def __call__(self, faces):
        self.sizes.append(len(faces))
        if len(faces) > self.most:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes")
        return said_of(faces)


def said_of(faces):
    return faces.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)


@pytest.fixture
def faces():
    return np.random.default_rng(1).integers(0, 256, (150, 4, 4, 3), dtype=np.uint8)


def never():
    raise AssertionError("the processor is asked")


@pytest.mark.parametrize(("most", "sizes"), [(64, [64] * 3), (20, [64, 32, *[16] * 10])])
def test_batches_are_full_and_are_halved_where_they_do_not_fit(faces, most, sizes, capfd):
    assert GPU_BATCH == 64
    network = SmallMemory(most)
    run = gpu_network(lambda: network, never, "mine")
    np.testing.assert_array_equal(run(faces), said_of(faces))
    assert network.sizes == sizes
    lines = capfd.readouterr().err.splitlines()
    halved = ["mine: the batch did not fit into the GPU's memory: going on with 32 photos"]
    assert lines == ([] if most == 64 else [*halved, halved[0].replace("32", "16")])
    network.sizes.clear()
    run(faces[:5])
    assert network.sizes == sizes[-1:]


@pytest.mark.parametrize("where", ["a photo", "the network"])
def test_what_does_not_fit_at_all_goes_on_on_the_processor(faces, where, capfd):
    asked = []

    def load():
        if where == "the network":
            raise MemoryError
        return SmallMemory(0)

    def instead():
        asked.append("opened")
        return lambda part: asked.append(len(part)) or said_of(part)

    run = gpu_network(load, instead, "mine")
    for _ in range(2):
        np.testing.assert_array_equal(run(faces), said_of(faces))
    assert asked == ["opened", 150, 150]
    told = capfd.readouterr().err.splitlines()
    assert told[-1] == "mine does not fit into the GPU's memory: going on on the CPU"
    assert len(told) == (1 if where == "the network" else 7)


def test_other_errors_are_not_taken_for_a_lack_of_memory(faces):
    def broken(part):
        raise ValueError("shapes differ")

    with pytest.raises(ValueError, match="shapes differ"):
        gpu_network(lambda: broken, never, "mine")(faces)


def test_a_network_without_a_graph_that_does_not_fit_is_one_line(workspace, on_gpu, monkeypatch):
    folder = workspace.bundle("tiny")
    shutil.rmtree((folder / GRAPH).parent)
    edit_card(folder, runtime="keras")
    monkeypatch.setattr(scorer, "keras_network", lambda *arguments: SmallMemory(0))
    with pytest.raises(FercompError, match=r"tiny does not fit into the GPU's memory, and has no graph"):
        load_bundle(folder, "auto").predict(np.zeros((1, 32, 32, 3), np.uint8))
