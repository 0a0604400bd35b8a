"""The table of recipes, and what options make of it."""

import pytest

from pynet.nn.models import MODELS
from pynet.workshop.recipes import AUGMENTATIONS, RECIPES, Recipe, check_model, recipe_for


def test_every_model_has_both_recipes():
    """Each shipped model has a quick and a full recipe that its loss can follow."""
    for model in MODELS:
        for name in ("quick", "full"):
            check_model(model, recipe_for(model, name))
    assert set(RECIPES) == set(MODELS)


def test_plain_epochs():
    """The last epochs distort nothing."""
    recipe = Recipe(epochs=10, plain_epochs=3, augmentation={"rotation": 10.0})
    assert [recipe.augmenter(epoch).rotation for epoch in (0, 6)] == [10, 10]
    assert [recipe.augmenter(epoch) for epoch in (7, 9)] == [None, None]
    assert Recipe().augmenter(0) is None
    assert Recipe(augmentation={"rotation": 0.0, "smoothness": 4.0}).augmenter(0) is None


def test_with_augmentation():
    """Kinds come at the recipe's own amounts, else at the usual ones."""
    recipe = Recipe(augmentation={"rotation": 3.0, "thickness": 0.2})
    changed = recipe.with_augmentation(["affine", "elastic"]).augmentation
    assert changed["rotation"] == 3.0
    assert changed["shift"] == AUGMENTATIONS["affine"]["shift"]
    assert changed["elastic"] == AUGMENTATIONS["elastic"]["elastic"]
    assert "thickness" not in changed
    assert recipe.with_augmentation([]).augmentation == {}


def test_dictionary_round_trip():
    """A recipe comes back from what a checkpoint or weights file holds of it."""
    recipe = RECIPES["mlp"]["full"]
    assert Recipe(**recipe.as_dict()) == recipe


def test_unknown_names():
    """Other names are refused with the choice there is."""
    with pytest.raises(ValueError, match="recipe must be one of quick, full, got 'slow'"):
        recipe_for("mlp", "slow")
    with pytest.raises(ValueError, match="model must be one of convnet"):
        recipe_for("net", "quick")
    with pytest.raises(ValueError, match="smoothness must be above 0"):
        Recipe(augmentation={"smoothness": 0.0})
