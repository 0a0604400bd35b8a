"""Answers a drawing that it already has, in the page's own thread."""

import json
from pathlib import Path

from pyscript import document, window
from pyscript.ffi import to_js

import pynet

network, _ = pynet.load("network.npz")
strokes = json.loads(Path("drawing.json").read_text())
image = pynet.strokes_to_image(strokes)
probabilities = network.fold().predict_proba(image[None, :, :, None])[0]
digit = int(probabilities.argmax())
document.getElementById("prediction").textContent = str(digit)
detail = {"digit": digit, "probabilities": probabilities.tolist()}
options = to_js({"detail": detail})
document.dispatchEvent(window.CustomEvent.new("pynet:prediction", options))
