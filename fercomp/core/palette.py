"""The colours of everything that is looked at: labels, timelines, plots and pages."""

from types import MappingProxyType
from typing import Final

Colour = tuple[int, int, int]
"""RGB, each 0 to 255."""

GOOD: Final[Colour] = (26, 127, 55)
BAD: Final[Colour] = (207, 34, 46)
PLAIN: Final[Colour] = (66, 112, 178)
SLATE: Final[Colour] = (87, 96, 106)
VIOLET: Final[Colour] = (130, 80, 223)

LABEL_COLOURS: Final = MappingProxyType(
    {
        **dict.fromkeys(("happy", "surprise"), GOOD),
        **dict.fromkeys(("anger", "contempt", "disgust", "fear", "sad"), BAD),
        **dict.fromkeys(("neutral", "uncertain"), PLAIN),
    }
)
"""By emotion, what its box and label have; any other class is `PLAIN`. White text on these, on `SLATE` and on
`VIOLET` has the contrast that WCAG 2.1 asks of text, 4.5:1."""

EMOTION_COLOURS: Final = MappingProxyType(
    {
        "happy": (30, 158, 106),
        "surprise": (246, 198, 38),
        "anger": (122, 13, 16),
        "contempt": (162, 78, 218),
        "disgust": (230, 71, 17),
        "fear": (54, 32, 51),
        "sad": (62, 14, 160),
        "neutral": (156, 182, 252),
        "uncertain": (97, 99, 100),
    }
)
"""By emotion, where nine are to be told apart without their names: at least 17 in CIEDE2000 between any two,
also for people who cannot see red, green or blue."""

BLUE: Final = "#3366aa"
ORANGE: Final = "#dd7722"
SERIES: Final = (BLUE, ORANGE, "#228855", "#aa3377", "#666666")
"""Lines, bars and dots of plots, in this order."""


def as_hex(colour: Colour) -> str:
    """Returns a colour as plots and pages take it, such as `#1a7f37`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def emotion_colour(emotion: str) -> str:
    """Returns the colour of an emotion among others, that of `uncertain` for any other class."""
    return as_hex(EMOTION_COLOURS.get(emotion, EMOTION_COLOURS["uncertain"]))


def css_variables() -> str:
    """Returns the colours as the pages' style sheets take them, such as `--good: #1a7f37;`."""
    named = {"good": GOOD, "bad": BAD, "plain": PLAIN, "slate": SLATE, "violet": VIOLET}
    hexes = {name: as_hex(colour) for name, colour in named.items()} | {"blue": BLUE, "orange": ORANGE}
    return " ".join(f"--{name}: {colour};" for name, colour in hexes.items())
