/** pynet.ink.strokes, once more in JavaScript, so that the other runtimes get the same image. */

const FRAME = 28;
const BOX = 20;
const PEN_WIDTH = 2.3;
const SOFTNESS = 1.3;
const LEAST_SIDE = 0.06;

/** Squared distance of a point from a segment. */
function squaredDistance(x, y, [from, to]) {
  const [vx, vy] = [to.x - from.x, to.y - from.y];
  const [dx, dy] = [x - from.x, y - from.y];
  const along = Math.min(1, Math.max(0, (dx * vx + dy * vy) / Math.max(vx * vx + vy * vy, 1e-300)));
  return (dx - along * vx) ** 2 + (dy - along * vy) ** 2;
}

/** Where the box begins along one axis, from the sums of ink across the other. */
function offset(profile) {
  const mass = profile.reduce((sum, value) => sum + value, 0);
  const moment = profile.reduce((sum, value, index) => sum + value * (index + 0.5), 0);
  const begin = Math.floor(Math.round((FRAME / 2 + 1 - moment / mass) * 1e6) / 1e6);
  return Math.min(FRAME - BOX, Math.max(0, begin));
}

/**
 * Draw strokes, each a list of {x, y} in sides of the pad, into a picture of 28x28 grey levels.
 * Lacks what the original has for drawings of more than 1,000 points.
 */
export function strokesToImage(strokes) {
  const points = strokes.flat();
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (BOX - PEN_WIDTH - (SOFTNESS - 1)) / Math.max(right - left, bottom - top, LEAST_SIDE);
  const fit = ({ x, y }) => ({
    x: (x - (left + right) / 2) * scale + BOX / 2,
    y: (y - (top + bottom) / 2) * scale + BOX / 2,
  });
  const squared = new Float64Array(BOX * BOX).fill(Infinity);
  const reach = (PEN_WIDTH + SOFTNESS) / 2;
  for (const stroke of strokes) {
    const line = stroke.map(fit);
    const segments = line.length > 1 ? line.slice(1).map((to, i) => [line[i], to]) : [[line[0], line[0]]];
    for (const segment of segments) {
      const [from, to] = segment;
      const first = ({ a, b }) => Math.max(0, Math.floor(Math.min(a, b) - reach));
      const last = ({ a, b }) => Math.min(BOX - 1, Math.ceil(Math.max(a, b) + reach));
      const [across, down] = [{ a: from.x, b: to.x }, { a: from.y, b: to.y }];
      for (let row = first(down); row <= last(down); row++) {
        for (let column = first(across); column <= last(across); column++) {
          const index = row * BOX + column;
          squared[index] = Math.min(squared[index], squaredDistance(column + 0.5, row + 0.5, segment));
        }
      }
    }
  }
  const box = squared.map((d) => Math.min(1, Math.max(0, 0.5 + (PEN_WIDTH / 2 - Math.sqrt(d)) / SOFTNESS)));
  const peak = Math.max(...box) || 1;
  const [columns, rows] = [Array(BOX).fill(0), Array(BOX).fill(0)];
  box.forEach((value, index) => {
    columns[index % BOX] += value / peak;
    rows[Math.floor(index / BOX)] += value / peak;
  });
  const [x, y] = [offset(columns), offset(rows)];
  const image = new Float32Array(FRAME * FRAME);
  box.forEach((value, index) => {
    image[(y + Math.floor(index / BOX)) * FRAME + x + (index % BOX)] = value / peak;
  });
  return image;
}
