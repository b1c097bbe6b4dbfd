"""What a kernel says of pip."""

import subprocess

import pytest

from fercomp.core.errors import FercompError
from fercomp.kaggle.kernels.packages import install

NOT_FOUND = """\
ERROR: Could not find a version that satisfies the requirement tqdm>=999 (from versions: none)
ERROR: No matching distribution found for tqdm>=999
"""
BROKEN = """\
WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection \
broken by 'NewConnectionError('<...>: Failed to establish a new connection: [Errno -2] Name or service not \
known')': /simple/tqdm/
"""
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
HASH = """\
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package \
versions, please update the hashes.
    foo from https://files.pythonhosted.org/foo-1-py3-none-any.whl:
        Expected sha256 00
             Got        61
"""
BUG = """\
ERROR: Exception:
Traceback (most recent call last):
  File "pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper
    status = run_func(*args)
PermissionError: [Errno 13] Permission denied: '/usr/lib/python3'
"""
INTERNET = "; has this kernel internet? It needs a verified phone number"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (NOT_FOUND, "No matching distribution found for tqdm>=999"),
        (BROKEN + NOT_FOUND, f"No matching distribution found for tqdm>=999{INTERNET}"),
        (BROKEN + FULL, "No space left on device"),
        (f"{HASH}\n", "please update the hashes."),
        (BUG, "PermissionError: [Errno 13] Permission denied: '/usr/lib/python3'"),
        ("/usr/bin/python: No module named pip\n", "/usr/bin/python: No module named pip"),
        ("", "pip says nothing"),
    ],
)
def test_pip_is_told_in_its_own_words_and_the_network_only_where_it_says_so(
    tmp_path, monkeypatch, capsys, said, told
):
    """The words are those of pip 23 and 24."""
    monkeypatch.setattr(
        "fercomp.kaggle.kernels.packages.subprocess.run",
        lambda words, **_: subprocess.CompletedProcess(words, 1, said),
    )
    monkeypatch.setattr("importlib.metadata.distributions", list)  # reading hundreds takes a moment

    def fail(why):
        raise FercompError(why)

    with pytest.raises(FercompError) as error:
        install(["tqdm>=999"], tmp_path, fail)
    assert str(error.value).startswith("packages cannot be installed: ")
    assert str(error.value).endswith(told)
    assert said in capsys.readouterr().out, "the log has all of it"
