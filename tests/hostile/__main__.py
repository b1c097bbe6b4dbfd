"""`./run hostile`: every hostile case, or a seeded sample of them, counted area by area."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path

from .archives import archive_cases
from .base import write_base
from .case import OUTCOMES, Case, Result
from .clips import clip_cases
from .folders import folder_cases
from .kills import kill_cases, kill_results
from .models import model_cases
from .pages import page_cases, page_results
from .people import people_cases
from .photos import photo_cases
from .reports import report_cases
from .runner import run_all, warm_up
from .runs import run_cases
from .settings import setting_cases
from .sources import source_cases
from .tables import table_cases
from .terminal import terminal_cases


def all_cases() -> list[Case]:
    """Returns every case."""
    return [
        *(*photo_cases(), *clip_cases(), *table_cases(), *setting_cases(), *archive_cases()),
        *(
            *source_cases(),
            *folder_cases(),
            *model_cases(),
            *terminal_cases(),
            *page_cases(),
            *report_cases(),
            *run_cases(),
            *people_cases(),
        ),
        *kill_cases(),
    ]


def sample_of(cases: list[Case], size: int, seed: int) -> list[Case]:
    """Returns some of the cases, of each area as many as of any other while there are."""
    areas: dict[str, list[Case]] = {}
    for case in random.Random(seed).sample(cases, len(cases)):
        areas.setdefault(case.area, []).append(case)
    in_turn = chain.from_iterable(zip_longest(*areas.values()))
    return list(islice(filter(None, in_turn), size))


def campaign(cases: list[Case], workers: int) -> Iterator[Result]:
    """Runs cases against a workspace of drawn faces."""
    of_area = {area: [case for case in cases if case.area == area] for area in ("pages", "kills")}
    rest = [case for case in cases if case.area not in of_area]
    with tempfile.TemporaryDirectory(prefix="hostile-base-") as name:
        base = Path(name) / "base"
        if rest or of_area["pages"]:
            warm_up()
            write_base(base)
        yield from run_all(rest, base, workers)
        yield from page_results(base, of_area["pages"])
    yield from kill_results(of_area["kills"], workers)


def report(results: list[Result]) -> str:
    """Returns how many cases of each area came to what, as a table, and what was not clear, a line each."""
    counts = {area: Counter(r.outcome for r in results if r.case.area == area) for area in _areas(results)}
    lines = [f"{'':10}{'tried':>7}" + "".join(f"{outcome:>11}" for outcome in OUTCOMES)]
    for area, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        cells = "".join(f"{count[outcome]:>11}" for outcome in OUTCOMES)
        lines.append(f"{area:10}{count.total():>7}{cells}")
    bad = sorted(
        (r for r in results if r.outcome != "clear"), key=lambda r: (r.outcome, r.case.area, r.case.name)
    )
    lines += ["", *(f"{r.outcome}: {r.case.area}: {r.case.name}: {r.why!r}" for r in bad)]
    return "\n".join(lines).rstrip()


def _areas(results: list[Result]) -> list[str]:
    return list(dict.fromkeys(sorted(result.case.area for result in results)))


def main() -> int:
    """Runs the campaign as the command line says; the exit code is 1 where a case was not clear."""
    parser = argparse.ArgumentParser(prog="./run hostile", description=__doc__)
    parser.add_argument(
        "--sample", type=int, metavar="N", help="only N cases, of all areas, chosen by the seed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--area", help="only this area: photos, clips, tables, cards, ...")
    parser.add_argument("--only", metavar="TEXT", help="only cases whose name has this text")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    cases = [c for c in all_cases() if options.area in (None, c.area) and (options.only or "") in c.name]
    if options.sample:
        cases = sample_of(cases, options.sample, options.seed)
    begin, results = time.monotonic(), []
    for result in campaign(cases, options.workers):
        results.append(result)
        if result.outcome != "clear":
            print(f"{result.outcome}: {result.case.area}: {result.case.name}", file=sys.stderr, flush=True)
        if len(results) % 20 == 0:
            print(f"{len(results)} done, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    print(report(results))
    return int(any(result.outcome != "clear" for result in results))


if __name__ == "__main__":
    sys.exit(main())
