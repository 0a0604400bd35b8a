"""Draw the icons of the installed page from web/icon.svg: ``python docs/icons.py``.

Operating systems want pixels where browsers take the SVG. The same drawing is written in three
framings: `any` keeps the SVG's rounded square, `maskable` and the one for Apple fill the whole
square, because the system cuts its own shape out of them. Needs Pillow, of the extra `train`.
"""

import argparse
import math
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

WEB = Path(__file__).resolve().parents[1] / "web"
OVERSAMPLING = 8  # drawn so many times as large, then averaged: smooth edges

# Name, side in pixels, and whether the ground fills the square. Of a maskable icon only a circle
# around the middle is sure to be seen, its radius 2/5 of the side (W3C, Web Application Manifest,
# "Icon masks and safe zone"). The drawing keeps within it as it is: the far edge of the dot is
# 0.399 of the side away from the middle.
ICONS = {
    "any-192.png": (192, False),
    "any-512.png": (512, False),
    "maskable-192.png": (192, True),
    "maskable-512.png": (512, True),
    "apple-touch-icon.png": (180, True),
}


def numbers(element, *names):
    """Return attributes of an SVG element as numbers."""
    return [float(element.get(name)) for name in names]


def path_points(data):
    """Return the corners of an SVG path of straight lines: M, L, H, V and their relative twins."""
    points, x, y = [], 0.0, 0.0
    for command, arguments in re.findall(r"([MLHVmlhv])([^A-Za-z]*)", data):
        values = [float(value) for value in re.findall(r"-?[\d.]+", arguments)]
        base_x, base_y = (x, y) if command.islower() else (0.0, 0.0)
        match command.upper():
            case "H":
                x = base_x + values[0]
            case "V":
                y = base_y + values[0]
            case _:
                x, y = base_x + values[0], base_y + values[1]
        points.append((x, y))
    return points


def draw(svg, side, full):
    """Return the drawing as an RGBA image of `side` by `side` pixels."""
    root = ElementTree.fromstring(svg)
    _, _, width, _ = map(float, root.get("viewBox").split())
    large = side * OVERSAMPLING
    scale = large / width
    image = Image.new("RGBA", (large, large))
    pen = ImageDraw.Draw(image)

    def disc(x, y, radius, fill):
        corners = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse([scale * value for value in corners], fill=fill)

    for element in root:
        match element.tag.rpartition("}")[2]:
            case "rect":  # the ground
                (radius,) = numbers(element, "rx")
                radius = 0 if full else scale * radius
                pen.rounded_rectangle([0, 0, large, large], radius, fill=element.get("fill"))
            case "path":
                points, colour = path_points(element.get("d")), element.get("stroke")
                (thickness,) = numbers(element, "stroke-width")
                for (x0, y0), (x1, y1) in pairwise(points):
                    length = math.hypot(x1 - x0, y1 - y0)
                    dx, dy = (y0 - y1) / length * thickness / 2, (x1 - x0) / length * thickness / 2
                    corners = [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy)]
                    corners += [(x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
                    pen.polygon([(scale * x, scale * y) for x, y in corners], fill=colour)
                for x, y in points:  # round ends and corners
                    disc(x, y, thickness / 2, colour)
            case "circle":
                disc(*numbers(element, "cx", "cy", "r"), element.get("fill"))
            case other:
                raise ValueError(f"icon.svg: expected rect, path or circle, got {other}")
    return image.resize((side, side), Image.Resampling.BOX)


def main(arguments=None):
    """Write all icons."""
    parser = argparse.ArgumentParser(prog="docs/icons.py", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=WEB / "icons", help="default: web/icons")
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    svg = (WEB / "icon.svg").read_text(encoding="utf-8")
    for name, (side, full) in ICONS.items():
        image = draw(svg, side, full)
        image = image.convert("RGB") if full else image
        image.save(out / name, optimize=True)


if __name__ == "__main__":
    main()
