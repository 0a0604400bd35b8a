"""How each network is trained: one table of every hyper-parameter, by model and recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from pynet.nn.models import LOSSES, MODELS
from pynet.nn.optim import OPTIMIZERS
from pynet.nn.schedules import SCHEDULES
from pynet.workshop.augment import Augmenter
from pynet.workshop.drawn import Drawn

# What each kind of distortion consists of, and the amounts that are used where a recipe that has
# none of it is asked for it.
AUGMENTATIONS = {
    "affine": {"rotation": 12.0, "scale": 0.12, "shear": 0.15, "shift": 1.5},
    "elastic": {"elastic": 1.0},
    "pen": {"thickness": 0.5},
}


@dataclass(frozen=True)
class Recipe:
    """Every choice that decides what comes out of training, but for data, model and seed.

    Parameters
    ----------
    epochs : int
        Passes over the training images.
    batch_size : int
    optimizer : str
        A key of `optim.OPTIMIZERS`.
    learning_rate : float
        The highest that the schedule reaches.
    schedule : str
        A key of `schedules.SCHEDULES`.
    warmup : float in [0, 1)
        Share of all steps in which the learning rate rises from 0.
    momentum : float
        Of SGD; Adam and AdamW keep their own.
    weight_decay, dropout, label_smoothing : float
    generated : int
        Digits that `pynet.ink.glyphs` draws anew for each epoch, to be learnt beside the images.
    non_digits : int
        Scribbles, letters and other things that are no digit, drawn anew for each epoch, of which
        the network learns to say "none of them".
    augmentation : dict of str to float
        Arguments of `Augmenter`; empty for none.
    plain_epochs : int
        In so many last epochs nothing is distorted, so that training ends on digits like those
        that will come.
    validation : float in [0, 1)
        Share of the training images that is held back to choose by.
    patience : int
        Stop after so many epochs without a better validation accuracy; 0 never stops early.
    average : float in [0, 1)
        Decay of the exponential moving average of the weights; 0 for none.
    final_on_all : bool
        After all that, train once more on all training images, for as many epochs.
    threads : int
        Parts of each batch to work on at once. Batch norm takes its statistics from each part, so
        that the result depends on it: see `pynet.nn.parallel`.
    """

    epochs: int = 12
    batch_size: int = 128
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "one-cycle"
    warmup: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 0.01
    dropout: float = 0.0
    label_smoothing: float = 0.0
    generated: int = 0
    non_digits: int = 0
    augmentation: dict = field(default_factory=dict)
    plain_epochs: int = 0
    validation: float = 1 / 12
    patience: int = 0
    average: float = 0.0
    final_on_all: bool = False
    threads: int = 1

    def __post_init__(self):
        least = {"epochs": 1, "batch_size": 1, "threads": 1, "plain_epochs": 0, "patience": 0,
                 "generated": 0, "non_digits": 0}  # fmt: skip
        for name, low in least.items():
            if getattr(self, name) < low:
                value = getattr(self, name)
                raise ValueError(f"{_spell(name)} must be at least {low}, got {value}")
        for name in ("warmup", "momentum", "dropout", "label_smoothing", "validation", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{_spell(name)} must be in [0, 1), got {getattr(self, name)}")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight decay must be at least 0, got {self.weight_decay}")
        for name, table in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in table:
                raise ValueError(f"{name} must be one of {', '.join(table)}")
        if self.patience and not self.validation:
            raise ValueError("early stopping needs a validation share above 0")
        Augmenter(**self.augmentation)

    @property
    def drawn(self) -> Drawn:
        """What is drawn for each epoch."""
        return Drawn(self.generated, self.non_digits)

    def augmenter(self, epoch: int) -> Augmenter | None:
        """Return what distorts the images of an epoch, counted from 0; None for nothing."""
        if epoch >= self.epochs - self.plain_epochs:
            return None
        if not any(value for name, value in self.augmentation.items() if name != "smoothness"):
            return None
        return Augmenter(**self.augmentation)

    def with_augmentation(self, kinds) -> Recipe:
        """Return the recipe with these kinds of distortion, at its own amounts where it has them.

        Parameters
        ----------
        kinds : iterable of str
            Keys of `AUGMENTATIONS`; none of them for no distortion.
        """
        amounts = {}
        for kind in kinds:
            for name, usual in AUGMENTATIONS[kind].items():
                amounts[name] = self.augmentation.get(name) or usual
        if "elastic" in amounts and "smoothness" in self.augmentation:
            amounts["smoothness"] = self.augmentation["smoothness"]
        return replace(self, augmentation=amounts)

    def as_dict(self) -> dict:
        """Return all fields as JSON can hold them."""
        return asdict(self)


def _spell(name):
    """Name a field as the command line does."""
    return name.replace("_", " ")


# The textbook's ways: plain mini-batch gradient descent with one learning rate, nothing else.
_SIGMOID = Recipe(
    epochs=30, batch_size=10, optimizer="sgd", learning_rate=15.0, schedule="constant",
    momentum=0.0, weight_decay=0.0,
)  # fmt: skip
_RELU = Recipe(
    epochs=15, batch_size=32, optimizer="sgd", learning_rate=0.1, schedule="constant",
    momentum=0.0, weight_decay=0.0,
)  # fmt: skip

_HANDS = {
    "rotation": 12.0, "scale": 0.12, "shear": 0.12, "shift": 1.5,
    "elastic": 1.0, "smoothness": 4.0, "thickness": 0.5,
}  # fmt: skip

RECIPES = {
    "convnet": {
        "quick": Recipe(
            epochs=3, learning_rate=4e-3, dropout=0.3, average=0.99, threads=2,
            augmentation=dict(AUGMENTATIONS["affine"]),
        ),
        "full": Recipe(
            epochs=22, learning_rate=4e-3, dropout=0.3, label_smoothing=0.02, average=0.999,
            generated=22_000, non_digits=8_000, augmentation=_HANDS, plain_epochs=4,
            validation=1 / 30, threads=2,
        ),
    },
    "mlp": {
        "quick": Recipe(epochs=12, average=0.995, augmentation=dict(AUGMENTATIONS["affine"])),
        "full": Recipe(
            epochs=60, batch_size=256, learning_rate=3e-3, label_smoothing=0.02,
            generated=22_000, non_digits=8_000, augmentation=_HANDS, plain_epochs=4,
            average=0.999, final_on_all=True,
        ),
    },
    "classic-sigmoid": {"quick": _SIGMOID, "full": replace(_SIGMOID, final_on_all=True)},
    "classic-relu": {"quick": _RELU, "full": replace(_RELU, final_on_all=True)},
}  # fmt: skip


def recipe_for(model: str, name: str) -> Recipe:
    """Look a recipe up.

    Raises
    ------
    ValueError
        For a model or a recipe that is not in the table.
    """
    if model not in MODELS or model not in RECIPES:
        raise ValueError(f"model must be one of {', '.join(RECIPES)}, got {model!r}")
    if name not in RECIPES[model]:
        raise ValueError(f"recipe must be one of {', '.join(RECIPES[model])}, got {name!r}")
    return RECIPES[model][name]


def check_model(model: str, recipe: Recipe) -> None:
    """Raise ValueError for a recipe that the model's loss cannot follow."""
    if recipe.label_smoothing and LOSSES[model] != "cross_entropy":
        raise ValueError(f"label smoothing needs cross-entropy, but {model} uses {LOSSES[model]}")
