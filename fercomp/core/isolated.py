"""Work in a process of its own, which may run out of memory without harm to the one that waits for it."""

import os
import signal
from collections.abc import Callable
from multiprocessing import connection, get_context, parent_process
from threading import RLock, Thread
from typing import Any, TypeVar

from fercomp.core.errors import FercompError, in_brief
from fercomp.core.parallel import limit_threads, thread_limit
from fercomp.core.terminal import guarded, show_bug

_T = TypeVar("_T")

KILLED = -9
"""Exit code of a process that the system stopped at once, as Linux does where memory runs out."""


class Ended(FercompError):
    """A process ended before its work did.

    Args:
        code: Its exit code; below 0, the signal that ended it.
    """

    def __init__(self, code: int | None) -> None:
        why = "it may have run out of memory" if code == KILLED else "see above"
        super().__init__(f"the process ended with exit code {code}: {why}")
        self.code = code


def isolated(function: Callable[..., _T], *arguments: Any) -> _T:
    """Calls a function in a new process and waits for it.

    What the function prints is shown. The process ends with this one, whatever ends this one.

    Args:
        function: A function that stands in a module, so that the new process can import it.
        *arguments: Its arguments, which can be pickled.

    Returns:
        What it returned.

    Raises:
        Ended: Its process ended.
        FercompError: It raised something; the traceback of a bug is on stderr.
    """
    context = get_context("spawn")  # a fork of a process with threads, such as pandas' or Keras', may hang
    receiver, sender = context.Pipe(duplex=False)
    work = (sender, function, arguments, thread_limit())
    process = context.Process(target=_call, args=work, daemon=True)
    process.start()
    sender.close()  # the other end is the new process' alone: with it the pipe ends
    try:
        problem, result = receiver.recv()
    except EOFError:
        process.join()
        raise Ended(process.exitcode) from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if problem is not None:
        raise FercompError(problem)
    returned: _T = result
    return returned


def _call(
    sender: "connection.Connection",
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    most_threads: int | None,
) -> None:
    from tqdm import tqdm

    limit_threads(most_threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that waits, which ends this process
    tqdm.set_lock(RLock())  # a lock among processes, its default, would be reported as leaked then
    Thread(target=_end_with_parent, daemon=True).start()
    outcome: tuple[str | None, Any]
    try:
        with guarded():
            outcome = (None, function(*arguments))
    except FercompError as error:
        outcome = (str(error), None)
    except Exception as error:
        show_bug(type(error), error, error.__traceback__)
        outcome = (f"{type(error).__name__}: {in_brief(error, 300)}", None)
    sender.send(outcome)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
