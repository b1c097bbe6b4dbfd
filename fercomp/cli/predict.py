"""`fercomp predict`."""

from fercomp.cli.options import Model, Set, read_params
from fercomp.cli.words import say_next, tell, to_kaggle


def predict(model: Model = None, set_: Set = None) -> None:
    """Classify the test photos and write their probabilities to models/NAME/test_probs.csv.

    Labels that copies of a photo have among the labelled ones count, too (predict.network_votes and
    predict.copy_votes).

    \b
    Examples:
      fercomp predict
      fercomp predict --model compact
      fercomp predict --model shipped
      fercomp predict --set predict.network_votes=null
    """
    from fercomp.core.paths import Workspace
    from fercomp.data.cache import PhotoCache
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.predict import predict_test

    workspace = Workspace()
    params = read_params(workspace.params, set_)
    cache = PhotoCache(workspace.decoded, params.machine.cache_gb)
    done = predict_test(
        resolve_model(model, workspace), workspace, params.predict, cache, params.machine.device
    )
    copies = f", {done.copies:,} of them with a labelled copy" if done.copies else ""
    tell(f"{done.path}: probabilities of {done.photos:,} test photos{copies}")
    name = done.path.parent.name
    say_next(*to_kaggle(model or name, workspace.submission(name))[1:])
