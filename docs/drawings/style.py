"""One look for all figures: the colours of the page, one font, a light ground of their own.

GitHub shows the documents on white and on black; a figure with its own paper reads on both.
"""

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

PAPER, SHEET, RULE, TEXT, SOFT = "#f5f1e6", "#fffdf6", "#cfd9e4", "#232a35", "#565c66"
BLUE, SKY, RUST, GREEN, OCHRE = "#1b3a6b", "#5b7fb0", "#b8400e", "#2f7d5b", "#c08a1e"

WIDTH = 9.0  # inches; 864 CSS pixels as SVG, about the column of a GitHub page

SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 11,
    "mathtext.fontset": "dejavusans",
    "text.color": TEXT,
    "figure.facecolor": SHEET,
    "axes.facecolor": SHEET,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": TEXT,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.hashsalt": "pynet",  # else element ids are random
    "svg.fonttype": "path",  # looks the same where DejaVu Sans is not installed
}


def styled(draw):
    """Decorate a function that draws one figure: run it under SETTINGS and no others."""

    def run(path, **inputs):
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(SETTINGS)
            save(draw(**inputs), path)

    run.__doc__ = draw.__doc__
    return run


def save(figure, path):
    """Write a figure without a date or a version in it."""
    if path.suffix == ".svg":
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        # matplotlib ends lines of path data with a blank, which Git would flag.
        lines = path.read_text(encoding="utf-8").split("\n")
        text = "\n".join(line.rstrip() for line in lines)
        path.write_text(text, encoding="utf-8", newline="\n")
    else:
        figure.savefig(path, dpi=160, metadata={"Software": None})
        shrink(path)


def shrink(path, *, colours=256):
    """Store a PNG with a palette: a third of the bytes, and no difference that one could see."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(colours).save(path, optimize=True)


def panels(count, height, **options):
    """Return a figure and `count` axes in a row."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12, wspace=0.05)
    return figure, figure.subplots(1, count, **options)


def canvas(height):
    """Return a figure and axes for a diagram, measured in inches from the bottom left."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def node(axes, x, y, text, *, radius=0.36, colour=BLUE, fill=PAPER, size=11):
    """Draw a circle with text in it."""
    axes.add_patch(
        matplotlib.patches.Circle((x, y), radius, facecolor=fill, edgecolor=colour, linewidth=1.8)
    )
    write(axes, x, y, text, size=size)


def box(axes, x, y, width, height, text="", *, colour=BLUE, fill=PAPER, size=11):
    """Draw a rounded box around its centre with text in it."""
    patch = matplotlib.patches.FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=fill, edgecolor=colour, linewidth=1.8,
    )  # fmt: skip
    axes.add_patch(patch)
    write(axes, x, y, text, size=size)


def arrow(axes, start, end, *, colour=SOFT, width=1.6, curve=0.0):
    """Draw an arrow from one point to another."""
    axes.annotate(
        "", end, start,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.22,head_length=0.42", "color": colour,
            "linewidth": width, "shrinkA": 0, "shrinkB": 0,
            "connectionstyle": f"arc3,rad={curve}",
        },
    )  # fmt: skip


def write(axes, x, y, text, *, colour=TEXT, size=11, align="center", weight="normal", ground=None):
    """Write text, centred on its height; `ground` is a colour behind it."""
    behind = {"facecolor": ground, "edgecolor": "none", "pad": 1.5} if ground else None
    axes.text(
        x, y, text, color=colour, fontsize=size, ha=align, va="center", weight=weight,
        bbox=behind, linespacing=1.35,
    )  # fmt: skip
