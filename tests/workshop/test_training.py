"""Training runs as a library: validation, averages, stages, and going on from a checkpoint."""

from dataclasses import replace

import numpy as np
import pytest
from workshop.samples import digits

from pynet.workshop import calibration, checkpoints
from pynet.workshop.data import Dataset
from pynet.workshop.drawn import Drawn
from pynet.workshop.recipes import Recipe
from pynet.workshop.settings import Settings
from pynet.workshop.training import BatchDone, EpochDone, Training
from pynet.workshop.validation import TrainingError, split

DATA = Dataset(*digits(300, seed=1), *digits(50, seed=2), checksums={"a": "b"})
RECIPE = Recipe(epochs=4, batch_size=30, dropout=0.1, average=0.9, final_on_all=True)


@pytest.fixture
def few_drawn(monkeypatch):
    """Calibrate on fewer drawn digits, to save time."""
    monkeypatch.setattr(calibration, "DIGITS", Drawn(digits=200))


def settings(**changes):
    """Return the settings of a small run with some fields of its recipe changed."""
    return Settings("classic-relu", "quick", replace(RECIPE, **changes), 3)


def finish(training):
    """Run to the end and return the training."""
    for _ in training.run():
        pass
    return training


def test_split_is_a_partition_and_fixed():
    """The held share is the same every time and shares no image with the rest."""
    images, labels = digits(120)
    (rest, rest_labels), (held, held_labels) = split(images, labels, 0.25)
    assert len(held) == 30
    assert len(rest) == 90
    pairs = [(x.tobytes(), y) for x, y in zip(images, labels, strict=True)]
    both = [*zip(rest, rest_labels, strict=True), *zip(held, held_labels, strict=True)]
    assert sorted(pairs) == sorted((x.tobytes(), y) for x, y in both)
    np.testing.assert_array_equal(split(images, labels, 0.25)[1][0], held)
    assert len(split(images, labels, 0)[1][0]) == 0
    with pytest.raises(TrainingError, match="leaves no image"):
        split(images, labels, 0.999)


def test_second_stage_uses_all_images():
    """After choosing, the network is trained anew on all images, for as many epochs."""
    training = finish(Training(settings(), DATA))
    assert [record["stage"] for record in training.history] == ["choose"] * 4 + ["all"] * 4
    assert training.trained_on() == 300
    assert training.best_record["epoch"] == 4
    assert training.validated["stage"] == "choose"
    assert training.finished


def test_test_images_are_never_touched():
    """Training reads nothing of the test set: other test images change nothing."""
    other = replace(DATA, test_images=DATA.test_images[:0], test_labels=DATA.test_labels[:0])
    first, second = finish(Training(settings(), DATA)), finish(Training(settings(), other))
    for name, array in first.best.items():
        np.testing.assert_array_equal(array, second.best[name])


def train(**changes):
    """Train without averaging; return the training and the parameters after each epoch."""
    training = Training(settings(final_on_all=False, average=0.0, **changes), DATA)
    kept = {}
    for event in training.run():
        if isinstance(event, EpochDone):
            kept[event.record["epoch"]] = {n: a.copy() for n, a in training.network.params.items()}
    return training, kept


def best_epoch(training):
    """Return the epoch of the best validation accuracy, then of the lowest loss."""
    record = max(training.history, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
    return record["epoch"]


@pytest.mark.parametrize("patience", [0, 100])
def test_which_epoch_is_kept(patience):
    """The last epoch's weights are kept; with early stopping on, the best one's."""
    training, kept = train(learning_rate=0.05, patience=patience)
    assert best_epoch(training) != len(training.history), "the case would tell nothing"
    chosen = best_epoch(training) if patience else len(training.history)
    assert training.best_record["epoch"] == chosen
    assert training.validated == training.history[chosen - 1]
    for name, array in training.best.items():
        np.testing.assert_array_equal(array, kept[chosen][name])


def test_a_run_cut_short_keeps_its_best():
    """Before the last epoch the best so far are the ones with the best validation accuracy."""
    training = Training(settings(final_on_all=False, average=0.0, learning_rate=0.05), DATA)
    for event in training.run():
        if isinstance(event, EpochDone) and event.record["epoch"] < training.recipe.epochs:
            assert training.best_record["epoch"] == best_epoch(training)
            assert training.validated == training.best_record


def test_without_validation_the_last_epoch_counts():
    """With no validation share there is no figure, and the last weights are kept."""
    training = finish(Training(settings(validation=0.0, final_on_all=False), DATA))
    assert training.validated is None
    assert training.best_record["epoch"] == 4
    assert training.validation_accuracy(training.best_network()) is None


@pytest.mark.parametrize("stop_after", [1, 3, 4, 6, 7])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("drawn", [0, 40])
def test_restore_bit_for_bit(tmp_path, stop_after, optimizer, drawn, few_drawn):
    """A run that goes on from any checkpoint ends exactly as one that never stopped."""
    chosen = settings(
        optimizer=optimizer, learning_rate=0.01, patience=0, generated=drawn, non_digits=drawn
    )
    whole = finish(Training(chosen, DATA))
    part = Training(chosen, DATA, folder=tmp_path)
    for _ in part.run():
        part.stop = len(part.history) == stop_after
    arrays, state, _ = checkpoints.load_newest(tmp_path)
    again = Training(chosen, DATA)
    again.restore(arrays, state)
    finish(again)
    for name, array in whole.best.items():
        assert array.tobytes() == again.best[name].tobytes()
    assert again.certainty(again.best_network()) == whole.certainty(whole.best_network())
    drop = [{k: v for k, v in r.items() if k != "seconds"} for r in whole.history]
    assert drop == [{k: v for k, v in r.items() if k != "seconds"} for r in again.history]


def test_drawn_images_are_learnt_beside_the_others(few_drawn):
    """They make epochs longer, count in what is to go, and not in what was trained on."""
    training = Training(settings(generated=100, non_digits=50, final_on_all=False), DATA)
    assert training.images_to_go() == 4 * (275 + 150)
    seen = sum(event.images for event in training.run() if isinstance(event, BatchDone))
    assert seen == 4 * (275 + 150)
    assert training.trained_on() == 275
    assert training.certainty(training.best_network()).threshold > 0


def test_certainty_of_the_second_stage_is_of_the_first():
    """Weights that have learnt from every image are calibrated by those that had not."""
    training = Training(settings(), DATA)
    for event in training.run():
        if isinstance(event, EpochDone) and event.record["stage"] == "choose":
            first = training.certainty(training.best_network())
    assert training.best_record["stage"] == "all"
    assert training.certainty(training.best_network()) == first
    assert first.temperature != 1
    assert first.threshold == 0  # it has not learnt what is no digit


def test_drawn_digits_alone(few_drawn):
    """Without images the network learns from drawn digits, and is validated on others."""
    none = replace(DATA, train_images=DATA.train_images[:0], train_labels=DATA.train_labels[:0])
    chosen = settings(generated=400, epochs=6, final_on_all=False, average=0.0)
    training = finish(Training(chosen, none))
    assert training.history[-1]["validation_accuracy"] > 0.4  # of ten classes, after 2,400 images
    assert training.trained_on() == 0
    assert training.certainty(training.best_network()).temperature != 1
    with pytest.raises(TrainingError, match="nothing to train on: give --generated"):
        Training(settings(generated=0), none)


def test_restore_refuses_what_does_not_fit(tmp_path):
    """A checkpoint of another network is an error, not a crash."""
    finish(Training(settings(epochs=1, final_on_all=False), DATA, folder=tmp_path))
    arrays, state, _ = checkpoints.load_newest(tmp_path)
    arrays["params/1.weight"] = arrays["params/1.weight"][:, :5]
    with pytest.raises(checkpoints.CheckpointError, match=r"1\.weight has shape"):
        Training(settings(), DATA).restore(arrays, state)


def test_early_stop_and_second_stage():
    """After an early stop the second stage takes as many epochs as the best one had."""
    training = finish(Training(settings(epochs=50, patience=1, learning_rate=1e-12), DATA))
    stages = [record["stage"] for record in training.history]
    first = [record for record in training.history if record["stage"] == "choose"]
    best = max(first, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
    assert len(first) < 50
    assert stages.count("all") == best["epoch"]
