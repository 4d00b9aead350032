/** Growing lists of one entry a cell; a cell's children follow it, so that a loop over the cells goes down the tree and a reversed one up. */
interface Cells {
  /** First point, and the one past the last. */
  readonly from: number[];
  readonly to: number[];
  /** The first of two neighbouring children, 0 in a leaf. */
  readonly child: number[];
  readonly re: number[];
  readonly im: number[];
  readonly radius: number[];
}

/**
 * A binary tree over points of the complex plane: every cell is the smallest box around its points, cut in the middle of its longer side.
 * Both halves hold points, so that there are fewer than twice as many cells as points however unevenly these lie. Any two such trees
 * split all pairs of points into O(points) pairs of well separated or small cells.
 * Source: the fair split tree of Callahan and Kosaraju, "A decomposition of multidimensional point sets", J. ACM 42 (1995).
 */
export class PointTree {
  /** Coordinates, cell after cell. */
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** Where each of them stood in the argument. */
  readonly order: Int32Array;
  readonly cells: Cells = { from: [], to: [], child: [], re: [], im: [], radius: [] };

  /** @param points [count, 2], finite; @param leafSize cells of no more points are not cut */
  constructor(points: ArrayLike<number>, leafSize: number) {
    const count = points.length / 2;
    this.re = Float64Array.from({ length: count }, (_, i) => points[2 * i]!);
    this.im = Float64Array.from({ length: count }, (_, i) => points[2 * i + 1]!);
    this.order = Int32Array.from({ length: count }, (_, i) => i);
    this.#addCell(0, count);
    for (let cell = 0; cell < this.cells.from.length; cell++) this.#cut(cell, leafSize);
  }

  get count(): number {
    return this.re.length;
  }

  #addCell(from: number, to: number): void {
    const { cells } = this;
    cells.from.push(from);
    cells.to.push(to);
    cells.child.push(0);
    cells.re.push(0);
    cells.im.push(0);
    cells.radius.push(0);
  }

  /** Gives a cell its box and, where it holds too many points, its children. */
  #cut(cell: number, leafSize: number): void {
    const { cells } = this;
    const [from, to] = [cells.from[cell]!, cells.to[cell]!];
    const [reMin, reMax] = range(this.re, from, to);
    const [imMin, imMax] = range(this.im, from, to);
    cells.re[cell] = (reMin + reMax) / 2;
    cells.im[cell] = (imMin + imMax) / 2;
    // A floor keeps powers of 1 / radius finite; any radius that is not too small serves.
    cells.radius[cell] = Math.max(
      Math.hypot(reMax - reMin, imMax - imMin) / 2,
      2 ** -40 * Math.max(Math.abs(reMax), Math.abs(imMax)),
      1e-60,
    );
    const [along, low, high] = reMax - reMin > imMax - imMin ? [this.re, reMin, reMax] : [this.im, imMin, imMax];
    if (to - from <= leafSize || low === high) return;
    const middle = (low + high) / 2;
    const first = this.#partition(along, middle < high ? middle : low, from, to);
    cells.child[cell] = cells.from.length;
    this.#addCell(from, first);
    this.#addCell(first, to);
  }

  /** Moves the points up to `limit` before the others; returns where those begin. */
  #partition(along: Float64Array, limit: number, from: number, to: number): number {
    const { re, im, order } = this;
    let [low, high] = [from, to - 1];
    for (;;) {
      while (low <= high && along[low]! <= limit) low++;
      while (low <= high && along[high]! > limit) high--;
      if (low > high) return low;
      swap(re, low, high);
      swap(im, low, high);
      swap(order, low, high);
    }
  }
}

function range(values: Float64Array, from: number, to: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function swap(values: Float64Array | Int32Array, i: number, j: number): void {
  const value = values[i]!;
  values[i] = values[j]!;
  values[j] = value;
}
