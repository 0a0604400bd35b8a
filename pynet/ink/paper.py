"""Ink from paper: which grey levels of a picture are background, and what stands out from it."""

import numpy as np

_LEAST_CONTRAST = 0.05  # of black to white; what stands out less is paper
_CERTAIN = 6.0  # standard deviations of the paper's noise that ink must reach
_NOISE = 4.0  # standard deviations of the paper's noise that are cut off
_FAINT = 0.3  # of the contrast; cut off too where the paper is not perfectly even
_DIMMEST = 0.2  # of the brightest paper; darker places are not brightened further
_TO_DEVIATION = 1.4826  # from the median absolute value to the standard deviation, if normal
_STEPS = 8  # of reweighting; changes are far below a grey level then


def split_ink(grey):
    """Take the paper away.

    Parameters
    ----------
    grey : (H, W) float64 ndarray
        Grey levels in [0, 1], dark on light or light on dark.

    Returns
    -------
    ink : (H, W) float64 ndarray
        How far each pixel stands out from the paper, in [0, 1]; 0 for paper. All zeros if
        nothing does.
    contrast : float
        Usual value of ink: the median of what is above half the largest value; 0 without ink.

    Notes
    -----
    The noise of the paper is measured where no ink can be: on the pixels that differ from the
    paper in the other direction.
    """
    paper = _paper(grey)
    difference = grey - paper
    squares = difference * difference
    # Ink lies on one side of the paper's level, noise on both.
    if squares[difference < 0].sum() > squares[difference > 0].sum():
        difference = -difference
        room = paper
    else:
        room = 1 - paper
    # In half the light the same ink differs half as much from the paper.
    most = max(float(np.max(room)), 1 / 255)
    difference = difference * (most / np.maximum(room, most * _DIMMEST))
    opposite = -difference[difference < 0]
    noise = 0.0
    if opposite.size > grey.size // 20:
        noise = _TO_DEVIATION * float(np.median(opposite))
    peak = float(difference.max())
    if peak < max(_LEAST_CONTRAST, _CERTAIN * noise):
        return np.zeros_like(grey), 0.0
    contrast = float(np.median(difference[difference > peak / 2]))
    least = max(_NOISE * noise, _FAINT * contrast) if noise > 0 else 1 / 512  # half an 8-bit step
    return np.where(difference > least, difference, 0.0), contrast


def _paper(grey):
    """Level of the paper: a number, or (H, W) where the light is uneven."""
    border = np.zeros(grey.shape, dtype=bool)
    border[[0, -1]] = True
    border[:, [0, -1]] = True
    level = np.median(grey[border])
    if np.median(np.abs(grey[border] - level)) == 0:  # drawn, not photographed
        return level
    height, width = grey.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])  # (6, H, W)
    surface = _fit_robustly(terms[:, border], grey[border], np.full(border.sum(), level))
    start = np.tensordot(surface, terms, axes=1)
    surface = _fit_robustly(terms.reshape(6, -1), grey.ravel(), start.ravel())
    return np.tensordot(surface, terms, axes=1)


def _fit_robustly(terms, values, fitted):
    """Fit values (P,) by terms (T, P), starting from a first fit; outliers, the ink, do not count.

    Iteratively reweighted least squares with Tukey's biweight, see Holland and Welsch, "Robust
    regression using iteratively reweighted least-squares", Comm. Statistics A6, 1977.
    """
    weights = np.ones_like(values)
    for _ in range(_STEPS):
        residual = np.abs(values - fitted)
        spread = max(4.685 * _TO_DEVIATION * np.median(residual), 1 / 255)
        weights = np.clip(1 - (residual / spread) ** 2, 0.0, None) ** 2
        weighted = terms * weights
        # The small ridge keeps pictures of a few pixels solvable.
        normal = weighted @ terms.T + 1e-9 * np.eye(len(terms))
        solution = np.linalg.solve(normal, weighted @ values)
        fitted = solution @ terms
    return solution
