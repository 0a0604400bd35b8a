"""Write what training leaves: weights with all that is known of them, and the history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pynet.ink import PREPROCESSING_VERSION
from pynet.nn import weights
from pynet.workshop import outputs
from pynet.workshop.batches import to_network
from pynet.workshop.data import Dataset
from pynet.workshop.metrics import CLASSES
from pynet.workshop.training import Training

# float16 halves the file; it is used unless it costs more validation accuracy than this, which
# is below what 5,000 images can tell apart.
FLOAT16_TOLERANCE = 0.0005


@dataclass(frozen=True)
class Places:
    """The files of one training run, all beside its weights."""

    weights: Path

    @classmethod
    def of(cls, out: Path | None, model: str) -> Places:
        """Return the places for a weights file, whose name may lack its .npz, or for a folder."""
        if out is None:
            out = Path("runs") / model
        elif out.is_dir():
            out = out / model
        return cls(out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz"))

    @property
    def history(self) -> Path:
        """Where the figures of each epoch go."""
        return self.weights.with_suffix(".history.json")

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.weights.with_suffix(".checkpoints")

    @property
    def plot(self) -> Path:
        """Where the curves go."""
        return self.weights.with_suffix(".png")

    def set_aside(self) -> Path | None:
        """Keep a copy of the weights of an earlier run, which a new one is going to replace.

        Returns
        -------
        Path or None
            The copy, named "....previous.npz"; None where there were no weights.
        """
        if not self.weights.is_file():
            return None
        previous = self.weights.with_suffix(".previous.npz")
        outputs.write(previous, self.weights.read_bytes())
        return previous

    def check_writable(self) -> None:
        """Make the folders and try to write there, before hours are spent.

        Raises
        ------
        OSError
            If it fails; the message names the place.
        """
        if self.weights.is_dir():
            raise IsADirectoryError(21, "is a folder, expected a file name", str(self.weights))
        for folder in (self.weights.parent, self.checkpoints):
            outputs.check_folder(folder)


def write(places: Places, training: Training, data: Dataset, *, test: bool) -> dict:
    """Write weights and history of what was trained so far.

    Parameters
    ----------
    places : Places
    training : Training
        At least one epoch is done.
    data : Dataset
    test : bool
        Whether to look at the test set, which is to be done once, when all is decided.

    Returns
    -------
    dict
        accuracy : dict of "validation" and "test" to a fraction or None; dtype : str; certainty :
        dict of "temperature" and "threshold".
    """
    network = training.best_network()
    accuracy = {"validation": None, "test": None}
    if training.validated:
        accuracy["validation"] = training.validated["validation_accuracy"]
    dtype = _smallest_type(training, network)
    metadata = {
        "model": training.settings.model,
        "classes": [str(digit) for digit in range(CLASSES)],
        "preprocessing": PREPROCESSING_VERSION,
        "recipe": training.recipe.as_dict(),
        "seed": training.settings.seed,
        "epochs": training.best_record["epoch"],
        "trained_on": training.trained_on(),
        "data": training.checksums,
        "accuracy": accuracy,
        "certainty": training.certainty(_stored(network, {}, dtype)[0]).as_dict(),
    }
    if test and len(data.test_images):
        stored, _ = _stored(network, metadata, dtype)  # judged as it will be read back
        predicted = stored.predict(to_network(data.test_images))
        accuracy["test"] = float((predicted == data.test_labels).mean())
    outputs.write(places.weights, weights.dumps(network, metadata, dtype=dtype))
    history = {
        "model": training.settings.model,
        "recipe": training.recipe.as_dict(),
        "seed": training.settings.seed,
        "accuracy": accuracy,
        "certainty": metadata["certainty"],
        "epochs": training.history,
    }
    outputs.write(places.history, (json.dumps(history, indent=1) + "\n").encode())
    return {"accuracy": accuracy, "dtype": dtype, "certainty": metadata["certainty"]}


def _smallest_type(training, network):
    """Choose float16 where validation does not suffer by it."""
    try:
        rounded, _ = _stored(network, {}, "float16")
    except ValueError:  # a weight beyond float16's range
        return "float32"
    full = training.validation_accuracy(network)
    if full is None:
        return "float16"
    lost = full - training.validation_accuracy(rounded)
    return "float16" if lost <= FLOAT16_TOLERANCE else "float32"


def _stored(network, metadata, dtype):
    """Return the network as a weights file would give it back."""
    file = weights.dumps(network, metadata, dtype=dtype)
    return weights.loads(file)
