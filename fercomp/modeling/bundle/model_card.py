"""The model card of a bundle, for people: what it is, learned from and scored, and what it is not for.

It says what `card.json` says, after Mitchell et al., 2019, *Model cards for model reporting*.
"""

from pathlib import Path
from typing import Final

from fercomp.core.classes import UNCERTAIN
from fercomp.core.files import write_text
from fercomp.decisions.metrics import wilson_interval
from fercomp.modeling.bundle.card import Card, read_card
from fercomp.modeling.bundle.find import CAME_ALONG, network_cards
from fercomp.modeling.bundle.graph_check import worst_check
from fercomp.modeling.bundle.robustness import robustness_section

MODEL_CARD: Final = "model-card.md"

_STAND_IN: Final = (
    "a stand-in for the competition, 21,609 grey faces of 48 by 48 pixels from the web; it has not seen a "
    "photo of the competition itself"
)


def model_card(folder: Path) -> str:
    """Writes what a bundle is as a page of Markdown.

    Args:
        folder: The bundle.

    Raises:
        FercompError: A card cannot be read.
    """
    card = read_card(folder)
    networks = network_cards(folder)
    rows = {
        "network": _networks(card),
        **_grey(networks),
        "learned from": _learned_from(card, networks),
        **_time(networks),
        **_scores(card),
        **_graph(networks),
        "uncertain": _uncertain(card),
    }
    points = " It gives valence and arousal, too." if card.head != "emotion" else ""
    page = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    page = page.format(
        name=card.name,
        classes=", ".join(card.classes),
        about=f"Written by fercomp from `card.json`, which has every parameter.{points}",
        facts="\n".join(f"| {name} | {told} |" for name, told in rows.items()),
    )
    return page + robustness_section(folder, any(each.is_refit for each in (card, *networks)))


def write_model_card(folder: Path) -> None:
    """Writes the page beside `card.json`."""
    write_text(folder / MODEL_CARD, model_card(folder))


def _networks(card: Card) -> str:
    if not card.members:
        return f"{card.backbone}, input {card.size} x {card.size} pixels"
    return "ensemble of " + ", ".join(f"{member.name} ({member.weight:.3f})" for member in card.members)


def _grey(networks: list[Card]) -> dict[str, str]:
    grey = [network.name for network in networks if network.grey]
    if not grey:
        return {}
    who = "the network" if len(grey) == len(networks) else ", ".join(grey)
    return {"colours": f"turned into grey, by {who}"}


def _learned_from(card: Card, networks: list[Card]) -> str:
    if card.name in CAME_ALONG:
        return _STAND_IN
    photos = max(network.trained.get("photos", 0) for network in networks)
    like = f", {card.kind.faces}" if card.kind else ""
    tests = max(network.trained.get("test_photos", 0) for network in networks)
    more = f"; {tests:,} test photos, each as a teacher named it" if tests else ""
    return f"{photos:,} labelled photos{like}{more}" if photos else "not said on the card"


def _time(networks: list[Card]) -> dict[str, str]:
    cut = [network for network in networks if "time_up_in_epoch" in network.trained]
    if not cut:
        return {}
    ends = ", ".join(f"{network.name} in epoch {network.trained['time_up_in_epoch']}" for network in cut)
    return {"cut off": f"by `train.minutes`, {ends}: on another machine, other weights come out"}


def _scores(card: Card) -> dict[str, str]:
    if not {"accuracy", "macro_f1", "n"} <= card.scores.keys():
        return {"scores": "none on the card"}
    accuracy, n = card.scores["accuracy"], int(card.scores["n"])
    low, high = wilson_interval(accuracy, n)
    before = card.is_refit
    return {
        "holdout accuracy": f"{accuracy:.4f} (95 % interval {low:.3f} to {high:.3f}, {n:,} photos)",
        "macro-F1": f"{card.scores['macro_f1']:.4f}",
        **({"scores are of": "the network before it learned from the holdout, too"} if before else {}),
    }


def _graph(networks: list[Card]) -> dict[str, str]:
    check = worst_check([network.graph for network in networks])
    return {"exported graph": check.told} if check else {}


def _uncertain(card: Card) -> str:
    if card.threshold is not None:
        return f"said where the {card.threshold_on} is below {card.threshold:.3g}"
    if UNCERTAIN not in card.classes:
        return "never said"
    return "one of the classes, weighed by a class bias" if card.bias else "one of the classes"
