"""A bundle from anywhere is a model or one line: wrong cards of every kind, networks of other cards."""

import json
import os
import shutil

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.modeling.bundle.card import CARD, DECISION, FORMAT, GRAPH, GRAPH_WEIGHTS, Card, read_card
from fercomp.modeling.bundle.integrity import write_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import model_card
from fercomp.modeling.export.copy import export_model

SIZE = 32
FACE = np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, write_model):
    return write_model(tmp_path / "tiny", size=SIZE)


def write_raw(folder, text, file=CARD):
    (folder / file).write_text(text, encoding="utf-8")


def edited(folder, **changes):
    return json.dumps({**json.loads((folder / CARD).read_text(encoding="utf-8")), **changes})


def nine(*names):
    return [*names, *EMOTIONS][:9]


CLASSES = [
    nine("happy", "happy"),
    nine("Happy", "happy"),
    nine("ha\u0308ppy", "häppy"),
    nine(""),
    nine(" "),
    nine(" sad"),
    nine("a\nb"),
    nine("a\tb"),
    nine("\x1b[31mred"),
    nine("a\x00b"),
    nine("\u202etxet"),
    nine("\x9b2J"),
    nine("x" * 101),
    nine("image_path"),
    nine("emotion"),
    nine("valence"),
    nine("arousal_target"),
    nine("confidence"),
    nine("frame"),
    nine("left_eye_x"),
    nine("raw_happy"),
    nine("raw_sad", "raw_raw_sad", "sad"),
    ["one"],
    [],
    "anger",
    None,
    [1, 2],
]


@pytest.mark.parametrize("classes", CLASSES, ids=ascii)
def test_class_names_that_cannot_be_used_are_one_line(folder, classes):
    write_raw(folder, edited(folder, classes=classes))
    with pytest.raises(FercompError, match=r"card\.json is damaged \(classes") as caught:
        read_card(folder)
    assert str(caught.value).isprintable()


def test_names_of_other_languages_are_names(folder):
    names = ["радость", "悲しみ", "Wut!", "a/b", "naïve joy", "x", "y", "z", "uncertain"]
    write_raw(folder, edited(folder, classes=names))
    assert read_card(folder).classes == tuple(names)


@pytest.mark.parametrize(
    "value", ["1e-308", "5e-324", "0", "-1", "1e308", "1e999", "NaN", "Infinity", '"hot"', "null"]
)
@pytest.mark.parametrize(
    "field", ["temperature", "margin", "threshold", "size", "bias", "scores", "weight", "trained"]
)
def test_numbers_that_no_model_has_are_one_line(folder, field, value):
    """`null` is a threshold, a bias and what was trained may be text or zero; the rest is refused."""
    fine = {
        "margin": {"0", "1e-308", "5e-324"},
        "threshold": {"0", "1e-308", "5e-324", "null"},
        "bias": {"null"},
        "scores": {"0", "1e-308", "5e-324"},
        "trained": {"0", "-1", "1e-308", "5e-324", "1e308", '"hot"', "null"},
    }
    written = {
        "bias": value if value == "null" else f"[{', '.join([value] * 9)}]",
        "scores": f'{{"accuracy": {value}}}',
        "trained": f'{{"deep": [{{"value": {value}}}]}}',
        "weight": f'[{{"name": "a", "weight": {value}}}]',
    }.get(field, value)
    name = "members" if field == "weight" else field
    if field == "bias" and value in {"0", "-1", "1e-308", "5e-324"}:
        fine["bias"].add(value)
    write_raw(folder, edited(folder, **{name: "HERE"}).replace('"HERE"', written))
    if value in fine.get(field, set()):
        read_card(folder)
    else:
        with pytest.raises(FercompError, match=r"card\.json is damaged"):
            read_card(folder)


@pytest.mark.parametrize("value", [None, True, -1, 1.5, 2**40, "", "x", [], ["a"], {}, {"a": {}}], ids=ascii)
@pytest.mark.parametrize(
    "key", ["params", "inference", "decision", "photos", "refit_of", "precision", "taught_sha256", "mine"]
)
def test_what_is_read_of_a_training_is_what_it_can_be(folder, key, value):
    kinds = {"photos": int, "refit_of": (str, dict), "precision": str, "taught_sha256": str, "mine": object}
    write_raw(folder, edited(folder, trained={key: value}))
    is_right = isinstance(value, kinds.get(key, dict)) and not (key == "photos" and value not in range(2**32))
    if is_right and (key == "mine" or value is not True):
        assert key in read_card(folder).trained
        assert model_card(folder)
    else:
        with pytest.raises(FercompError, match=r"card\.json is damaged \(trained: .*(was expected|photos)"):
            read_card(folder)


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ({}, "| scores | none on the card |"),
        ({"accuracy": 0.5}, "| scores | none on the card |"),
        ({"accuracy": 0.5, "n": 0}, "| scores | none on the card |"),
        ({"accuracy": 0.5, "macro_f1": 0.5, "n": 0}, "0.5000 (95 % interval nan to nan, 0 photos)"),
    ],
)
def test_a_card_with_some_scores_can_be_shown(folder, scores, told):
    write_raw(folder, edited(folder, scores=scores))
    assert told in model_card(folder)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": 99999999999999999999999}',
        "1" * 10_000,
        '"\\ud800"',
        "\ufeff{}",
        "x" * (2**22 + 1),
        '{"format": 2}',
        "null",
    ],
    ids=range(9),
)
@pytest.mark.parametrize("file", [CARD, DECISION])
def test_what_is_no_card_or_decision_is_one_line(folder, file, text):
    write_raw(folder, text, file)
    with pytest.raises(FercompError, match=r"is damaged|update fercomp|more than 4,194,304 bytes"):
        read_card(folder)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing", "link to itself", "device", "secret"])
@pytest.mark.parametrize("file", [CARD, DECISION, GRAPH, GRAPH_WEIGHTS])
def test_what_is_no_file_is_one_line_and_not_waited_for(folder, file, kind):
    path = folder / file
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "secret":
        path.touch()
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("root may read everything")
    else:
        path.symlink_to({"device": "/dev/zero", "link to itself": path}.get(kind, "nowhere"))
    with pytest.raises(FercompError, match=path.name):
        load_bundle(folder).predict(FACE)


@pytest.mark.parametrize("file", [GRAPH, GRAPH_WEIGHTS])
@pytest.mark.parametrize("damage", ["longer", "shorter", "one bit", "another model's"])
def test_a_network_that_is_not_the_cards_is_refused(folder, file, damage, tmp_path, write_model):
    data = bytearray((folder / file).read_bytes())
    if damage == "longer":
        data += b"\n"
    elif damage == "shorter":
        del data[-1:]
    elif damage == "one bit":
        data[len(data) // 2] ^= 1
    else:
        other = write_model(tmp_path / "other", size=SIZE, seed=1)
        data = bytearray((other / file).read_bytes()) + b" " * (file == GRAPH)
    (folder / file).write_bytes(data)
    words = "is not the file that its card.json was written for"
    with pytest.raises(FercompError, match=words):
        load_bundle(folder).predict(FACE)
    with pytest.raises(FercompError, match=words):
        _ = load_bundle(folder).fingerprint
    with pytest.raises(FercompError, match=words):
        export_model(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_card_of_an_earlier_version_still_loads_and_its_copy_is_tied(folder, tmp_path):
    values = json.loads((folder / CARD).read_text(encoding="utf-8"))
    assert set(values.pop("files")) == {GRAPH, GRAPH_WEIGHTS}
    write_raw(folder, json.dumps({**values, "format": 2}))
    answer = load_bundle(folder).predict(FACE)
    export_model(folder, tmp_path / "copy")
    card = read_card(tmp_path / "copy")
    assert (card.format, set(card.files)) == (FORMAT, {GRAPH, GRAPH_WEIGHTS})
    np.testing.assert_array_equal(load_bundle(tmp_path / "copy").predict(FACE), answer)


def write_graph(folder, answers_of):
    """Writes a graph whose answers are made from the mean of each face, and ties the card to it."""
    faces = ops.parameter([-1, SIZE, SIZE, 3], np.uint8)
    mean = ops.reduce_mean(ops.convert(faces, "f32"), np.array([1, 2, 3]), True)
    flat = ops.reshape(mean, np.array([-1, 1]), special_zero=False)
    model = openvino.Model(
        [answers_of(ops.matmul(flat, np.zeros((1, 9), np.float32), False, False))], [faces]
    )
    shutil.rmtree(folder / "graph")
    (folder / "graph").mkdir()
    openvino.save_model(model, folder / GRAPH, compress_to_fp16=False)
    write_card(folder, read_card(folder))


GRAPHS = {
    "nan": lambda zeros: ops.divide(zeros, zeros),
    "infinite": lambda zeros: ops.divide(ops.add(zeros, np.float32(1)), zeros),
    "no softmax": lambda zeros: ops.add(zeros, np.arange(9, dtype=np.float32)),
    "all zero": lambda zeros: zeros,
    "all one": lambda zeros: ops.add(zeros, np.float32(1)),
    "negative": lambda zeros: ops.add(zeros, np.array([2, -1, 0, 0, 0, 0, 0, 0, 0], np.float32)),
}


@pytest.mark.parametrize("kind", GRAPHS)
@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("flip", [False, True])
def test_a_network_that_gives_no_probabilities_never_names_a_class(folder, kind, temperature, flip):
    write_raw(folder, edited(folder, temperature=temperature, flip=flip))
    write_graph(folder, GRAPHS[kind])
    with pytest.raises(FercompError, match="tiny gives no probabilities"):
        load_bundle(folder).predict(FACE)


def test_a_network_that_fails_on_some_faces_only_is_noticed_there(folder):
    """White faces give NaN, others an answer: every answer is looked at, not the first."""

    def answers(zeros):
        return ops.softmax(zeros, 1)

    write_graph(folder, answers)
    np.testing.assert_allclose(load_bundle(folder).predict(FACE), 1 / 9, atol=1e-6)

    faces = ops.parameter([-1, SIZE, SIZE, 3], np.uint8)
    mean = ops.reduce_mean(ops.convert(faces, "f32"), np.array([1, 2, 3]), True)
    dark = ops.subtract(np.float32(255), ops.reshape(mean, np.array([-1, 1]), special_zero=False))
    shares = ops.divide(
        ops.divide(ops.matmul(dark, np.ones((1, 9), np.float32), False, False), dark), np.float32(9)
    )
    openvino.save_model(openvino.Model([shares], [faces]), folder / GRAPH, compress_to_fp16=False)
    write_card(folder, read_card(folder))
    bundle = load_bundle(folder)
    np.testing.assert_allclose(bundle.predict(FACE), 1 / 9, atol=1e-5)
    with pytest.raises(FercompError, match="gives no probabilities"):
        bundle.predict(FACE + np.uint8(255))


def test_points_are_checked_too(tmp_path, write_model):
    folder = write_model(tmp_path / "both", size=SIZE, head="both")
    assert load_bundle(folder).answer(FACE).points.shape == (3, 2)
    assert Card.model_validate(json.loads((folder / CARD).read_text(encoding="utf-8"))).width == 11


@pytest.mark.parametrize("cut", [0, 1, 100, -9, -100])
def test_a_graph_that_is_cut_off_is_one_line_without_a_checksum_too(folder, cut):
    write_raw(folder, edited(folder, files={}))
    for file in (GRAPH, GRAPH_WEIGHTS):
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(whole[:cut])
        with pytest.raises(FercompError, match="train"):
            load_bundle(folder).predict(FACE)
        (folder / file).write_bytes(whole)
    load_bundle(folder).predict(FACE)
