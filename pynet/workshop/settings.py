"""Turn options into the settings of a run, and hold a resumed run to the settings it began with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from pynet.nn.models import MODELS
from pynet.workshop.checkpoints import CheckpointError
from pynet.workshop.data import GENERATED
from pynet.workshop.recipes import AUGMENTATIONS, Recipe, check_model, recipe_for

# Options that each replace the field of the recipe of the same name.
RECIPE_OPTIONS = (
    "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "warmup", "momentum",
    "weight_decay", "dropout", "label_smoothing", "validation", "patience", "average",
    "final_on_all", "threads", "generated", "non_digits",
)  # fmt: skip

# Digits drawn for each epoch where there are no others: as many as MNIST has.
ALONE = 60_000


class UsageError(ValueError):
    """Options that cannot be followed; the message says why in one line."""


@dataclass(frozen=True)
class Settings:
    """All that decides what a run makes of the data."""

    model: str
    recipe_name: str
    recipe: Recipe
    seed: int

    def as_dict(self) -> dict:
        """Return the settings as JSON can hold them."""
        return asdict(self)


def from_options(options) -> Settings:
    """Look the recipe up and change what the options change.

    Parameters
    ----------
    options : argparse.Namespace
        As `pynet.train` parses them; None for what was not given.

    Raises
    ------
    UsageError
        If they do not make sense.
    """
    model = options.model or "mlp"
    name = options.recipe or "quick"
    try:
        recipe = changed(recipe_for(model, name), options)
        if str(options.data) == GENERATED and options.generated is None:
            recipe = replace(recipe, generated=ALONE)
        check_model(model, recipe)
    except ValueError as error:
        raise UsageError(str(error)) from error
    seed = options.seed or 0
    if seed < 0:
        raise UsageError(f"seed must be at least 0, got {seed}")
    return Settings(model, name, recipe, seed)


def from_checkpoint(state: dict, options) -> Settings:
    """Take the settings from a checkpoint; the options may repeat them but not differ.

    Raises
    ------
    CheckpointError
        If the checkpoint holds no usable settings.
    UsageError
        If an option differs.
    """
    try:
        saved = dict(state["settings"])
        stored = Settings(**saved | {"recipe": Recipe(**saved["recipe"])})
        known = stored.model in MODELS
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"checkpoint without usable settings ({error})") from error
    if not known:
        raise CheckpointError(f"checkpoint of an unknown model, {stored.model!r}")
    given = {
        "MODEL": (options.model, stored.model),
        "--recipe": (options.recipe, stored.recipe_name),
        "--seed": (options.seed, stored.seed),
        "--augment": (options.augment and changed(stored.recipe, options), stored.recipe),
    }
    for name in RECIPE_OPTIONS:
        value = getattr(stored.recipe, name)
        given["--" + name.replace("_", "-")] = (getattr(options, name), value)
    for option, (asked, value) in given.items():
        if asked is not None and asked != value:
            detail = "" if option == "--augment" else f" {value}, got {asked}"
            raise UsageError(
                f"the run to resume was begun with {option}{detail or ' otherwise'}; "
                "leave the option out, or start without --resume"
            )
    return stored


def changed(recipe: Recipe, options) -> Recipe:
    """Return the recipe with the changes that the options ask for."""
    given = {name: getattr(options, name) for name in RECIPE_OPTIONS}
    recipe = replace(recipe, **{name: v for name, v in given.items() if v is not None})
    if options.augment is None:
        return recipe
    kinds = [] if options.augment == "none" else options.augment.split(",")
    for kind in kinds:
        if kind not in AUGMENTATIONS:
            raise UsageError(
                f"--augment must be none or some of {','.join(AUGMENTATIONS)}, got {kind!r}"
            )
    return recipe.with_augmentation(kinds)
