"""The figures of evaluate, against numbers worked out by hand."""

import numpy as np
import pytest

from pynet.workshop.metrics import calibration_error, judge, worst_mistakes


def rows(*pairs):
    """Return probabilities: for each (digit, share) that share, and the rest spread evenly."""
    table = np.array([np.full(10, (1 - share) / 9) for _, share in pairs])
    for row, (digit, share) in zip(table, pairs, strict=True):
        row[digit] = share
    return table


# Two 3s read right, one 3 read as 5, one 5 read right.
PROBABILITIES = rows((3, 0.9), (3, 0.7), (5, 0.6), (5, 0.95))
LABELS = np.array([3, 3, 3, 5])


def test_judge():
    """Accuracy, classes and confusion are shares; digits that do not occur have none."""
    figures = judge(PROBABILITIES, LABELS, np.array([True, False, True, False]))
    assert set(figures) == {
        *("accuracy", "count", "per_class", "calibration_error", "confusion"),
        *("refused", "refused_per_class"),
    }
    assert figures["refused"] == 0.5
    assert figures["refused_per_class"]["3"] == pytest.approx(2 / 3)
    assert figures["refused_per_class"]["5"] == 0
    assert figures["refused_per_class"]["0"] is None
    assert figures["accuracy"] == 0.75
    assert figures["count"] == 4
    assert figures["per_class"]["3"] == pytest.approx(2 / 3)
    assert figures["per_class"]["5"] == 1
    assert figures["per_class"]["0"] is None
    assert list(figures["per_class"]) == list("0123456789")
    assert figures["confusion"][3][5] == pytest.approx(1 / 3)
    assert figures["confusion"][5][5] == 1
    assert np.shape(figures["confusion"]) == (10, 10)


def test_calibration_error():
    """Bins of 1/15: 0.9 and 0.7 and 0.6 and 0.95 each alone, so the mean gap counts."""
    # gaps: 1 - 0.9, 1 - 0.7, 0.6 - 0, 1 - 0.95
    assert calibration_error(PROBABILITIES, LABELS) == pytest.approx((0.1 + 0.3 + 0.6 + 0.05) / 4)
    # In one bin right and wrong make up for each other: 0.75 and 0.75, one right: |0.5 - 0.75|.
    two = rows((1, 0.75), (2, 0.75))
    assert calibration_error(two, np.array([1, 3])) == pytest.approx(0.25)
    assert calibration_error(rows((4, 1.0)), np.array([4])) == 0


def test_worst_mistakes():
    """Mistakes come in order of confidence, and no others."""
    table = rows((1, 0.5), (2, 0.9), (3, 0.99), (4, 0.7))
    assert worst_mistakes(table, np.array([0, 0, 3, 0]), 2).tolist() == [1, 3]
    assert worst_mistakes(table, np.array([1, 2, 3, 4]), 5).tolist() == []
