import shutil

import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.bundle.card import GRAPH_WEIGHTS, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.export.copy import agreement_of_answers, export_model
from fercomp.stages.ensemble import build_ensemble


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def other(workspace):
    """A second network: the first under another name."""
    shutil.copytree(workspace.bundle("tiny"), workspace.bundle("other"))
    card = workspace.bundle("other") / "card.json"
    card.write_text(card.read_text().replace('"name": "tiny"', '"name": "other"'))
    return workspace.bundle("other")


def test_the_copy_runs_and_holds_nothing_else(tiny_bundle_folder, tmp_path):
    size = export_model(tiny_bundle_folder, tmp_path / "copy", "friday")
    assert files(tmp_path / "copy") == [
        "card.json", "graph/graph.bin", "graph/graph.xml", "model-card.md"
    ]  # fmt: skip
    assert size == sum((tmp_path / "copy" / file).stat().st_size for file in files(tmp_path / "copy"))
    assert read_card(tmp_path / "copy").name == "friday"
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        load_bundle(tmp_path / "copy").predict(faces), load_bundle(tiny_bundle_folder).predict(faces)
    )


def test_an_ensemble_takes_its_members_along(workspace, tmp_path):
    build_ensemble("vote", [workspace.bundle("tiny"), other(workspace)], "equal", workspace)
    export_model(workspace.bundle("vote"), tmp_path / "copy")
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        load_bundle(tmp_path / "copy").predict(faces), load_bundle(workspace.bundle("vote")).predict(faces)
    )


FACES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def test_float16_halves_it(workspace, tmp_path):
    small = export_model(workspace.bundle("tiny"), tmp_path / "small", precision="float16")
    assert small < export_model(workspace.bundle("tiny"), tmp_path / "copy")
    # Of so small a network, most bytes are its description.
    halved, whole = ((tmp_path / name / GRAPH_WEIGHTS).stat().st_size for name in ("small", "copy"))
    assert halved < 0.6 * whole
    assert files(tmp_path / "small") == files(tmp_path / "copy")
    probs, exact = (load_bundle(tmp_path / name).predict(FACES) for name in ("small", "copy"))
    assert (probs != exact).any()
    np.testing.assert_allclose(probs, exact, atol=2e-3)
    assert read_card(tmp_path / "small").trained["precision"] == "float16"


@pytest.mark.slow
def test_int8_computes_in_8_bits_and_says_much_the_same(workspace, tmp_path):
    source = workspace.bundle("tiny")
    export_model(source, tmp_path / "small", "friday", "int8", workspace)
    export_model(source, tmp_path / "again", "friday", "int8", workspace)
    for file in files(tmp_path / "again"):
        assert (tmp_path / "small" / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file
    card = read_card(tmp_path / "small")
    assert (card.name, card.trained["precision"]) == ("friday", "int8")
    weights = [(folder / "graph/graph.bin").stat().st_size for folder in (tmp_path / "small", source)]
    assert weights[0] < 0.4 * weights[1]
    probs, exact = (load_bundle(folder).predict(FACES) for folder in (tmp_path / "small", source))
    assert (probs != exact).any()
    np.testing.assert_allclose(probs, exact, atol=0.1)
    share, photos = agreement_of_answers(source, tmp_path / "small", workspace)
    assert 0.8 < share <= 1
    assert photos > 20
    with pytest.raises(FercompError, match="is quantised to 8 bits already"):
        export_model(tmp_path / "small", tmp_path / "third", precision="int8", workspace=workspace)


@pytest.mark.slow
def test_members_of_an_ensemble_are_rewritten_each(workspace, tmp_path):
    build_ensemble("pair", [workspace.bundle("tiny"), other(workspace)], "equal", workspace)
    export_model(workspace.bundle("pair"), tmp_path / "copy", precision="int8", workspace=workspace)
    for folder in ("copy", "copy/members/tiny", "copy/members/other"):
        assert read_card(tmp_path / folder).trained["precision"] == "int8"
    for name in ("tiny", "other", "pair"):
        assert "precision" not in read_card(workspace.bundle(name)).trained


def test_a_network_without_a_graph_cannot_be_rewritten(tiny_bundle_folder, tmp_path):
    shutil.copytree(tiny_bundle_folder, tmp_path / "keras")
    card = tmp_path / "keras" / "card.json"
    card.write_text(card.read_text().replace('"runtime": "openvino"', '"runtime": "keras"'))
    with pytest.raises(FercompError, match="runs on Keras: only a graph"):
        export_model(tmp_path / "keras", tmp_path / "copy", precision="float16")
    assert not (tmp_path / "copy").exists()


def test_int8_without_photos_is_one_line(tiny_bundle_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FercompError, match=r"photos.csv not found"):
        export_model(tiny_bundle_folder, tmp_path / "copy", precision="int8")
    assert not (tmp_path / "copy").exists()


def test_a_bundle_is_replaced_and_its_readme_stays(tiny_bundle_folder, tmp_path):
    target = tmp_path / "copy"
    export_model(tiny_bundle_folder, target)
    (target / "README.md").write_text("made by hand")
    (target / "old.txt").write_text("old")
    export_model(tiny_bundle_folder, target, "shipped")
    assert files(target) == ["README.md", "card.json", "graph/graph.bin", "graph/graph.xml", "model-card.md"]


def test_what_is_not_a_model_is_left_alone(tiny_bundle_folder, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    for target, why in ((tmp_path, "something else"), (tiny_bundle_folder, "the model itself")):
        with pytest.raises(FercompError, match=why):
            export_model(tiny_bundle_folder, target)
    with pytest.raises(FercompError, match="expected a letter"):
        export_model(tiny_bundle_folder, tmp_path / "copy", "../up")
    assert files(tmp_path) == ["letter.txt"]


def test_an_incomplete_bundle_is_one_line(tiny_bundle_folder, tmp_path):
    shutil.copytree(tiny_bundle_folder, tmp_path / "torn")
    (tmp_path / "torn/graph/graph.bin").unlink()
    with pytest.raises(FercompError, match=r"graph\.bin not found: train"):
        export_model(tmp_path / "torn", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
