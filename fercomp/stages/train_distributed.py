"""`fercomp train` in several processes, on one host or more, which share each batch."""

from contextlib import nullcontext

from fercomp.core.isolated import KILLED, Ended, isolated
from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.version import __version__
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.backend.hosts import Hosts, agree, join, leave, lost, with_others
from fercomp.modeling.bundle.card import Card
from fercomp.modeling.bundle.find import new_model
from fercomp.stages.taught import read_photos, with_grey_decided
from fercomp.stages.train import alone, check_unless_trained, train_bundle, training_of


def train_distributed(
    hosts: Hosts, name: str, plan: Plan, workspace: Workspace, anew: bool = False
) -> Card | None:
    """Trains a network as `train_experiment` does, sharing each batch with other processes.

    What each of them learns is what one process would learn from whole batches. Process 0 alone writes. All
    of them need the folder of models, to go on after a kill. The work is done in a process of its own: JAX
    ends the one that it runs in where another one has gone.

    Args:
        hosts: The processes, and which of them this is.
        name: Name of the experiment.
        plan: How to train, and what to do with the network.
        workspace: Where the index is and the bundle goes.
        anew: Train whatever is there.

    Returns:
        In process 0 the card of the bundle, in others `None`.

    Raises:
        FercompError: As `train_experiment` does; or the processes do not meet, are about to do different
            things, or one of them has ended.
    """
    new_model(name, workspace)
    try:
        return isolated(_train, hosts, name, plan, workspace, anew)
    except Ended as end:
        if end.code == KILLED:
            raise
        raise lost(hosts) from end


def _train(hosts: Hosts, name: str, plan: Plan, workspace: Workspace, anew: bool) -> Card | None:
    say(f"process {hosts.number} of {hosts.count}: waiting for the others at {hosts.address}")
    join(hosts, plan.machine.hosts_wait)
    with alone(name, workspace) if hosts.number == 0 else nullcontext():
        choose_device(plan.machine.device)
        photos = read_photos(plan.train, workspace)
        plan, target = with_grey_decided(plan, photos, workspace), workspace.bundle(name)
        check_unless_trained(target, plan, workspace, anew)
        training = training_of(target, name, plan, photos, workspace)
        there = None if anew else training.before()
        with with_others(hosts):
            agree(
                {
                    "version of fercomp": __version__,
                    "parameters of training": training.plan.train.model_dump_json(),
                    "photos and what they are taught as": training.data.fingerprint,
                    "whether it is trained already": str(there is not None),
                }
            )
            if there is None:
                fitted = training.fit()
            leave()
        if hosts.number > 0:
            return None
        if there is not None:
            return train_bundle(training.target, name, plan, photos, workspace)
        return training.write(fitted)
