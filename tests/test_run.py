"""`run`, with uv, python3 and the installed programs replaced at the door: nothing is downloaded here."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SYSTEM = ("cat", "dirname", "env", "id", "mkdir", "rm", "uname")
"""What a bare system has and `run` may call."""

TIMEOUT = shutil.which("timeout")

UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv {version} (x86_64)"; exit; fi
echo "$*" >> "$LOG"
case "$*" in
    *--check*) exit {check} ;;
    sync*) exit {sync} ;;
    "python find"*) exit {python} ;;
esac
"""


class Clone:
    """A folder with `run` in it, and a PATH of which every program is chosen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a clone"
        self.bin = folder / "bin"
        self.programs = self.folder / ".venv" / "bin"
        self.log = folder / "log"
        for made in (self.folder, self.bin, self.programs):
            made.mkdir(parents=True)
        shutil.copy(PROJECT / "run", self.folder)
        for name in SYSTEM:
            (self.bin / name).symlink_to(shutil.which(name))

    def add(self, where: Path, name: str, script: str) -> None:
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def add_uv(self, version="0.9.0", check=0, sync=0, python=0) -> None:
        self.add(self.bin, "uv", UV.format(version=version, check=check, sync=sync, python=python))

    def run(self, *words: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["/bin/sh", self.folder / "run", *words],
            cwd=cwd or self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder), "LOG": str(self.log), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_help_needs_nothing(clone, words):
    done = clone.run(*words)
    assert done.returncode == 0
    assert "usage: ./run WORD" in done.stdout
    assert done.stderr == ""


def test_neither_uv_nor_python(clone):
    done = clone.run("test")
    assert done.returncode == 1
    assert done.stderr.startswith("run: neither uv nor python3 found; install Python from https://")


def test_python_without_venv_names_the_line_to_type(clone):
    clone.add(clone.bin, "python3", "#!/bin/sh\nexit 1\n")
    assert "install ensurepip and venv of your python3" in clone.run("test").stderr
    clone.add(clone.bin, "apt-get", "#!/bin/sh\n")
    done = clone.run("test")
    assert done.returncode == 1
    sudo = "" if os.getuid() == 0 else "sudo "
    assert done.stderr.endswith(f"virtual environment; type: {sudo}apt-get install python3-venv\n")
    assert not (clone.folder / ".uv").exists()


def test_ordinary_users_are_told_to_use_sudo(clone):
    clone.add(clone.bin, "apt-get", "#!/bin/sh\n")
    (clone.bin / "id").unlink()
    clone.add(clone.bin, "id", "#!/bin/sh\necho 1000\n")
    assert "type: sudo apt-get install python3 python3-venv" in clone.run("test").stderr


@pytest.mark.parametrize("version", ["0.5.31", "0.7.22", "nonsense"])
def test_an_old_uv_is_not_used(clone, version):
    clone.add_uv(version=version)
    assert "neither uv nor python3 found" in clone.run("test").stderr


@pytest.mark.parametrize("version", ["0.8.0", "0.13.9", "1.0.0"])
def test_a_new_uv_is_used(clone, version):
    clone.add_uv(version=version)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\necho it ran\n")
    assert clone.run("fercomp").stdout == "it ran\n"


def test_hub_has_an_environment_and_a_lock_of_its_own(clone):
    clone.add_uv(check=1)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\necho the ordinary one\n")
    clone.add(clone.folder / ".venv-hub" / "bin", "fercomp", '#!/bin/sh\necho "hub: $*"\n')
    done = clone.run("hub", "fercomp", "train", "--backbone", "dinov2_base")
    assert done.stdout == "hub: train --backbone dinov2_base\n"
    assert f"packages of hub/uv.lock into {clone.folder}/.venv-hub " in done.stderr
    assert all(f"--directory {clone.folder}/hub --locked" in call for call in clone.calls())
    assert clone.run("fercomp").stdout == "the ordinary one\n"
    assert "usage: ./run WORD" in clone.run("hub").stdout


def test_the_lock_of_hub_follows_the_packages_of_fercomp():
    """Otherwise `./run hub` would refuse; `uv lock --directory hub` writes it anew."""
    ours = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = tomllib.loads((PROJECT / "hub" / "uv.lock").read_text(encoding="utf-8"))["package"]
    (fercomp,) = (package for package in locked if package["name"] == "fercomp")
    extras = ours["optional-dependencies"].values()
    needed = {canonical(line) for lines in (ours["dependencies"], *extras) for line in lines}
    there = {
        canonical(one["name"] + one.get("specifier", "")) for one in fercomp["metadata"]["requires-dist"]
    }
    assert there == needed


def canonical(line: str) -> tuple[str, frozenset[str]]:
    """The name and the versions in a line such as `tensorflow[and-cuda]>=2.20; sys_platform == 'linux'`."""
    name, versions = re.fullmatch(r"([\w.-]+)(?:\[[^]]*\])?([^;]*)(?:;.*)?", line).groups()
    return name.replace(".", "-"), frozenset(versions.strip().split(","))


def test_uv_is_installed_privately_and_kept(clone):
    """The stand-in for python3 makes the folder that `python3 -m venv` makes; its pip "installs" a uv."""
    private = clone.folder / ".uv" / "bin"
    uv = UV.format(version="0.9.0", check=0, sync=0, python=0)
    clone.add(clone.folder, "uv.sh", uv)
    clone.add(
        clone.bin,
        "python3",
        '#!/bin/sh\n[ "$2" = venv ] || exit 0\n'
        f'mkdir -p "{private}"; echo venv >> "$LOG"\n'
        f'/bin/cp "{clone.folder}/pip.sh" "{private}/python"\n',
    )
    clone.add(
        clone.folder,
        "pip.sh",
        f'#!/bin/sh\necho "$*" >> "$LOG"; /bin/cp "{clone.folder}/uv.sh" "{private}/uv"\n',
    )
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    first = clone.run("fercomp")
    assert first.returncode == 0
    assert "installing a private copy" in first.stderr
    assert clone.calls()[:2] == ["venv", "-m pip install --quiet --disable-pip-version-check uv>=0.8"]
    assert clone.run("fercomp").stderr == ""
    assert clone.calls().count("venv") == 1


def test_failing_pip_is_told(clone):
    private = clone.folder / ".uv" / "bin"
    clone.add(clone.folder, "pip.sh", "#!/bin/sh\nexit 1\n")
    script = f'#!/bin/sh\nmkdir -p "{private}"; /bin/cp "{clone.folder}/pip.sh" "{private}/python"\n'
    clone.add(clone.bin, "python3", script)
    done = clone.run("fercomp")
    assert done.returncode == 1
    assert "uv could not be installed: see the lines above" in done.stderr


def test_nothing_is_installed_or_said_when_up_to_date(clone):
    clone.add_uv(check=0)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    assert clone.run("fercomp").stderr == ""
    assert len(clone.calls()) == 1
    assert clone.calls()[0].endswith("--check --quiet")


def test_environment_is_installed_where_it_is_not_up_to_date(clone):
    clone.add_uv(check=1)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    done = clone.run("fercomp", FERCOMP_OPENCV="headless")
    assert done.stderr.startswith("run: installing the packages of uv.lock into ")
    assert clone.calls()[1] == f"sync --directory {clone.folder} --locked --extra headless --quiet"
    clone.add(clone.programs, "python", "#!/bin/sh\n")
    assert clone.run("fercomp", FERCOMP_OPENCV="headless", FERCOMP_EXTRAS="ray").stderr == (
        f"run: updating {clone.folder}/.venv to what uv.lock says (--extra headless --extra ray)\n"
    )


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_backend_is_installed_for_those_who_train_on_it(clone, backend):
    clone.add_uv(check=1)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    clone.run("fercomp", FERCOMP_OPENCV="headless", KERAS_BACKEND=backend)
    assert clone.calls()[1].endswith(f"--locked --extra headless --extra {backend} --quiet")


def test_further_extras_are_installed_by_name(clone):
    clone.add_uv(check=1)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    clone.run("fercomp", FERCOMP_OPENCV="headless", FERCOMP_EXTRAS="ray parquet")
    assert clone.calls()[1].endswith("--locked --extra headless --extra ray --extra parquet --quiet")


def add_linux(clone, driver):
    """Makes the clone's system a Linux with the given `nvidia-smi`."""
    clone.add_uv(check=1)
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    clone.add(clone.bin, "nvidia-smi", f"#!/bin/sh\n{driver}\n")
    (clone.bin / "timeout").symlink_to(TIMEOUT)
    (clone.bin / "uname").unlink()
    clone.add(clone.bin, "uname", "#!/bin/sh\necho Linux\n")


BACKENDS = {"": " --extra cuda", "jax": " --extra jax --extra jax-cuda", "torch": " --extra torch"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_nvidias_libraries_come_with_the_backend_where_there_is_a_driver(clone, backend):
    add_linux(clone, "exit 0")
    done = clone.run("fercomp", FERCOMP_OPENCV="headless", KERAS_BACKEND=backend)
    assert done.returncode == 0
    assert clone.calls()[1].endswith(f"--extra headless{BACKENDS[backend]} --quiet")


@pytest.mark.parametrize("driver", ["exit 9", "kill -9 $$"])
def test_a_driver_that_does_not_answer_is_none(clone, driver):
    add_linux(clone, driver)
    assert clone.run("fercomp", FERCOMP_OPENCV="headless").returncode == 0
    assert clone.calls()[1].endswith("--extra headless --quiet")


def test_a_driver_that_hangs_is_given_up(clone):
    add_linux(clone, "exec /bin/sleep 60")
    (clone.bin / "timeout").unlink()
    clone.add(clone.bin, "timeout", f'#!/bin/sh\n[ "$1" = 10 ] && shift && exec {TIMEOUT} 0.1 "$@"\n')
    assert clone.run("fercomp", FERCOMP_OPENCV="headless").returncode == 0
    assert clone.calls()[1].endswith("--extra headless --quiet")


@pytest.mark.parametrize(("device", "extra"), [("cpu", ""), ("gpu", " --extra cuda")])
@pytest.mark.parametrize("driver", ["exit 0", "exit 9"])
def test_a_variable_wins_over_the_driver(clone, driver, device, extra):
    add_linux(clone, driver)
    clone.run("fercomp", FERCOMP_OPENCV="headless", FERCOMP_DEVICE=device)
    assert clone.calls()[1].endswith(f"--extra headless{extra} --quiet")


def test_an_unknown_device_is_told(clone):
    clone.add_uv()
    done = clone.run("fercomp", FERCOMP_OPENCV="headless", FERCOMP_DEVICE="tpu")
    assert done.returncode == 1
    assert done.stderr == "run: FERCOMP_DEVICE=tpu: expected cpu or gpu\n"


def test_elsewhere_than_on_linux_no_driver_is_asked(clone):
    add_linux(clone, "exit 0")
    (clone.bin / "uname").unlink()
    clone.add(clone.bin, "uname", "#!/bin/sh\necho Darwin\n")
    clone.run("fercomp", FERCOMP_OPENCV="headless")
    assert clone.calls()[1].endswith("--extra headless --quiet")


def test_opencv_is_headless_where_its_libraries_are_missing(clone):
    clone.add_uv()
    clone.add(clone.programs, "fercomp", "#!/bin/sh\n")
    libraries = ["libGL.so.1", "libgthread-2.0.so.0", "libxcb.so.1", "libX11.so.6"]
    for present, extra in ((libraries, "desktop"), (libraries[1:], "headless"), ([], "headless")):
        lines = "".join(f"echo '  {name} (libc6,x86-64) => /lib/{name}'\n" for name in present)
        clone.add(clone.bin, "ldconfig", f"#!/bin/sh\n{lines}")
        (clone.bin / "uname").unlink()
        clone.add(clone.bin, "uname", "#!/bin/sh\necho Linux\n")
        clone.run("fercomp")
        assert f"--extra {extra} " in clone.calls()[-1]
        (clone.bin / "uname").unlink()
        clone.add(clone.bin, "uname", "#!/bin/sh\necho Darwin\n")
        clone.run("fercomp")
        assert "--extra desktop " in clone.calls()[-1]


def test_unknown_opencv_is_told(clone):
    clone.add_uv()
    done = clone.run("fercomp", FERCOMP_OPENCV="both")
    assert done.returncode == 1
    assert done.stderr == "run: FERCOMP_OPENCV=both: expected desktop or headless\n"


def test_failed_installation_says_what_to_do(clone):
    clone.add_uv(check=1, sync=2, python=0)
    done = clone.run("fercomp")
    assert done.returncode == 1
    assert done.stderr.endswith("run: the environment is not complete: see the lines above, and try again\n")
    clone.add_uv(check=1, sync=2, python=2)
    done = clone.run("fercomp")
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed and uv could not download one" in done.stderr


def test_unknown_word(clone):
    clone.add_uv()
    done = clone.run("tset")
    assert done.returncode == 127
    assert done.stderr == "run: no word and no program called 'tset': ./run help lists the words\n"


def test_a_program_runs_where_the_caller_stands_with_its_exit_code(clone, tmp_path):
    clone.add_uv()
    clone.add(clone.programs, "hello", '#!/bin/sh\npwd -P\necho "$VIRTUAL_ENV" "$@"\nexit 7\n')
    done = clone.run("hello", "a b", "c", cwd=tmp_path, VIRTUAL_ENV="/another")
    assert done.returncode == 7
    assert done.stdout.splitlines() == [str(tmp_path.resolve()), f"{clone.folder.resolve()}/.venv a b c"]


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (("demo", "--quick"), "fercomp demo --quick"),
        (
            ("test", "tests/core", "-k", "x"),
            "pytest --hypothesis-profile quick -m not slow and not browser and not large tests/core -k x",
        ),
        (("test", "--all", "tests/core"), "pytest tests/core"),
        (("docs",), "python -m tests.make_reference"),
        (("format",), "ruff format,ruff check --fix"),
        (
            ("check",),
            "ruff format --check,ruff check,mypy,lint-imports --no-logo,"
            "pytest -n 0 tests/test_docs.py,pytest --ignore tests/test_docs.py",
        ),
    ],
)
def test_words_run_in_the_project_from_anywhere(clone, tmp_path, words, called):
    clone.add_uv()
    for name in ("fercomp", "pytest", "python", "ruff", "mypy", "lint-imports"):
        clone.add(clone.programs, name, '#!/bin/sh\necho "$(pwd -P): ${0##*/}" "$@"\n')
    done = clone.run(*words, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{clone.folder.resolve()}: {line}" for line in called.split(",")]


def test_check_stops_at_the_first_that_fails(clone):
    clone.add_uv()
    for name, code in {"ruff": 0, "mypy": 3, "lint-imports": 0, "pytest": 0}.items():
        clone.add(clone.programs, name, f"#!/bin/sh\necho {name}\nexit {code}\n")
    done = clone.run("check")
    assert done.returncode == 3
    assert done.stdout.split() == ["ruff", "ruff", "mypy"]
    assert done.stderr.splitlines() == [
        "run: check format: ruff format --check",
        "run: check lint: ruff check",
        "run: check types: mypy",
        "run: check types failed",
    ]
