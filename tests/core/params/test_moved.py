from fercomp.core.params import InferenceParams, TrainParams
from fercomp.core.params.moved import modern
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.find import CAME_ALONG

OLD = {"margin": 0.017, "flip_average": False, "view_average": True, "compress": True, "memory_gb": 2.0}


def test_a_card_of_the_first_version_is_read_as_one_of_today():
    card = {"flip": False, "views": True, "trained": {"params": {"epochs": 9, **OLD}, "best_epoch": 4}}
    trained = modern(card)["trained"]
    assert trained == {
        "params": {"recipe": 1, "epochs": 9},
        "inference": {"margin": 0.017, "flip": False, "views": True, "precision": "float16"},
        "best_epoch": 4,
    }
    assert "inference" not in card["trained"]
    assert modern(modern(card)) == modern(card)


def test_what_older_cards_do_not_say_is_what_their_models_do():
    used = modern({"flip": True, "trained": {"params": {}}})["trained"]["inference"]
    assert used == {"margin": None, "flip": True, "views": False, "precision": "float32"}


def test_cards_without_parameters_stay_as_they_are():
    for trained in ({}, [], {"params": 5}, {"weights": "equal"}):
        assert modern({"trained": trained}) == {"trained": trained}
    assert modern({}) == {}


def test_the_shipped_networks_are_read():
    for name, flip in (("base2-refit", True), ("lite112-refit", False)):
        trained = read_card(CAME_ALONG["shipped"] / "members" / name).trained
        assert TrainParams.model_validate(trained["params"]).recipe == 1
        used = InferenceParams.model_validate(trained["inference"])
        assert (used.flip, used.views, used.precision, used.margin) == (flip, True, "float16", 0.017)
