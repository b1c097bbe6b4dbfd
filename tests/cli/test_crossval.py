from fercomp.core.tables import PHOTOS


def test_the_networks_of_two_folds_are_a_model_like_any_other(workspace, fercomp):
    table = PHOTOS.read(workspace.photos)
    PHOTOS.write(
        table.assign(fold=table["fold"].where(table["fold"] < 0, table["fold"] % 2)), workspace.photos
    )
    few = ("--set", "train.size=16", "--set", "train.epochs=1")
    code, out, err = fercomp("crossval", *few)
    assert code == 0, err
    assert out.startswith("models/crossval: 2 networks, holdout accuracy 0.")
    assert workspace.oof.is_file()
    code, out, err = fercomp("predict")
    assert code == 0, err
    assert "models/crossval/test_probs.csv" in out
