"""Processes that are forked from one that has its imports behind it.

A test that kills a command wants a process of its own, and two hundred of them spent nearly all their time
on `import`. Here one process imports once and is then forked: its children are real processes, with their own
folder, environment, standard streams and end, and they begin after a few milliseconds.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

SERVER = """
import json, os, signal, socket, sys

exec(sys.argv[1])
jobs = socket.socket(fileno=0)
stream = jobs.makefile("rb", buffering=0)
while True:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    mark, fds, _, _ = socket.recv_fds(jobs, 1, 3)
    if not mark:
        sys.exit()
    text = stream.readline()
    if os.fork() == 0:  # a keeper, who waits for the child and tells its end
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        pid = os.fork()
        if pid == 0:
            break
        os.write(fds[2], f"{pid} ".encode())
        os.write(fds[2], str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
        os._exit(0)
    for fd in fds:
        os.close(fd)
job = json.loads(text)
os.dup2(fds[0], 1)
os.dup2(fds[1], 2)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
for fd in (*fds, jobs.detach()):
    if fd > 2:
        os.close(fd)
os.chdir(job["cwd"])
os.environ.clear()
os.environ.update(job["env"])
sys.argv = ["-c", *job["words"]]
exec(compile(job["code"], "<forked>", "exec"), {"__name__": "__main__"})
"""


EVERY_COMMAND = """
import filelock, pydantic.type_adapter, rich.console, rich.live, rich.status, rich.table, ruamel.yaml, tqdm
import fercomp.cli.app
"""
"""What every command of `fercomp` imports, sooner or later."""

MAIN = "from fercomp.cli.app import main; main()"
"""The command line, as code for a process of its own."""

ANNOTATE = f"""{EVERY_COMMAND}
import numpy, openvino, cv2, PIL.Image, fercomp.annotate.batch
PIL.Image.init()
"""
"""The same of `annotate`."""


def _read_beside(stream: IO[bytes]) -> str:
    return os.pread(stream.fileno(), 2**20, 0).decode()


class Forked:
    """A forked process. What tests use of `subprocess.Popen` is here under the same names."""

    def __init__(self, told: int, out: IO[bytes], err: IO[bytes] | None) -> None:
        self._told, self._out, self._err = told, out, err
        self._end = b""
        self.returncode: int | None = None
        while b" " not in self._end:
            self._read()
        pid, _, self._end = self._end.partition(b" ")
        self.pid = int(pid)

    def written(self) -> str:
        """Gives what it has written to stdout until now, without its position there, which it shares."""
        return _read_beside(self._out)

    def written_errors(self) -> str:
        """Gives what it has written to stderr until now, likewise."""
        assert self._err, "stderr goes elsewhere"
        return _read_beside(self._err)

    def poll(self) -> int | None:
        """Gives the exit code, or minus the signal that ended it; None while it runs."""
        return self._wait(0)

    def wait(self, timeout: float = 240) -> int:
        """Waits for the end."""
        code = self._wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("forked", timeout)
        return code

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        """Waits for the end: what was written to stdout and stderr."""
        self.wait(timeout)
        texts = []
        for stream in (self._out, self._err):
            if stream:
                stream.seek(0)
            texts.append(stream.read().decode() if stream else "")
        return texts[0], texts[1]

    def send_signal(self, number: int) -> None:
        """Sends a signal where the process still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and its keeper is about to say so
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Sends SIGKILL where the process still runs."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Ends it where it still runs."""
        if self._out.closed:
            return
        self.kill()
        self.wait()
        os.close(self._told)
        for stream in (self._out, self._err):
            if stream:
                stream.close()

    def _wait(self, timeout: float) -> int | None:
        # A child of milliseconds may have told its end together with its number.
        if self.returncode is None and (self._end or select.select([self._told], [], [], timeout)[0]):
            if not self._end:
                self._read()
            self.returncode = int(self._end)
        return self.returncode

    def _read(self) -> None:
        piece = os.read(self._told, 64)
        if not piece:
            raise RuntimeError("the process that forks has ended")
        self._end += piece


class Forks:
    """The process that is forked.

    Args:
        imports: Python that it runs once: what all children have behind them.
        **environment: Variables for that.
    """

    def __init__(self, imports: str, **environment: str) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("needs fork, which Windows has not")
        self._jobs, theirs = socket.socketpair()
        command = [sys.executable, "-c", SERVER, imports]
        self._server = subprocess.Popen(command, stdin=theirs, env={**os.environ, **environment})
        theirs.close()
        self._children: list[Forked] = []

    def start(
        self, code: str, *words: str, cwd: Path, env: dict[str, str], stderr: int | None = None
    ) -> Forked:
        """Forks a child.

        Args:
            code: Python that it runs, as `python -c` would.
            *words: Its arguments.
            cwd: Its folder.
            env: All of its environment.
            stderr: Where it writes errors to; kept for `communicate` by default.
        """
        out, err = tempfile.TemporaryFile(), None if stderr is not None else tempfile.TemporaryFile()  # noqa: SIM115
        told, tell = os.pipe()
        job = {"code": code, "words": words, "cwd": str(cwd), "env": env}
        streams = [out.fileno(), err.fileno() if err else stderr, tell]
        socket.send_fds(self._jobs, [b"."], streams)
        self._jobs.sendall(json.dumps(job).encode() + b"\n")
        os.close(tell)
        self._children.append(Forked(told, out, err))
        return self._children[-1]

    def run(self, code: str, *words: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Forks a child as `start` does, and waits for its end."""
        child = self.start(code, *words, cwd=cwd, env=env)
        out, err = child.communicate()
        child.close()
        return subprocess.CompletedProcess(code, child.wait(), out, err)

    def end_children(self) -> None:
        """Ends the children that were started so far."""
        for child in self._children:
            child.close()
        self._children.clear()

    def close(self) -> None:
        """Ends the children and the process that is forked."""
        self.end_children()
        self._jobs.close()
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
