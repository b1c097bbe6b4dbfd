"""What went wrong between us and Kaggle, in one line that says what to do.

The client raises what `requests` raises; the reason stands only in the answer's body. Two kinds of errors
come out of here, since only after one of them may a request that changes something be sent again.
"""

import json
import re
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests
import urllib3

from fercomp.core.errors import FercompError
from fercomp.kaggle.client.credentials import SETTINGS

PAGE: Final = "https://www.kaggle.com/competitions"

CODE: Final = re.compile(r"notebook|kernel|code competition", re.IGNORECASE)
QUOTA: Final = re.compile(
    r"submission (limit|allowance|quota)|(daily|maximum number of|used all) (\w+ )?submissions?"
    r"|submissions? (today|per day|a day)|daily limit",
    re.IGNORECASE,
)
RULES: Final = re.compile(r"\brules?\b|permission", re.IGNORECASE)
"""How Kaggle's reasons are told apart: its answers have no codes of their own."""

UNFORESEEN: Final = (ValueError, LookupError, TypeError, AttributeError)
"""What the client's parsing raises for an answer, and Python's HTTP for a token, that it cannot read."""

LONGEST_PAUSE: Final = 120.0
"""Seconds that are waited at most where an answer asks for a pause (`Retry-After`)."""

LONGEST: Final = 300
"""Characters of a reason that are shown."""


class Refused(FercompError):
    """Kaggle said no: nothing was done.

    Attributes:
        words: Status and reason as Kaggle gave them, empty where it gave none.
    """

    def __init__(self, line: str, words: str = "") -> None:
        super().__init__(line)
        self.words = words

    @property
    def is_missing(self) -> bool:
        """Whether it may be said of what is not there: of that, Kaggle also says that it may not be read."""
        return self.words[:3] in ("403", "404")


class TooMany(Refused):
    """Kaggle has had too many requests: nothing was done, and later it may be."""


class Unanswered(FercompError):
    """No answer came, or none that says whether something was done.

    Attributes:
        pause: Seconds that the answer asks to wait, 0 where it asks for none.
    """

    def __init__(self, line: str, pause: float = 0.0) -> None:
        super().__init__(line)
        self.pause = pause


def refusal(
    error: requests.RequestException, competition: str, credentials: str, secrets: Sequence[str] = ()
) -> Refused | Unanswered:
    """Turns what `requests` raised into one line for the user.

    Args:
        error: What was raised.
        competition: The last part of the competition's address, empty where another thing was asked for.
        credentials: Where the credentials come from.
        secrets: Words that no message may hold.

    Returns:
        The error to raise. It quotes no address and no header, since either may hold a secret.
    """
    if error.response is None or not isinstance(error, requests.HTTPError):
        return Unanswered(_broken(error))
    status, reason = read_answer(error.response)
    for secret in filter(None, secrets):
        reason = reason.replace(secret, "***")
    words = f"{status} {reason}".strip()
    if error.response.history:  # the storage's answer: it knows neither competitions nor accounts
        return storage_says(error.response)
    if status == 429:
        return too_many(error.response)
    if status >= 500 or status == 408:
        return Unanswered(f"Kaggle is in trouble ({words}): try again later")
    return Refused(_refused(status, reason, competition, credentials), words)


def too_many(response: requests.Response) -> TooMany:
    """Says how long is to be waited after an answer of 429."""
    seconds = response.headers.get("Retry-After", "")
    pause = f"{seconds} seconds" if seconds.isdecimal() else printable(seconds) or "a few minutes"
    return TooMany(f"Kaggle has had too many requests from this account (429): try again in {pause}")


def storage_says(response: requests.Response) -> TooMany | Unanswered:
    """Says that Kaggle's storage does not send a file now, which a fresh address may change."""
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if re.fullmatch("[0-9]{1,9}", asked) else 0.0
    if pause > LONGEST_PAUSE:
        return too_many(response)
    return Unanswered(f"the storage answers {response.status_code}", pause)


def misunderstood(error: Exception, credentials: str) -> Refused | Unanswered:
    """Turns one of `UNFORESEEN` into one line; raise it `from None`, since the text may hold a token.

    Args:
        error: What was raised.
        credentials: Where the credentials come from.
    """
    if isinstance(error, UnicodeEncodeError) or "header value" in str(error):
        return Refused(
            f"the credentials of {credentials} hold characters that cannot be sent: save the token anew"
        )
    return Unanswered(
        f"an answer came that the Kaggle client does not understand ({type(error).__name__}): try again, and "
        "look whether there is a newer fercomp"
    )


def _refused(status: int, reason: str, competition: str, credentials: str) -> str:
    if not competition and status != 401:
        return f"Kaggle refuses ({status}): {reason or 'no reason given'}"
    if CODE.search(reason):
        return (
            f"{competition} is a code competition, which takes notebooks and no CSV (Kaggle: {reason}): "
            "run `fercomp submit --kernel`"
        )
    if QUOTA.search(reason):
        return quota_used(reason)
    if status == 401:
        return (
            f"Kaggle does not accept the credentials of {credentials} (401): make a new token at {SETTINGS}"
        )
    if status == 404:
        return (
            f"Kaggle has no competition {competition!r} ({reason}): expected the last part of its address, "
            f"such as in {PAGE}/titanic; give it as --set fetch.competition=NAME"
        )
    if status == 403 and (not reason or RULES.search(reason)):
        return (
            f"Kaggle does not let this account into {competition} ({reason or 'no reason given'}): "
            f"join the competition and accept its rules at {PAGE}/{competition}/rules, then try again"
        )
    return f"Kaggle refuses ({status}): {reason or 'no reason given'}"


def quota_used(reason: str) -> str:
    """Says that no submission is left, and when there will be one.

    Args:
        reason: Kaggle's own words.
    """
    return f"no submission is left for today ({reason}): the next is possible {until_reset()}"


def until_reset(now: datetime | None = None) -> str:
    """Says when Kaggle counts submissions anew: at midnight UTC."""
    now = now or datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"at 00:00 UTC, in {(midnight - now).total_seconds() / 3600:.1f} hours"


def read_answer(response: requests.Response) -> tuple[int, str]:
    """Reads an answer that says no.

    Returns:
        Its status, and the reason in its body: `error.message` or `message` of a JSON object, a short
        plain text, else the status in words. Only characters that a terminal shows.
    """
    try:
        body = next(response.iter_content(65536), b"")
    except (requests.RequestException, RuntimeError):  # cut off, or read before
        body = b""
    status, reason = response.status_code, ""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        if response.headers.get("Content-Type", "").startswith("text/plain"):
            reason = body.decode("utf-8", "replace")
    else:
        inner = answer.get("error", answer) if isinstance(answer, dict) else {}
        told = inner.get("message") if isinstance(inner, dict) else inner
        reason = told if isinstance(told, str) else ""
        code = answer.get("code") if isinstance(answer, dict) else None
        if status < 400 and type(code) is int:  # an error in the clothes of a success
            status = code
    return status, printable(reason or response.reason or "")[:LONGEST]


def printable(text: object) -> str:
    """Returns a stranger's text or number in one line, without characters that steer a terminal."""
    written = text if isinstance(text, str) else "" if text is None else repr(text)
    return " ".join("".join(c if c.isprintable() else " " for c in written).split())


def _broken(error: requests.RequestException) -> str:
    causes = list(_causes(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(requests.exceptions.InvalidHeader):
        return "the Kaggle credentials hold characters that cannot be sent: save the token anew"
    if among(requests.exceptions.JSONDecodeError):
        return "an answer came that is not Kaggle's: look whether a proxy or a login page is in between"
    in_time = among(urllib3.exceptions.NewConnectionError)  # which is one of their timeouts
    if among(requests.Timeout, urllib3.exceptions.TimeoutError) and not in_time:
        return "Kaggle does not answer in time: try again later"
    if among(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return "no secure connection to Kaggle: look at the clock, the certificates and the proxy"
    if among(socket.gaierror):
        return "no connection to Kaggle, its address is not found: look at the network and the proxy"
    why = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), None)
    return f"no connection to Kaggle, or it broke off ({why or type(causes[-1]).__name__}): try again"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walks through what an error came from, the outermost first."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
