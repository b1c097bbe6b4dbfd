"""`fercomp doctor`: what it finds, what it calls a problem, and that it gives nothing away."""

import os
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from fercomp.core.paths import Workspace
from fercomp.stages.doctor import TRAINS, Finding, diagnose, kaggle_credentials

WRITTEN = "0123456789abcdef"


def doctor(folder: Path, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "fercomp", "doctor"]
    environment = {**os.environ, "COLUMNS": "400", **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def found(workspace: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in diagnose(Workspace(workspace))}


def test_a_sound_installation_is_told_quickly(tmp_path):
    start = time.perf_counter()
    done = doctor(tmp_path)
    assert time.perf_counter() - start < 10  # 1 to 2 s where nothing else runs
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.endswith("Everything needed is there.\n")
    for word in ("python", "tensorflow", "openvino", "opencv-python", "GB free", "YuNet", "fercomp train"):
        assert word in done.stdout


def test_no_path_is_broken_where_a_terminal_is_narrow(tmp_path):
    narrow, wide = (doctor(tmp_path, COLUMNS=str(width)).stdout for width in (40, 400))
    for text in (narrow, wide):
        assert sys.prefix in text
    assert "  ok  " not in narrow
    assert f"python: ok, {sys.version.split()[0]}, {sys.prefix}\n" in narrow


def test_what_the_pipeline_made_is_found(tmp_path):
    workspace = Workspace(tmp_path)
    before = found(tmp_path)
    for subject in ("photos", "index of photos", "models", "params.yaml"):
        assert before[subject].state == "optional"
    for path in (workspace.train_csv, workspace.photos, workspace.params):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    after = found(tmp_path)
    for subject in ("photos", "index of photos", "params.yaml"):
        assert after[subject].state == "ok"


def test_a_damaged_model_and_wrong_parameters_are_problems(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.bundle("broken").mkdir(parents=True)
    (workspace.bundle("broken") / "card.json").write_text("{")
    workspace.params.write_text("train: {epoch: 3}")
    findings = found(tmp_path)
    assert findings["model broken"].state == "problem"
    assert "did you mean" in findings["params.yaml"].found
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert done.stdout.endswith("Mend first: params.yaml, model broken\n")


def test_two_opencvs_are_a_problem(tmp_path):
    for name in ("opencv_python", "opencv_python_headless"):
        folder = tmp_path / f"{name}-4.14.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 4.14.0\n"
        )
    done = doctor(tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert (
        "opencv-python 4.14.0 (can open windows), opencv-python-headless 4.14.0 (cannot open windows)"
        in done.stdout
    )
    assert "exactly one may be installed" in done.stdout


def test_an_opencv_without_its_system_libraries_is_a_problem(tmp_path):
    message = "libGL.so.1: cannot open shared object file"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({message!r})")
    done = doctor(tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert f"does not load: {message}" in done.stdout
    assert "FERCOMP_OPENCV=headless" in done.stdout
    assert "Mend first: opencv, face detector\n" in done.stdout


def test_what_trains_is_optional_where_only_annotate_and_live_were_installed(tmp_path, monkeypatch):
    missing: set[str] = {*TRAINS}

    def version(name: str) -> str:
        if name in missing:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("fercomp.stages.doctor.version", version)
    monkeypatch.setattr("fercomp.stages.doctor.find_spec", lambda name: None if name in missing else name)
    there = found(tmp_path)
    assert {there[name].state for name in TRAINS} == {"optional"}
    missing.remove("keras")  # half an installation
    there = found(tmp_path)
    assert there["keras"].state == "ok" and there["tensorflow"].state == "problem"


def test_programs_that_are_not_on_the_path_are_optional(tmp_path):
    done = doctor(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0
    assert "not on the PATH: git, dvc, fercomp" in done.stdout


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'NVIDIA H100, 81559 MiB'", "NVIDIA H100, 81559 MiB; not used"),
        (
            "echo 'NVIDIA H100, 81559 MiB'",
            "\ngpu: tensorflow sees no GPU, nvidia-smi shows NVIDIA H100, 81559 MiB: install NVID",
        ),
        ("exit 9", "no NVIDIA GPU seen"),
        ("exec /bin/sleep 60", "no NVIDIA GPU seen"),
    ],
)
@pytest.mark.slow
def test_a_gpu_is_asked_after_and_may_not_answer(tmp_path, script, told):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    done = doctor(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0
    assert told in done.stdout


@pytest.mark.parametrize(
    "variables",
    [{"KAGGLE_API_TOKEN": WRITTEN}, {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": WRITTEN}],
)
def test_credentials_in_variables_are_found_and_never_shown(tmp_path, variables):
    done = doctor(tmp_path, HOME=str(tmp_path), **variables)
    assert next(iter(variables)) in done.stdout
    assert WRITTEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "variables"),
    [
        (".kaggle/access_token", {}),
        (".kaggle/access_token.txt", {}),
        (".kaggle/kaggle.json", {}),
        (".kaggle/credentials.json", {}),
        ("elsewhere/kaggle.json", {"KAGGLE_CONFIG_DIR": "elsewhere"}),
        pytest.param(
            "xdg/kaggle/kaggle.json",
            {"XDG_CONFIG_HOME": "xdg"},
            marks=pytest.mark.skipif(sys.platform != "linux", reason="kaggle looks there on Linux only"),
        ),
    ],
)
def test_credentials_in_files_are_found(tmp_path, path, variables):
    environment = {name: str(tmp_path / folder) for name, folder in variables.items()}
    assert kaggle_credentials(environment, tmp_path).state == "optional"
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert kaggle_credentials(environment, tmp_path).state == "optional"
    (tmp_path / path).write_text(WRITTEN)
    finding = kaggle_credentials(environment, tmp_path)
    assert (finding.state, finding.found) == ("ok", str(tmp_path / path))


def test_half_of_the_credentials_is_none(tmp_path):
    assert kaggle_credentials({"KAGGLE_USERNAME": "me"}, tmp_path).state == "optional"
    assert kaggle_credentials({"KAGGLE_API_TOKEN": ""}, tmp_path).state == "optional"


def test_without_a_clone_there_is_no_advice_to_use_run(tmp_path, monkeypatch):
    """Installed by pip or `uv tool`, there is no `./run`."""
    import shutil

    import fercomp

    package = tmp_path / "site" / "fercomp"
    shutil.copytree(Path(fercomp.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("opencv_python", "opencv_python_headless"):
        folder = tmp_path / "site" / f"{name}-4.14.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 4.14.0\n")
    done = doctor(tmp_path, PYTHONPATH=str(tmp_path / "site"), PATH=str(tmp_path))
    assert done.returncode == 1
    assert "fercomp[desktop] or fercomp[headless]" in done.stdout
    assert "./run" not in done.stdout
