"""Several processes and several devices learn what one process on one device learns."""

import os
import shutil
import signal
import socket

import numpy as np
import pandas as pd
import pytest

from fercomp.cli.train import train
from fercomp.core.errors import FercompError
from fercomp.core.isolated import KILLED, Ended
from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.modeling.backend.hosts import Hosts
from fercomp.stages import train_distributed
from tests.forks import Forks

IMPORTS = "import jax, scipy.sparse, fercomp.stages.train_distributed, fercomp.modeling.training.fit"

CODE = """
import os, signal, sys
from pathlib import Path
from fercomp.core.params import AugmentParams, MachineParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.modeling.backbones import compact
from fercomp.modeling.backend.hosts import asked_hosts
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.network import build_network
from fercomp.stages import train, train_distributed

name, epoch_of_death = sys.argv[1], int(sys.argv[2])
compact.BLOCKS, compact.CHANNELS = 1, {"compact": (4,)}
# This process is one of its own.
train_distributed.isolated = lambda function, *arguments: function(*arguments)
train.Training.write = (
    lambda training, fitted: fitted.history.to_csv(f"{training.name}.csv", index=False)
)
made = FaceBatches.__getitem__

def dies(batches, index):
    if batches._epoch == epoch_of_death and index == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return made(batches, index)

FaceBatches.__getitem__ = dies
if not Path("start.weights.h5").exists():
    build_network("compact", 24).get_layer("compact").save_weights("start.weights.h5")
plan = Plan(
    train=TrainParams(
        backbone="compact", weights="start.weights.h5", batch_norm="learn", size=24, batch_size=10,
        head_epochs=1, head_views=1, epochs=3, learning_rate=0.001, ema=0.8, mixup=0.3, cutmix=0.5,
        augment=AugmentParams(noise=0.1, blur=0.2, perspective=0.1),
    ),
    machine=MachineParams(hosts_wait=40, workers=1),
)
hosts = asked_hosts()
if hosts is None:
    train.train_experiment(name, plan, Workspace())
else:
    train_distributed.train_distributed(hosts, name, plan, Workspace())
"""

NAMES = [f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")]

DEVICES = {"XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_force_host_platform_device_count="}


@pytest.fixture
def forks():
    forks = Forks(IMPORTS, KERAS_BACKEND="jax")
    yield forks
    forks.close()


def environment(devices=1, **more):
    flags = {name: f"{value}{devices}" for name, value in DEVICES.items()}
    return {**os.environ, "KERAS_BACKEND": "jax", **flags, **more}


def hosts_of(number):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return [
        environment(**dict(zip(NAMES, (address, str(number), str(i)), strict=True))) for i in range(number)
    ]


def assert_equal(workspace, name, expected):
    """Compares histories and checkpoints: weights, their means, the best ones, and the optimizer's state."""
    histories = [pd.read_csv(f"{each}.csv") for each in (name, expected)]
    pd.testing.assert_frame_equal(*histories, rtol=1e-6)
    found, wanted = (np.load(workspace.training / f"{each}.npz") for each in (name, expected))
    assert set(found) == set(wanted)
    for key in set(found) - {"state"}:
        # Where a gradient is nearly 0, its running means are the difference of numbers that are rounded.
        atol = 1e-4 if key.startswith("optimizer") else 2e-6
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-6, atol=atol, err_msg=key)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_processes_and_devices_share_each_batch_and_go_on_after_a_kill(workspace, forks):
    """Of 63 photos in batches of 10, neither 4 devices nor the last batch of 3 divide evenly."""
    alone = forks.start(CODE, "one", "-1", cwd=workspace.root, env=environment())
    assert alone.wait() == 0, alone.communicate()[1]
    ends = [-1, 2]
    pair = [
        forks.start(CODE, "two", str(end), cwd=workspace.root, env=env)
        for end, env in zip(ends, hosts_of(2), strict=True)
    ]
    assert pair[1].wait() == -signal.SIGKILL
    assert pair[0].wait(60) != 0
    said = pair[0].communicate()[1]
    assert "epoch 2 (fine-tuning 1/3): loss" in said
    assert "another one of the 2 did not come, has ended" in said or pair[0].returncode == -signal.SIGABRT

    shutil.copy(workspace.training / "two.npz", workspace.training / "four.npz")
    pair = [forks.start(CODE, "two", "-1", cwd=workspace.root, env=env) for env in hosts_of(2)]
    for process in pair:
        assert process.wait() == 0, process.communicate()[1]
        assert "going on after epoch 2" in process.communicate()[1]
    four = forks.start(CODE, "four", "-1", cwd=workspace.root, env=environment(4))
    assert four.wait() == 0, four.communicate()[1]
    assert_equal(workspace, "two", "one")
    assert_equal(workspace, "four", "one")


@pytest.mark.parametrize(("code", "line"), [(-signal.SIGABRT, "process 1: another one"), (KILLED, "memory")])
def test_a_process_that_jax_ends_ends_in_one_line(code, line, tmp_path, monkeypatch):
    def ends(*arguments):
        raise Ended(code)

    monkeypatch.setattr(train_distributed, "isolated", ends)
    with pytest.raises(FercompError, match=line):
        train_distributed.train_distributed(Hosts("127.0.0.1:9", 2, 1), "net", Plan(), Workspace(tmp_path))


def test_train_in_a_process_that_does_not_write_says_so(tmp_path, monkeypatch, capsys):
    hosts = []
    monkeypatch.chdir(tmp_path)
    for name, value in zip(NAMES, ("127.0.0.1:9", "2", "1"), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        train_distributed, "train_distributed", lambda *given, **named: hosts.append(given[:2])
    )
    train(name="net")
    assert hosts == [(Hosts("127.0.0.1:9", 2, 1), "net")]
    assert "process 1 of 2: trained; process 0 writes models/net" in capsys.readouterr().out
