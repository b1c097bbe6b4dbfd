import os
import signal
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

CLI = (sys.executable, "-c", "from fercomp.cli.app import main; main()", "live", "--no-browser")


class Server:
    """A real `fercomp live` in a process of its own."""

    def __init__(self, folder, model):
        self.folder = folder
        command = [*CLI, "--model", str(model), "--output", str(folder)]
        # As a terminal does, though the tests may run without one.
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        line = self.process.stdout.readline()
        assert line.startswith("open http://127.0.0.1:"), line + self.process.stderr.read()
        self.address = line.split()[1]
        self.host = urlsplit(self.address).netloc
        self.token = parse_qs(urlsplit(self.address).query)["token"][0]

    def stop(self):
        """Ctrl-C: the exit code and what was written to stderr."""
        self.process.send_signal(signal.SIGINT)
        _, told = self.process.communicate(timeout=30)
        return self.process.returncode, told


@pytest.fixture
def server(tmp_path, tiny_bundle_folder):
    server = Server(tmp_path / "recordings", tiny_bundle_folder)
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.communicate()
