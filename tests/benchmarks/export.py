"""Write a network of pynet for other runtimes: ONNX, and a list of layers for TensorFlow.js.

Takes folded networks of the layers that pynet ships; anything else is an error. The ONNX file is
written as protocol buffers directly, which for so few kinds of node is shorter than the package
that would do it.

References
----------
Protocol Buffers, "Encoding" (varints and length-delimited fields); onnx/onnx.proto3, for the field
numbers; the ONNX operator list, opset 13.
"""

import json

import numpy as np

INT, INTS = 2, 7  # onnx.AttributeProto.AttributeType
FLOAT32, INT64 = 1, 7  # onnx.TensorProto.DataType
OPSET = 13


def varint(number):
    """Encode a number of at least 0, seven bits to a byte."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, value):
    """Encode one field: an int as varint; text, bytes and messages with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(*fields):
    """Encode a message: (number, value) pairs; a list repeats the field."""
    encoded = b""
    for number, value in fields:
        for each in value if isinstance(value, list) else [value]:
            encoded += field(number, each)
    return encoded


def node(kind, inputs, output, **attributes):
    """Encode a NodeProto."""
    encoded = []
    for name, value in attributes.items():
        number, kind_of = (8, INTS) if isinstance(value, list) else (3, INT)
        encoded.append(message((1, name), (number, value), (20, kind_of)))
    return message((1, inputs), (2, output), (4, kind), (5, encoded))


def tensor(name, array):
    """Encode a TensorProto of float32 or int64."""
    kind = INT64 if array.dtype == np.int64 else FLOAT32
    data = np.ascontiguousarray(array, "<i8" if kind == INT64 else "<f4").tobytes()
    return message((1, [int(n) for n in array.shape]), (2, kind), (8, name), (9, data))


def value_info(name, shape):
    """Encode a ValueInfoProto of a float32 tensor."""
    dims = message((1, [message((1, n)) for n in shape]))
    return message((1, name), (2, message((1, message((1, FLOAT32), (2, dims))))))


def to_onnx(network):
    """Return the bytes of an ONNX model: x (1, 1, 28, 28) to y (1, 10), probabilities.

    ONNX images are NCHW: filters are turned so, and the columns of the first linear layer put in
    the order in which Flatten then finds the pixels.
    """
    nodes, tensors, last, shape = [], [], "x", (28, 28, 1)
    image = None  # shape of what Flatten got, until the next Linear

    def add(kind, *arrays, **attributes):
        nonlocal last
        names = [f"t{len(tensors) + index}" for index in range(len(arrays))]
        tensors.extend(map(tensor, names, arrays))
        output = f"y{len(nodes)}"
        nodes.append(node(kind, [last, *names], output, **attributes))
        last = output

    for layer in network.layers:
        name = type(layer).__name__
        if name == "Conv2d":
            weight = layer.params["weight"].transpose(0, 3, 1, 2)
            strides, pads = [layer.stride] * 2, [layer.padding] * 4
            add("Conv", weight, layer.params["bias"], strides=strides, pads=pads)
        elif name == "MaxPool2d":
            add("MaxPool", kernel_shape=[layer.kernel_size] * 2, strides=[layer.stride] * 2)
        elif name == "Flatten":
            image = shape
            add("Flatten", axis=1)
        elif name == "Linear":
            weight = layer.params["weight"]
            if image:
                weight = weight.reshape(-1, *image).transpose(0, 3, 1, 2).reshape(len(weight), -1)
                image = None
            add("Gemm", weight, layer.params["bias"], transB=1)
        elif name == "ReLU":
            add("Relu")
        elif name == "Sigmoid":
            add("Sigmoid")
        elif name != "Dropout":  # which does nothing at inference
            raise ValueError(f"to_onnx knows no {name}")
        shape = layer.output_shape(shape)
    if name == "Sigmoid":  # see Sequential.predict_proba
        outputs = last
        add("ReduceSum", np.array([1]), keepdims=1)
        nodes.append(node("Div", [outputs, last], "y"))
    else:
        nodes.append(node("Softmax", [last], "y", axis=1))
    graph = message(
        (1, nodes),
        (2, "pynet"),
        (5, tensors),
        (11, value_info("x", (1, 1, 28, 28))),
        (12, value_info("y", (1, 10))),
    )
    return message((1, 8), (7, graph), (8, message((1, ""), (2, OPSET))))


def to_layers(network):
    """Return JSON and float32 bytes for runtimes.js: layers with their activations fused."""
    layers, arrays, start = [], [], 0

    def stored(array):
        nonlocal start
        arrays.append(np.ascontiguousarray(array, "<f4"))
        entry = {"start": start, "shape": list(array.shape)}
        start += array.size
        return entry

    for layer in network.layers:
        name = type(layer).__name__
        if name == "Conv2d":
            weight = stored(layer.params["weight"].transpose(1, 2, 3, 0))  # HWIO
            entry = {"type": "conv", "weight": weight, "bias": stored(layer.params["bias"])}
            layers.append({**entry, "stride": layer.stride, "padding": layer.padding})
        elif name == "Linear":
            weight, bias = layer.params["weight"].T, layer.params["bias"]
            layers.append({"type": "linear", "weight": stored(weight), "bias": stored(bias)})
        elif name == "MaxPool2d":
            layers.append({"type": "maxpool", "size": layer.kernel_size, "stride": layer.stride})
        elif name == "Flatten":
            layers.append({"type": "flatten"})
        elif name in ("ReLU", "Sigmoid") and layers[-1]["type"] in ("conv", "linear"):
            layers[-1]["activation"] = name.lower()
        elif name != "Dropout":
            raise ValueError(f"to_layers knows no {name} here")
    last = layers[-1].get("activation")
    layers.append({"type": "normalise" if last == "sigmoid" else "softmax"})
    return json.dumps(layers).encode(), b"".join(array.tobytes() for array in arrays)
