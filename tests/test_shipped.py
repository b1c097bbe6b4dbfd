"""The models that come with the package: small, complete, and described by true figures."""

import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fercomp.cli.app import main
from fercomp.core.classes import EMOTIONS
from fercomp.core.params import TrainParams, load_params
from fercomp.core.paths import Workspace
from fercomp.faces.tta import VIEWS
from fercomp.modeling.bundle.card import MEMBERS, read_card
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD, model_card
from fercomp.stages.doctor import diagnose
from tests.drawn import draw_face

SHIPPED = CAME_ALONG["shipped"]

SHIPPED_LARGE = CAME_ALONG["shipped-large"]

LARGEST = {SHIPPED: 12e6, SHIPPED_LARGE: 35e6}

LICENCES = {SHIPPED: "EFFICIENTNET-LITE-LICENSE.txt", SHIPPED_LARGE: "FACENET-LICENSE.txt"}
"""Of what its networks began from; a network of `shipped-large` began as one of `shipped` did."""

both = pytest.mark.parametrize("folder", LARGEST, ids=lambda folder: folder.name)


@both
def test_it_is_complete_and_small(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST[folder]
    names = {path.relative_to(folder).as_posix() for path in files}
    card = read_card(folder)
    parts = ("card.json", "graph/graph.xml", "graph/graph.bin")
    members = {f"members/{member.name}/{part}" for member in card.members for part in parts}
    assert names == {"README.md", "card.json", "model-card.md", LICENCES[folder]} | members
    assert len(card.members) > 1
    assert (card.name, card.classes, card.runtime) == (folder.name, EMOTIONS, "openvino")


@both
def test_its_card_says_where_it_is_from(folder):
    members = [read_card(folder / MEMBERS / member.name) for member in read_card(folder).members]
    for member in members:
        assert {"params", "data_sha256", "packages", "photos"} <= set(member.trained)
    assert len({member.trained["data_sha256"] for member in members}) == 1
    for member in members:
        assert member.scores["n"] > 3000
        assert 0.5 < member.scores["accuracy"] < 0.76


def test_the_large_one_has_the_networks_of_the_small_one_beside_its_own():
    for member in read_card(SHIPPED).members:
        assert read_card(SHIPPED_LARGE / MEMBERS / member.name) == read_card(SHIPPED / MEMBERS / member.name)
    card = read_card(SHIPPED_LARGE / MEMBERS / "face160-refit")
    text = (SHIPPED_LARGE / "README.md").read_text(encoding="utf-8")
    names = ("accuracy", "macro_f1", "calibration_error", "log_loss")
    found = re.search(r"^\| `face160` \| (.*) \|$", text, re.M)
    assert [float(value) for value in found[1].split(" | ")] == [
        pytest.approx(card.scores[name], abs=6e-5 if name != "log_loss" else 6e-4) for name in names
    ]


def test_the_large_one_is_scored_as_its_networks_made_again():
    card, text = read_card(SHIPPED_LARGE), (SHIPPED_LARGE / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^\| the same, `face160` in 8 bits, as it ships \| (.*) \|$", text, re.M)
    names = ("accuracy", "macro_f1", "calibration_error", "log_loss")
    assert [float(value) for value in found[1].split(" | ")] == [card.scores[name] for name in names]


@both
def test_its_card_says_what_its_photos_are_like_at_the_size_that_it_sees_them(folder):
    """A photo that is made larger is softer, so each size has a sharpness of its own."""
    card = read_card(folder)
    networks = [read_card(folder / MEMBERS / member.name) for member in card.members]
    sharpness = {each.size: each.kind.mean["sharpness"] for each in networks}
    assert len(sharpness) == len(networks)
    assert card.kind.mean["sharpness"] == sharpness[card.size]
    by_size = [sharpness[size] for size in sorted(sharpness)]
    assert by_size == sorted(by_size, reverse=True)


@both
def test_its_page_says_what_is_on_its_card(folder):
    assert (folder / MODEL_CARD).read_text(encoding="utf-8") == model_card(folder)


def test_colours_mean_nothing_to_the_network_that_learned_from_grey():
    network = load_bundle(SHIPPED_LARGE / MEMBERS / "face160-refit")
    colour = draw_face("happy", np.random.default_rng(0), 160)
    grey = cv2.cvtColor(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert (colour != grey).any()
    np.testing.assert_allclose(network.predict(colour[None]), network.predict(grey[None]), atol=0.02)


def test_its_readme_quotes_the_card():
    card, text = read_card(SHIPPED), (SHIPPED / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (accuracy|macro-F1|calibration error) \| ([0-9.]+) \|$", text, re.M))
    assert {name: float(value) for name, value in rows.items()} == {
        "accuracy": round(card.scores["accuracy"], 4),
        "macro-F1": round(card.scores["macro_f1"], 4),
        "calibration error": round(card.scores["calibration_error"], 4),
    }
    for part in ("must not be used", "params.shipped.yaml", "fercomp export", "Limits"):
        assert part in text


def test_its_recipe_stands_in_a_file():
    """`params.shipped.yaml` says what the cards say, to the last parameter."""
    params, card = load_params(Path(__file__).parents[1] / "params.shipped.yaml"), read_card(SHIPPED)
    recipe = params.ensembles["together"]
    assert list(recipe.members) == [member.name for member in card.members]
    assert recipe.weights == card.trained["weights"]
    for name in recipe.members:
        trained, network = read_card(SHIPPED / MEMBERS / name).trained, params.refits[name]
        assert trained["refit_of"] == network
        plan = params.plan(network)
        # Parameters that have come since count as their defaults.
        assert plan.train.model_dump() == TrainParams.model_validate(trained["params"]).model_dump()
        assert trained["params"].keys() <= plan.train.model_dump().keys()
        assert plan.inference.model_dump(mode="json") == trained["inference"]


def test_the_recipe_of_the_large_one_stands_in_a_file():
    """`params.shipped-large.yaml` says what the cards say, but for what meant something else then."""
    project = Path(__file__).parents[1]
    params, small = (load_params(project / f"params.{name}.yaml") for name in ("shipped-large", "shipped"))
    for network in (*small.experiments, *small.students):
        assert params.plan(network) == small.plan(network)
    assert small.refits.items() <= params.refits.items()
    assert small.ensembles.items() <= params.ensembles.items()
    card, large = read_card(SHIPPED_LARGE), params.ensembles["large"]
    assert list(params.networks_in("large")) == [member.name for member in card.members]
    assert (large.weights, [member.weight for member in card.members]) == ("models", [0.5, 0.25, 0.25])

    trained = read_card(SHIPPED_LARGE / MEMBERS / "face160-refit").trained
    assert params.refits["face160-refit"] == trained["refit_of"]
    plan, then = params.plan("face160"), trained["params"]
    now = plan.train.model_dump()
    for key in now.keys() & then.keys() - {"layer_decay", "augment"}:
        assert now[key] == then[key], key
    assert then["augment"].pop("tint") == 0
    assert then["augment"].pop("perspective") == 2 * now["augment"].pop("perspective")
    defaults = TrainParams().augment.model_dump()
    assert defaults | then["augment"] == defaults | now["augment"] | {"perspective": 0}
    assert plan.inference.model_dump(mode="json") == trained["inference"]


def test_everybody_is_told_what_it_learned_from(tmp_path):
    photos = {read_card(SHIPPED / MEMBERS / m.name).trained["photos"] for m in read_card(SHIPPED).members}
    number = f"{photos.pop():,} grey"
    assert not photos
    project = Path(__file__).parents[1]
    pages = (
        SHIPPED / "README.md",
        project / "README.md",
        project / "docs/reference/models.md",
        project / "docs/reference/cli.md",
    )
    told = [page.read_text(encoding="utf-8") for page in pages]
    told += [finding.found for finding in diagnose(Workspace(tmp_path)) if finding.subject == "models"]
    for text in told:
        assert number in " ".join(text.split())
        assert "stand-in" in text


@pytest.mark.slow
@both
def test_it_answers_much_the_same_for_a_mirrored_face(folder):
    bundle = load_bundle(folder)
    rng = np.random.default_rng(0)
    face = draw_face("happy", rng, max(size for size, _ in bundle.inputs))
    faces = [cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)[None] for size, _ in bundle.inputs]
    for views in (0, len(VIEWS)):
        plain = bundle.answer(*faces, views=views).pred_probs
        mirrored = bundle.answer(*(array[:, :, ::-1] for array in faces), views=views).pred_probs
        np.testing.assert_allclose(plain.sum(axis=1), 1, atol=1e-5)
        assert plain.argmax() == mirrored.argmax() == EMOTIONS.index("happy")
        np.testing.assert_allclose(plain, mirrored, atol=0.1)


@both
@pytest.mark.slow
def test_it_writes_a_submission_without_training(workspace, monkeypatch, folder):
    for command in ("predict", "submission"):
        monkeypatch.setattr("sys.argv", ["fercomp", command, "--model", folder.name])
        try:
            main()
        except SystemExit as end:
            assert not end.code
    lines = pd.read_csv(f"submissions/{folder.name}.csv")
    assert len(lines) == 20
    assert set(lines["emotion"]) <= set(EMOTIONS)
