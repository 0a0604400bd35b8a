/** The other runtimes: each loads a network of pynet and returns a function from image to shares. */

const here = (path) => new URL(path, import.meta.url).href;

const script = (path) =>
  new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = here(path);
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => reject(new Error(`${path} did not load`)));
    document.head.append(element);
  });

/** Build the layers from TensorFlow.js's fused operations, its fastest. */
async function tensorflow(backend, network) {
  await script("npm/tf-core.min.js");
  await script(`npm/tf-backend-${backend}.min.js`);
  const { tf } = globalThis;
  if (backend === "wasm") tf.wasm.setWasmPaths(here("npm/"));
  if (!(await tf.setBackend(backend))) throw new Error(`no ${backend} backend`);
  await tf.ready();
  const layers = await (await fetch(here(`networks/${network}.json`))).json();
  const values = new Float32Array(await (await fetch(here(`networks/${network}.bin`))).arrayBuffer());
  const steps = layers.map((layer) => {
    const tensor = ({ start, shape }) =>
      tf.tensor(values.slice(start, start + shape.reduce((a, b) => a * b)), shape);
    const { type, activation = "linear", stride, padding, size } = layer;
    if (type === "conv") {
      const [filter, bias] = [tensor(layer.weight), tensor(layer.bias)];
      return (x) => tf.fused.conv2d({ x, filter, bias, activation, strides: stride, pad: padding });
    }
    if (type === "linear") {
      const [b, bias] = [tensor(layer.weight), tensor(layer.bias)];
      return (a) => tf.fused.matMul({ a, b, bias, activation });
    }
    if (type === "maxpool") return (x) => tf.maxPool(x, size, stride, "valid");
    if (type === "flatten") return (x) => tf.reshape(x, [1, -1]);
    if (type === "softmax") return (x) => tf.softmax(x);
    if (type === "normalise") return (x) => tf.div(x, tf.sum(x));
    throw new Error(`layer ${type}?`);
  });
  return async (image) => {
    const y = tf.tidy(() => steps.reduce((x, step) => step(x), tf.tensor4d(image, [1, 28, 28, 1])));
    const shares = await y.data();
    y.dispose();
    return shares;
  };
}

/** Run the ONNX file of the same layers. */
async function onnx(network) {
  const ort = await import(here("npm/ort.wasm.min.mjs"));
  ort.env.wasm.wasmPaths = here("npm/");
  ort.env.wasm.numThreads = 1; // more need headers that a plain host does not send
  const session = await ort.InferenceSession.create(here(`networks/${network}.onnx`), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  return async (image) => {
    const x = new ort.Tensor("float32", image, [1, 1, 28, 28]);
    return (await session.run({ x })).y.data;
  };
}

export const RUNTIMES = {
  "tfjs-cpu": (network) => tensorflow("cpu", network),
  "tfjs-wasm": (network) => tensorflow("wasm", network),
  "onnxruntime-web": onnx,
};
