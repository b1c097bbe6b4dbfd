"""The sections of the page about what `annotate` has found."""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from fercomp.core.palette import emotion_colour
from fercomp.core.progress import count
from fercomp.report.annotated.ribbon import ribbon
from fercomp.report.annotated.summary import answers_in_order
from fercomp.report.annotated.tally import Tallies, Tally, Who
from fercomp.report.html.charts import bar
from fercomp.report.html.element import MINUS, MISSING, Content, details, element, figures, percent, table

MOST_PEOPLE: Final = 200
MOST_CLIPS: Final = 24
MOST_LINES: Final = 12
"""People or tracks of a clip in its timeline and table: those who are seen longest."""

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"

Strip = tuple[str, int, int]
"""Address, width and height of a picture."""


def all_section(tallies: Tallies) -> list[Element]:
    """Shows what there is, and all emotions."""
    numbers: list[tuple[str, Content]] = [
        ("photos", tallies.photo_count),
        ("videos", len(tallies.clips)),
        ("faces, in photos and frames", tallies.whole.faces),
    ]
    if tallies.people:
        numbers.append(("people", len(tallies.people)))
    if not tallies.whole.faces:
        return [figures(numbers), element("p", "No face was found.")]
    counts = {name: tallies.whole.emotions[name] for name in answers_in_order(tallies.answers)}
    shares = {name: n / tallies.whole.faces for name, n in counts.items()}
    rows = [
        (_emotion(name), n, percent(shares[name]), _parts([(shares[name], name)]))
        for name, n in counts.items()
    ]
    return [figures(numbers), table("Emotions of all faces", ("emotion", "faces", "share", "bar"), rows)]


def people_section(tallies: Tallies, names: Mapping[int, str], strips: Mapping[int, Strip]) -> list[Element]:
    """Shows each person: those who are seen most often, in the order of their numbers."""
    if not tallies.people:
        return [element("p", "People are told apart with ", element("code", "--people"), ".")]
    ranked = sorted(tallies.people, key=lambda person: (-tallies.people[person].faces, person))
    rows = []
    for person in sorted(ranked[:MOST_PEOPLE]):
        tally = tallies.people[person]
        name = _name(("person", person), names) + (f"{_NO_BREAK}({person})" if person in names else "")
        rows.append((name, _strip(strips.get(person)), *_cells(tally)))
    made = _table("Each person", ("person", "faces of theirs"), rows, tallies)
    return [made, *_more(len(ranked) - MOST_PEOPLE, "of those who are seen less often")]


def clips_section(tallies: Tallies, names: Mapping[int, str], frames: Mapping[str, str]) -> list[Element]:
    """Shows each clip: its timeline and those who are seen longest in it."""
    if not tallies.clips:
        return [element("p", "No video.")]
    shown = list(tallies.clips)
    made: list[Element] = [] if not tallies.whole.faces else [_legend(tallies)]
    for i, file in enumerate(shown[:MOST_CLIPS]):
        made.append(details(file, *_clip(file, tallies, names, frames.get(file)), is_open=i < 3))
    return [*made, *_more(len(shown) - MOST_CLIPS, "of the videos")]


def photos_section(tallies: Tallies, pictures: Mapping[str, str]) -> list[Element]:
    """Shows all photos together, and some of them."""
    if not tallies.photo_count:
        return [element("p", "No photo.")]
    made = [_table("All photos", ("photos",), [(tallies.photo_count, *_cells(tallies.photos))], tallies)]
    if pictures:
        grid = element("ul", class_="grid copies")
        for file, address in pictures.items():
            picture = element("img", src=address, alt="", title=file, loading="lazy")
            grid.append(element("li", element("figure", picture, element("figcaption", file))))
        made += [element("h3", "The first photos with faces"), grid]
    return made


def problems_section(tallies: Tallies, notes: Sequence[str]) -> list[Element]:
    """Names the files that could not be used, or only in part, and what could not be shown."""
    made: list[Element] = []
    if tallies.problems:
        made.append(table("Files that could not be used, or only in part", ("file", "why"), tallies.problems))
        made += _more(tallies.problem_count - len(tallies.problems), "of the files", "the records")
    if notes:
        lines = element("ul", *(element("li", line) for line in notes))
        made.append(element("div", element("p", "Not shown as it should be:"), lines, class_="notes"))
    return made or [element("p", "All files could be used.")]


_HEADINGS: Final = ("emotion", "share", "all emotions", "faces", "seconds", "valence", "arousal")


def _table(
    caption: str, first: tuple[str, ...], rows: Sequence[tuple[Content, ...]], tallies: Tallies
) -> Element:
    """Makes a table of `_cells`, without the last two columns where no model gave valence and arousal."""
    headings = (*first, *_HEADINGS)
    shown = len(headings) - (2 if tallies.whole.point is None else 0)
    return table(caption, headings[:shown], [row[:shown] for row in rows])


def _cells(tally: Tally) -> tuple[Content, ...]:
    dominant, point = tally.dominant, tally.point
    if dominant is None:
        return (MISSING,) * len(_HEADINGS)
    shown = [MISSING] * 2 if point is None else [f"{value:+.2f}".replace("-", MINUS) for value in point]
    seconds = f"{tally.seconds:,.1f}" if tally.seconds else MISSING
    parts = [(tally.emotions[name] / tally.faces, name) for name in sorted(tally.emotions)]
    return (_emotion(dominant[0]), percent(dominant[1], 0), _parts(parts), tally.faces, seconds, *shown)


def _clip(file: str, tallies: Tallies, names: Mapping[int, str], frame: str | None) -> list[Element]:
    clip = tallies.clips[file]
    whole = f"{count(clip.frames, 'frame')}, {clip.begin:,.1f} to {clip.end:,.1f} s"
    made = [element("p", whole, class_="hint")]
    if frame is not None:
        made.append(element("img", src=frame, alt="", class_="frame"))
    if not clip.who:
        return [*made, element("p", "No face was found in it.")]
    ranked = sorted(clip.who.items(), key=lambda item: (-item[1].seconds, -item[1].faces, item[0]))
    lines = [
        (_name(who, names), tally) for who, tally in sorted(ranked[:MOST_LINES], key=lambda item: item[0])
    ]
    title = f"Timeline of {file}; the numbers are in the table below"
    made.append(ribbon([(name, tally.stretches) for name, tally in lines], clip.begin, clip.end, title))
    rows = [
        (element("strong", "all"), *_cells(clip.whole)),
        *((name, *_cells(tally)) for name, tally in lines),
    ]
    made.append(_table(f"Who is seen in {file}", ("who",), rows, tallies))
    return [*made, *_more(len(ranked) - MOST_LINES, "of those who are seen for a shorter time")]


def _more(more: int, what: str, where: str = "summary.csv") -> list[Element]:
    return [element("p", f"{more:,} more {what}: see {where}.", class_="hint")] if more > 0 else []


def _name(who: Who, names: Mapping[int, str]) -> str:
    kind, number = who
    named = names.get(number) if kind == "person" else None
    return named or f"{kind}{_NO_BREAK}{number}"


def _strip(strip: Strip | None) -> Element:
    if strip is None:
        return element("td", MISSING)
    address, width, height = strip
    shown = 56
    return element(
        "td", element("img", src=address, alt="", width=round(width * shown / height), height=shown)
    )


def _emotion(name: str) -> Element:
    mark = element("svg", viewBox="0 0 10 10", width=10, height=10, aria_hidden="true")
    mark.append(element("rect", width=10, height=10, fill=emotion_colour(name), class_="piece"))
    return element("td", mark, name, class_="emotion")


def _parts(parts: Sequence[tuple[float, str]]) -> Element:
    drawn = []
    for share, name in parts:
        title = element("title", f"{name} {percent(share, 0)}")
        drawn.append((share, element("rect", title, fill=emotion_colour(name), class_="piece")))
    return element("td", bar(*drawn))


def _legend(tallies: Tallies) -> Element:
    keys = [_emotion(name) for name in answers_in_order(tallies.answers) if tallies.whole.emotions[name]]
    for key in keys:
        key.tag = "span"
    return element("p", *keys, class_="legend")
