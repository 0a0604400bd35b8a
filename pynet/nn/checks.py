"""Checks of values at the edges: what was expected, what came, in one line."""

from numbers import Integral, Real


def positive_integer(name, value, *, maximum=2**20):
    """Return `value` as an int, or raise ValueError unless it is an integer in [1, maximum]."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= value <= maximum:
        raise ValueError(f"{name} must be an integer in [1, {maximum}], got {value!r}")
    return int(value)


def natural(name, value):
    """Return `value` as an int, or raise ValueError unless it is an integer of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise ValueError(f"{name} must be an integer of 0 or more, got {value!r}")
    return int(value)


def number(name, value, *, low=0.0, high=float("inf"), open_low=False, open_high=True):
    """Return `value` as a float, or raise ValueError unless it lies between `low` and `high`."""
    fits = (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and (low < value if open_low else low <= value)
        and (value < high if open_high else value <= high)
    )
    if not fits:
        interval = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
        raise ValueError(f"{name} must be in {interval}, got {value!r}")
    return float(value)


def boolean(name, value):
    """Return `value`, or raise ValueError unless it is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return value


def image(layer, shape, channels=None):
    """Return height and width of one example's shape, or raise ValueError unless it is an image."""
    if len(shape) != 3 or channels not in (None, shape[2]):
        got = ", ".join(map(str, ("N", *shape)))
        wanted = "C" if channels is None else channels
        raise ValueError(f"{layer} expects x of shape (N, H, W, {wanted}), got ({got})")
    return shape[:2]
