"""Fill in the measured tables of the documents: ``python docs/measured.py --strokes FILE``.

A table stands between ``<!-- measured: NAME -->`` and ``<!-- end -->`` in README.md or the model
card, and is written anew from what `pynet.evaluate` finds for the networks in weights/, never by
hand. The texts around the tables are left as they are.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from drawings import ROOT

from pynet import load
from pynet.ink import scribbles
from pynet.nn.certainty import Certainty

DOCUMENTS = (ROOT / "docs/model-card.md", ROOT / "README.md")
PLACE = re.compile(r"(<!-- measured: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DIGITS = [str(digit) for digit in range(10)]


def shipped():
    """Return path, network and metadata of each weights file, by its name."""
    # The classics last: the table of one network is about the first.
    paths = sorted((ROOT / "weights").glob("*.npz"), key=lambda p: ("classic" in p.stem, p.stem))
    loaded = {path: load(path) for path in paths}
    return {
        path.stem: {"path": path, "network": network, "metadata": metadata}
        for path, (network, metadata) in loaded.items()
    }


def evaluate(path, *arguments):
    """Return what `python -m pynet.evaluate` prints about one weights file."""
    command = [sys.executable, "-m", "pynet.evaluate", str(path), "--json", *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"docs/measured.py: {result.stderr.strip()}")
    return json.loads(result.stdout)


def percent(share):
    """Write a share as everywhere in the documents."""
    return "none" if share is None else f"{100 * share:.2f} %"


def table(header, rows):
    """Return a Markdown table with a final newline."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def networks_table(found):
    """One row for each network: its size, and all figures in short."""
    header = ["network", "parameters", "multiply-adds", "file, bytes", "MNIST validation",
              "MNIST test", "calibration error, MNIST", "UNIPEN strokes",
              "calibration error, UNIPEN"]  # fmt: skip
    rows = []
    for name, each in found.items():
        network, metadata = each["network"], each["metadata"]
        rows.append([
            f"`{name}`",
            f"{sum(array.size for array in network.params.values()):,}",
            f"{network.multiply_adds((28, 28, 1)):,}",
            f"{each['path'].stat().st_size:,}",
            percent(metadata["accuracy"]["validation"]),
            percent(each["mnist"]["accuracy"]), percent(each["mnist"]["calibration_error"]),
            percent(each["strokes"]["accuracy"]), percent(each["strokes"]["calibration_error"]),
        ])  # fmt: skip
    return table(header, rows)


def summary_table(found):
    """One short row for each network, for the README."""
    rows = [
        [f"`{name}`", percent(each["mnist"]["accuracy"]), percent(each["strokes"]["accuracy"]),
         f"{each['path'].stat().st_size / 1000:.0f} kB"]
        for name, each in found.items()
    ]  # fmt: skip
    return table(["network", "MNIST test set", "UNIPEN strokes", "file"], rows)


def strokes_table(found):
    """One row for each network: strokes read right, by digit, for the README."""
    rows = [
        [f"`{name}`", *(f"{100 * each['strokes']['per_class'][digit]:.1f}" for digit in DIGITS),
         f"{100 * each['strokes']['accuracy']:.1f}"]
        for name, each in found.items()
    ]  # fmt: skip
    return table(["% of strokes right", *DIGITS, "all"], rows)


def per_digit_table(found):
    """One row for each digit, both data sets for each network."""
    header, rows = ["digit"], [[digit] for digit in DIGITS]
    for name, each in found.items():
        header += [f"`{name}` MNIST", f"`{name}` UNIPEN"]
        for row, digit in zip(rows, DIGITS, strict=True):
            row += [percent(each[data]["per_class"][digit]) for data in ("mnist", "strokes")]
    return table(header, rows)


def confusions_table(found, count=8):
    """Show what the first network takes for what most often, on strokes."""
    name, each = next(iter(found.items()))
    shares = [
        (share, digit, read)
        for digit, row in enumerate(each["strokes"]["confusion"])
        for read, share in enumerate(row)
        if digit != read
    ]
    worst = sorted(shares, reverse=True)[:count]
    rows = [[digit, read, percent(share)] for share, digit, read in worst]
    return table(["drawn", f"read by `{name}` as", "share of that digit"], rows)


def refusals_table(found):
    """One row for each network: its certainty, and how much of what it refuses."""
    header = ["network", "temperature", "threshold, nats", "of MNIST", "of UNIPEN",
              *(f"of {kind}" for kind in scribbles.KINDS), "of all that is no digit"]  # fmt: skip
    rows = []
    for name, each in found.items():
        certainty = Certainty.of(each["metadata"])
        row = [f"`{name}`", f"{certainty.temperature:.3f}"]
        if certainty.threshold:
            kinds = each["non-digits"]["per_kind"]
            shares = [each["mnist"]["refused"], each["strokes"]["refused"], *kinds.values()]
            row += [f"{certainty.threshold:.2f}", *map(percent, shares)]
            row.append(percent(each["non-digits"]["refused"]))
        else:
            row += ["refuses nothing"] + ["none"] * (len(header) - 3)
        rows.append(row)
    return table(header, rows)


def recipes_table(found):
    """Show how each network was trained, as its file says."""
    fields = [*next(iter(found.values()))["metadata"]["recipe"], "seed", "trained_on"]
    rows = [[field.replace("_", " ")] for field in fields]
    for each in found.values():
        metadata = each["metadata"]
        values = metadata["recipe"] | {key: metadata[key] for key in ("seed", "trained_on")}
        for row, field in zip(rows, fields, strict=True):
            unused = field == "momentum" and values["optimizer"] != "sgd"
            # Files made before a setting existed do not name it.
            given = spell(values[field]) if field in values else "not stated"
            row.append("not used" if unused else given)
    return table(["", *(f"`{name}`" for name in found)], rows)


def spell(value):
    """Write a setting for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {amount:g}" for name, amount in value.items()) or "none"
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return value


def data_table(found):
    """Name the data files and their SHA-256."""
    _, each = next(iter(found.items()))
    rows = [[f"`{name}`", f"`{digest}`"] for name, digest in each["metadata"]["data"].items()]
    return table(["file", "SHA-256"], rows)


TABLES = {
    "summary": summary_table,
    "strokes": strokes_table,
    "networks": networks_table,
    "per-digit": per_digit_table,
    "confusions": confusions_table,
    "refusals": refusals_table,
    "recipes": recipes_table,
    "data": data_table,
}


def main(arguments=None):
    """Measure, fill in, and return the exit code."""
    parser = argparse.ArgumentParser(prog="docs/measured.py", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="MNIST, as for pynet.evaluate")
    parser.add_argument("--strokes", type=Path, metavar="FILE", required=True, help="UNIPEN digits")
    options = parser.parse_args(arguments)
    data = ["--data", options.data.resolve()] if options.data else []
    found = shipped()
    if not found:
        parser.error("no weights/*.npz; make them with python -m pynet.train MODEL --recipe full")
    for each in found.values():
        each["mnist"] = evaluate(each["path"], *data)
        each["strokes"] = evaluate(each["path"], "--strokes", options.strokes.resolve())
        if Certainty.of(each["metadata"]).threshold:
            each["non-digits"] = evaluate(each["path"], "--non-digits")
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for unknown in {match[2] for match in PLACE.finditer(text)} - set(TABLES):
            parser.error(f"{document}: no table {unknown!r}; there are {', '.join(TABLES)}")
        filled = PLACE.sub(lambda match: match[1] + TABLES[match[2]](found) + match[3], text)
        document.write_text(filled, encoding="utf-8", newline="\n")
        print(f"{document.relative_to(ROOT)}: {len(PLACE.findall(text))} tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
