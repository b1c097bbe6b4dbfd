"""What trainings need, looked at before the first epoch of the first: afterwards, hours would be lost."""

from collections.abc import Mapping

from fercomp.core.errors import FercompError
from fercomp.core.params import Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backbones.catalogue import check_backbone, check_weights
from fercomp.modeling.bundle.find import resolve_model
from fercomp.modeling.training.phases import phases_of
from fercomp.modeling.training.points import with_points
from fercomp.modeling.training.teacher import check_teacher, check_teacher_of_tests
from fercomp.stages.taught import read_photos


def check_training(params: TrainParams, workspace: Workspace) -> None:
    """Checks that a network can be trained, as far as that can be told without building it.

    Args:
        params: How to train.
        workspace: Where tables and teachers are.

    Raises:
        FercompError: The backbone or its weights are unknown, there is nothing to train, or something is
            missing: the index, suggested labels, what points are made of, the weights, a teacher.
    """
    check_backbone(params.backbone, params.weights)
    check_weights(params.backbone, params.size, params.weights)
    phases_of(params)
    with_points(read_photos(params, workspace), params, workspace)
    check = check_teacher_of_tests if params.test_photos else check_teacher
    for teacher in params.teachers:
        check(resolve_model(teacher, workspace), params.class_names)


def what_cannot_run(plans: Mapping[str, Plan], workspace: Workspace) -> dict[str, str]:
    """Finds the trainings that would fail.

    Args:
        plans: How to train, by the name of the training.
        workspace: Where tables and teachers are.

    Returns:
        Why each of these cannot run, by its name.

    Raises:
        FercompError: The index of photos is missing, so that none can.
    """
    PHOTOS.read(workspace.photos)
    problems = {}
    for name, plan in plans.items():
        try:
            check_training(plan.train, workspace)
        except FercompError as error:
            problems[name] = str(error)
    return problems
