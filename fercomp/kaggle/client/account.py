"""An account at Kaggle, signed in: any question to Kaggle's own client, and its errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import requests

from fercomp.kaggle.client.refusals import UNFORESEEN, Unanswered, misunderstood, printable, refusal
from fercomp.kaggle.client.storage import Storage

PAGE_SIZE: Final = 200
"""Entries asked for at once: the most that Kaggle gives (help of `kaggle competitions files`)."""

MOST_PAGES: Final = 1_000
"""Pages of one list that are asked for: 200,000 entries."""


class Account:
    """An account that asks about one competition, and about what else it has at Kaggle.

    Used in a `with` block. Every method raises `Refused` where Kaggle says no, and `Unanswered` where no
    usable answer came.

    Attributes:
        competition: The last part of the competition's address.
        owner: The account's name.
        storage: Where Kaggle keeps files.
    """

    def __init__(self, competition: str, api: Any, credentials: str) -> None:
        self.competition = competition
        self._credentials = credentials
        values = api.config_values
        self.owner = printable(values.get("username"))
        self._secrets = [values[key] for key in ("token", "key", "api_token") if values.get(key)]
        self._client = api.build_kaggle_client()
        self.storage = Storage()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.storage.close()
        self._client.__exit__(None, None, None)

    def pages(self, service: str, method: str, **fields: Any) -> Iterator[Any]:
        """Walks through the pages of a list: `call` for each."""
        token, seen = "", {""}
        for _ in range(MOST_PAGES):
            page = self.call(service, method, page_size=PAGE_SIZE, page_token=token, **fields)
            yield page
            token = str(page.next_page_token or "")
            if token in seen:  # the end, or a circle
                return
            seen.add(token)
        raise Unanswered(f"Kaggle's list has more than {MOST_PAGES:,} pages: try again later")

    def call(self, service: str, method: str, **fields: Any) -> Any:
        """Asks `competition`, `kernels`, `dataset` or `blob` something.

        Args:
            service: One of these, Kaggle's services.
            method: What is asked, by Kaggle's own name for it.
            **fields: Fields of the request, as JSON would have their values. `None` is left out.
        """
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")
        words = {name: name.split("_") for name in fields}
        named = {n: "".join([first, *map(str.capitalize, rest)]) for n, (first, *rest) in words.items()}
        given = {named[name]: value for name, value in fields.items() if value is not None}
        with self.told(competition=service == "competition"):  # an older client may not know the method
            room = getattr(self._client, f"{service.removesuffix('s')}s")
            ask = getattr(getattr(room, f"{service}_api_client"), snake)
            return ask(ask.__annotations__["request"].from_dict(given))

    @contextmanager
    def told(self, competition: bool = True) -> Iterator[None]:
        """Tells errors that come up in a block, also while the content of an answer is read.

        Args:
            competition: Whether it asks for the competition.
        """
        try:
            yield
        except requests.RequestException as error:
            about = self.competition if competition else ""
            raise refusal(error, about, self._credentials, self._secrets) from error
        except UNFORESEEN as error:
            raise misunderstood(error, self._credentials) from None  # its text may hold a secret
