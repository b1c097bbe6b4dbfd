"""What a user may name to be annotated: files, folders, lists of them, and addresses of object stores."""

from collections.abc import Sequence
from pathlib import Path

from fercomp.annotate.sources.lists import is_list, listed
from fercomp.annotate.sources.object_store import find_remote, is_url
from fercomp.annotate.sources.walk import Sources, find_sources
from fercomp.core.errors import FercompError

Location = Path | str
"""A path, or the address of an object store as text."""


def find_places(places: Sequence[Location], output: Path) -> Sources:
    """Finds the photos and clips of all that a user has named.

    Args:
        places: Files, folders, lists and addresses.
        output: The folder that annotated copies go to.

    Raises:
        FercompError: One of them is not there, or is none of these, addresses are named beside files, or
            there is nothing to annotate.
    """
    lists = [Path(place) for place in places if is_list(Path(place))]
    named = [place for place in places if Path(place) not in lists]
    entries = [entry for path in lists for entry in listed(path)]
    urls = [str(place) for place in named if is_url(str(place))]
    listed_urls = [entry for entry in entries if is_url(entry)]
    if not urls and not listed_urls:
        if lists and not named and not entries:
            raise FercompError(f"{', '.join(map(str, lists))} is empty: expected a photo in each line")
        return find_sources([Path(place) for place in named], output, [Path(entry) for entry in entries])
    if len(urls) + len(listed_urls) < len(named) + len(entries):
        raise FercompError("addresses of a store and files beside them: annotate one after the other")
    return find_remote(urls, listed_urls)
