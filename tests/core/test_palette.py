"""What colours have to be: readable, and told apart by people who do not see all of them."""

from itertools import combinations

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.palette import (
    BAD,
    BLUE,
    EMOTION_COLOURS,
    GOOD,
    LABEL_COLOURS,
    PLAIN,
    SERIES,
    SLATE,
    VIOLET,
    as_hex,
    css_variables,
    emotion_colour,
)

AA = 4.5
"""Contrast that WCAG 2.1 asks of text (success criterion 1.4.3)."""

SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Of linear RGB. Machado, Oliveira and Fernandes (2009), *A Physiologically-based Model for Simulation of
Color Vision Deficiency*, IEEE TVCG 15(6), table 1, severity 1.0."""


def linear(colour):
    share = np.array(colour) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(colour, other=(255, 255, 255)):
    dark, light = sorted(float(linear(each) @ (0.2126, 0.7152, 0.0722)) for each in (colour, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    """CIELAB of linear sRGB, white D65."""
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.119192, 0.9503041],
    ]
    x, y, z = (
        np.cbrt(v) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116
        for v in np.array(to_xyz) @ rgb / (0.95047, 1, 1.08883)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first, second):
    """Sharma, Wu and Dalal (2005), *The CIEDE2000 Color-Difference Formula*, Color Res. Appl. 30."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretched = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = np.hypot(a1 * stretched, b1), np.hypot(a2 * stretched, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretched)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    cos = lambda degrees: np.cos(np.radians(degrees))  # noqa: E731
    t = 1 - 0.17 * cos(hue - 30) + 0.24 * cos(2 * hue) + 0.32 * cos(3 * hue + 6) - 0.2 * cos(4 * hue - 63)
    dl = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    rotation = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    term = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(rotation)
    return float(np.sqrt(dl**2 + dc**2 + dh**2 + term * dc * dh))


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ],
)
def test_the_formula_gives_the_published_values(first, second, difference):
    assert ciede2000(first, second) == pytest.approx(difference, abs=1e-4)
    assert ciede2000(second, first) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("who", SEEN_BY)
def test_nine_emotions_are_told_apart_by_everybody(who):
    seen = {
        name: lab(np.clip(SEEN_BY[who] @ linear(colour), 0, 1)) for name, colour in EMOTION_COLOURS.items()
    }
    near = {pair: ciede2000(seen[pair[0]], seen[pair[1]]) for pair in combinations(seen, 2)}
    assert len(near) == 36
    assert min(near.values()) > 17, min(near, key=near.get)
    white = {name: ciede2000(each, lab(np.ones(3))) for name, each in seen.items()}
    assert min(white.values()) > 17, "on paper, too"


@pytest.mark.parametrize("colour", [*set(LABEL_COLOURS.values()), GOOD, BAD, PLAIN, SLATE, VIOLET])
def test_white_text_is_readable_on_every_label(colour):
    assert contrast(colour) >= AA


def test_every_emotion_has_its_colours():
    assert set(LABEL_COLOURS) == set(EMOTION_COLOURS) == set(EMOTIONS)
    assert len(set(EMOTION_COLOURS.values())) == len(EMOTIONS)
    assert (LABEL_COLOURS["happy"], LABEL_COLOURS["anger"], LABEL_COLOURS["neutral"]) == (GOOD, BAD, PLAIN)
    assert emotion_colour("bored") == emotion_colour("uncertain") == "#616364"


def test_plots_and_pages_take_the_same():
    assert len(set(SERIES)) == len(SERIES)
    assert SERIES[0] == BLUE
    assert f"--good: {as_hex(GOOD)};" in css_variables()
