"""`fercomp predict`."""

from typing import Annotated

import typer

from fercomp.cli.on_kaggle import run_on_kaggle
from fercomp.cli.options import Model, NoWait, OnKaggleOrRay, Set, ShardOption, Yes, one_shard, open_workspace
from fercomp.cli.words import say_next, tell, to_kaggle


def predict(
    model: Model = None,
    set_: Set = None,
    shard: ShardOption = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Join what all shards have written into test_probs.csv.")
    ] = False,
    on: OnKaggleOrRay = None,
    yes: Yes = False,
    no_wait: NoWait = False,
) -> None:
    """Classify the test photos and write their probabilities to models/NAME/test_probs.csv.

    Of more than 10,000 photos, what is done stays where it is stopped, and the same command goes on.
    Labels that copies of a photo have among the labelled ones count, too (predict.network_votes and
    predict.copy_votes).

    \b
    Examples:
      fercomp predict
      fercomp predict --model compact
      fercomp predict --model shipped
      fercomp predict --set predict.network_votes=null
      fercomp predict --model shipped --shard 3/16
      fercomp predict --model shipped --merge
      fercomp predict --on kaggle
      fercomp predict --model shipped --on ray
    """
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.at_kaggle.jobs import predict_job
    from fercomp.stages.predicting.in_parts import predict_in_parts
    from fercomp.stages.predicting.on_ray import predict_on_ray
    from fercomp.stages.predicting.predict import merge_predictions, predict_test

    part = one_shard(shard, merge, on)
    workspace, params = open_workspace(set_)
    folder = resolve_model(model, workspace)
    if on == "kaggle":
        job = predict_job(model, set_ or (), params, workspace)
        name = job.name.removeprefix("predict-")
        if run_on_kaggle(job, yes, no_wait):
            say_next(*to_kaggle(name, workspace.submission(name))[1:])
        return
    if merge:
        done = merge_predictions(folder, workspace, params.predict)
    elif on == "ray":
        done = predict_on_ray(folder, workspace, params.predict, params.machine.device)
    else:
        how = (folder, workspace, params.predict, params.machine)
        done = predict_test(*how, part) if part else predict_in_parts(*how)
    copies = f", {done.copies:,} of them with a labelled copy" if done.copies else ""
    tell(f"{done.path}: probabilities of {done.photos:,} test photos{copies}")
    if part is not None:
        say_next(f"the other shards, on any machine; then the same command with --merge, not --shard {part}")
        return
    name = done.path.parent.name
    say_next(*to_kaggle(model or name, workspace.submission(name))[1:])
