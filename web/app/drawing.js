// @ts-check
/** Draws on canvases: the ink on the pad, the keyboard's pen, and the 28x28 picture. */

/** @typedef {import("./store.js").Stroke} Stroke */
/** @typedef {{ x: number, y: number, down: boolean, shown: boolean }} Pen */

/** Width of the line as a share of the pad: about what MNIST's pens leave of a 20-pixel digit. */
const LINE_WIDTH = 0.055;

/** Below this share of the line's width a piece of a stroke is drawn straight. */
const STRAIGHT = 0.25;

/** Side of the network's picture, in pixels. */
const SIDE = 28;

/**
 * Give a canvas one pixel for each pixel of the screen.
 * @param {HTMLCanvasElement} canvas
 * @returns {number} Its side in pixels.
 */
function fit(canvas) {
  const side = Math.max(1, Math.round(canvas.getBoundingClientRect().width * devicePixelRatio));
  if (canvas.width !== side || canvas.height !== side) {
    canvas.width = side; // also clears it
    canvas.height = side;
  }
  return side;
}

/**
 * Draw one stroke as a smooth line: quadratic curves between the middles of its segments, with
 * the recorded points as their control points; straight where one is short, for there a curve may bend
 * more tightly than its line is wide, and Chromium leaves hairs of paper in such. What the network gets
 * is the recorded line itself.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} side
 */
function drawStroke(context, stroke, side) {
  const points = stroke.map(({ x, y }) => ({ x: x * side, y: y * side }));
  const [first] = points;
  if (!first) return;
  const short = STRAIGHT * context.lineWidth;
  context.beginPath();
  context.moveTo(first.x, first.y);
  let before = Infinity; // the length of the last piece: there is none before the first point
  points.forEach((point, index) => {
    const next = points[index + 1] ?? point;
    const length = Math.hypot(next.x - point.x, next.y - point.y);
    const [x, y] = [(point.x + next.x) / 2, (point.y + next.y) / 2];
    if (Math.min(before, length) >= short) {
      context.quadraticCurveTo(point.x, point.y, x, y);
    } else {
      context.lineTo(point.x, point.y);
      context.lineTo(x, y);
    }
    before = length;
  });
  context.stroke();
  if (points.length > 1) return;
  // A line without length is not painted by every browser: a dot is a disc.
  context.beginPath();
  context.arc(first.x, first.y, context.lineWidth / 2, 0, 2 * Math.PI);
  context.fillStyle = context.strokeStyle;
  context.fill();
}

/**
 * Draw the cross hair of the keyboard's pen, with a filled centre while it is down.
 * @param {CanvasRenderingContext2D} context
 * @param {Pen} pen
 * @param {number} side
 */
function drawPen(context, pen, side) {
  const [x, y, arm, radius] = [pen.x * side, pen.y * side, side / 16, side / 45];
  context.lineWidth = Math.max(2, side / 160);
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
  if (pen.down) context.fill();
}

/**
 * Draw the whole pad anew.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly Stroke[]} strokes
 * @param {Pen} pen
 */
export function drawPad(canvas, strokes, pen) {
  const side = fit(canvas);
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, side, side);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = LINE_WIDTH * side;
  context.strokeStyle = style.getPropertyValue("--ink").trim();
  for (const stroke of strokes) drawStroke(context, stroke, side);
  if (!pen.shown) return;
  context.strokeStyle = style.getPropertyValue("--accent").trim();
  context.fillStyle = context.strokeStyle;
  drawPen(context, pen, side);
}

/**
 * Show grey levels as the network gets them: light ink on black, in every theme.
 * @param {HTMLCanvasElement} canvas 28 by 28.
 * @param {Float32Array | null} pixels 784 levels in 0..1, or nothing.
 */
export function drawSeen(canvas, pixels) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(SIDE, SIDE);
  for (let index = 0; index < SIDE * SIDE; index++) {
    image.data.fill(Math.round(255 * (pixels?.[index] ?? 0)), 4 * index, 4 * index + 3);
    image.data[4 * index + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
