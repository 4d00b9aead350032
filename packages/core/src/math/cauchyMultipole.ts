import { CauchyExpansions } from "./cauchyExpansions.ts";
import { PointTree } from "./pointTree.ts";

/** Where the sums go: interleaved (re, im), in the order of the nodes' points. */
export interface CauchySums {
  /** sum_j a_j / (z - w_j). */
  readonly values: Float64Array; // [nodes, 2]
  /** Its derivative by z. */
  readonly slopes?: Float64Array; // [nodes, 2]
}

/** Cells are apart where the radius of each is at most this times the distance from its centre to the other one's disc. */
const SEPARATION = 1 / 3;

/**
 * Coefficients of a series, for values and for slopes. With x = SEPARATION a series cut after p terms misses at most
 * 2 x^p (1 + t) / (1 - t) of a term's size, t = 2 x / (1 + x): 6 * 3^-17 < 2^-24. A slope misses p / x times as much: 21 terms.
 */
const ORDER = { values: 17, slopes: 21 };

/** Points in a cell that is not cut further: what a series costs to fill and to read weighs against the sums between neighbours. */
const LEAF_SIZE = 24;

/** A tree for `CauchyMultipole`, over poles or nodes; it may serve any number of sums. @param points [count, 2], finite */
export function cauchyTree(points: ArrayLike<number>): PointTree {
  return new PointTree(points, LEAF_SIZE);
}

/**
 * Sums y_t = sum_j a_j / (z_t - w_j) over all poles w_j at all nodes z_t in O(poles + nodes) operations, beyond the O(n log n) of
 * their trees: distant groups act through series, only neighbours term by term. Both sets lie anywhere in the complex plane.
 * Relative to sum_j |a_j / (z_t - w_j)| the error stays below 2^-24, float32's rounding; it is far smaller on average.
 * Source: the fast multipole method, Greengard and Rokhlin (1987), with cells paired as in Callahan and Kosaraju (1995). S4
 * (arXiv 2111.00396, theorem 3) rests on such a sum.
 */
export class CauchyMultipole {
  /** Complex multiplications that one `sum` takes, counted off the pairs it goes through. */
  readonly work: number;
  readonly #poles: PointTree;
  readonly #nodes: PointTree;
  readonly #series: CauchyExpansions;
  /** Pairs (cell of poles, cell of nodes), summed directly and through series. */
  readonly #near: number[] = [];
  readonly #far: number[] = [];

  constructor(poles: PointTree, nodes: PointTree, slopes = false) {
    this.#poles = poles;
    this.#nodes = nodes;
    const p = slopes ? ORDER.slopes : ORDER.values;
    this.#series = new CauchyExpansions(p);
    const direct = this.#pair((p * p) / 2);
    const cells = poles.cells.from.length + nodes.cells.from.length;
    this.work =
      direct +
      (this.#far.length > 0
        ? (this.#far.length / 2) * (p * p) + p * (poles.count + nodes.count) + (cells * p * p) / 2
        : 0);
  }

  /** @param weights [poles, 2], in the order of the poles' points */
  sum(weights: ArrayLike<number>, into: CauchySums): void {
    const { order, count } = this.#poles;
    const a = new Float64Array(2 * count);
    for (let i = 0; i < count; i++) {
      a[2 * i] = weights[2 * order[i]!]!;
      a[2 * i + 1] = weights[2 * order[i]! + 1]!;
    }
    const sums = new Float64Array((into.slopes ? 4 : 2) * this.#nodes.count);
    for (let i = 0; i < this.#near.length; i += 2) this.#sumNear(a, sums, this.#near[i]!, this.#near[i + 1]!);
    if (this.#far.length > 0) this.#readSeries(this.#translate(this.#gather(a)), sums, into.slopes !== undefined);
    this.#scatter(sums, into);
  }

  /** Walks both trees from their roots; returns the number of terms that are left to direct sums. A series pays from `few` terms on. */
  #pair(few: number): number {
    const [w, z] = [this.#poles.cells, this.#nodes.cells];
    const stack = this.#poles.count > 0 && this.#nodes.count > 0 ? [0, 0] : [];
    let direct = 0;
    while (stack.length > 0) {
      const node = stack.pop()!;
      const pole = stack.pop()!;
      const terms = (w.to[pole]! - w.from[pole]!) * (z.to[node]! - z.from[node]!);
      const [a, b] = [w.radius[pole]!, z.radius[node]!];
      const distance = Math.hypot(w.re[pole]! - z.re[node]!, w.im[pole]! - z.im[node]!);
      const [childOfPole, childOfNode] = [w.child[pole]!, z.child[node]!];
      if (terms <= few || (childOfPole === 0 && childOfNode === 0)) {
        this.#near.push(pole, node);
        direct += terms;
      } else if (Math.max(a + SEPARATION * b, b + SEPARATION * a) <= SEPARATION * distance) {
        this.#far.push(pole, node);
      } else if (childOfNode === 0 || (childOfPole !== 0 && a > b)) {
        stack.push(childOfPole, node, childOfPole + 1, node);
      } else {
        stack.push(pole, childOfNode, pole, childOfNode + 1);
      }
    }
    return direct;
  }

  #sumNear(a: Float64Array, sums: Float64Array, pole: number, node: number): void {
    const { re, im, cells } = this.#poles;
    const from = cells.from[pole]!;
    const to = cells.to[pole]!;
    const { re: zRe, im: zIm, cells: groups, count } = this.#nodes;
    const slopes = sums.length > 2 * count;
    for (let t = groups.from[node]!; t < groups.to[node]!; t++) {
      if (slopes) addTermsAndSlopes(sums, t, count, a, re, im, from, to, zRe[t]!, zIm[t]!);
      else addTerms(sums, t, a, re, im, from, to, zRe[t]!, zIm[t]!);
    }
  }

  /** The multipole of every cell of poles, leaves first. */
  #gather(a: Float64Array): Float64Array {
    const { re, im, cells } = this.#poles;
    const series = this.#series;
    const width = 2 * series.p;
    const multipoles = new Float64Array(width * cells.from.length);
    for (let cell = cells.from.length - 1; cell >= 0; cell--) {
      const [x, y, radius, child] = [cells.re[cell]!, cells.im[cell]!, cells.radius[cell]!, cells.child[cell]!];
      if (child === 0) {
        for (let j = cells.from[cell]!; j < cells.to[cell]!; j++)
          series.addPole(
            multipoles,
            width * cell,
            (re[j]! - x) / radius,
            (im[j]! - y) / radius,
            a[2 * j]!,
            a[2 * j + 1]!,
          );
      } else {
        for (const c of [child, child + 1])
          series.raise(
            multipoles,
            width * cell,
            multipoles,
            width * c,
            (cells.re[c]! - x) / radius,
            (cells.im[c]! - y) / radius,
            cells.radius[c]! / radius,
          );
      }
    }
    return multipoles;
  }

  /** The Taylor series of every cell of nodes, from all poles that are apart from it; the root's first. */
  #translate(multipoles: Float64Array): Float64Array {
    const [w, z] = [this.#poles.cells, this.#nodes.cells];
    const series = this.#series;
    const width = 2 * series.p;
    const local = new Float64Array(width * z.from.length);
    for (let i = 0; i < this.#far.length; i += 2) {
      const [pole, node] = [this.#far[i]!, this.#far[i + 1]!];
      series.translate(
        local,
        width * node,
        multipoles,
        width * pole,
        z.re[node]! - w.re[pole]!,
        z.im[node]! - w.im[pole]!,
        z.radius[node]!,
        w.radius[pole]!,
      );
    }
    for (let cell = 0; cell < z.from.length; cell++) {
      const child = z.child[cell]!;
      if (child === 0) continue;
      const [x, y, radius] = [z.re[cell]!, z.im[cell]!, z.radius[cell]!];
      for (const c of [child, child + 1])
        series.lower(
          local,
          width * c,
          local,
          width * cell,
          (z.re[c]! - x) / radius,
          (z.im[c]! - y) / radius,
          z.radius[c]! / radius,
        );
    }
    return local;
  }

  /** Adds the leaves' series, and their derivatives, at each node: Horner's scheme. */
  #readSeries(local: Float64Array, sums: Float64Array, slopes: boolean): void {
    const { re, im, cells, count } = this.#nodes;
    const width = 2 * this.#series.p;
    for (let cell = 0; cell < cells.from.length; cell++) {
      if (cells.child[cell] !== 0) continue;
      const radius = cells.radius[cell]!;
      for (let t = cells.from[cell]!; t < cells.to[cell]!; t++) {
        const [x, y] = [(re[t]! - cells.re[cell]!) / radius, (im[t]! - cells.im[cell]!) / radius];
        let [sumRe, sumIm, slopeRe, slopeIm] = [0, 0, 0, 0];
        for (let m = width * (cell + 1) - 2; m >= width * cell; m -= 2) {
          if (slopes) [slopeRe, slopeIm] = [slopeRe * x - slopeIm * y + sumRe, slopeRe * y + slopeIm * x + sumIm];
          const next = sumRe * x - sumIm * y + local[m]!;
          sumIm = sumRe * y + sumIm * x + local[m + 1]!;
          sumRe = next;
        }
        sums[2 * t]! += sumRe;
        sums[2 * t + 1]! += sumIm;
        if (slopes) {
          sums[2 * (count + t)]! += slopeRe / radius;
          sums[2 * (count + t) + 1]! += slopeIm / radius;
        }
      }
    }
  }

  #scatter(sums: Float64Array, { values, slopes }: CauchySums): void {
    const { order, count } = this.#nodes;
    for (let i = 0; i < count; i++) {
      const to = 2 * order[i]!;
      values[to] = sums[2 * i]!;
      values[to + 1] = sums[2 * i + 1]!;
      if (slopes) {
        slopes[to] = sums[2 * (count + i)]!;
        slopes[to + 1] = sums[2 * (count + i) + 1]!;
      }
    }
  }
}

/** Adds the terms of poles from..to at the node x + i y. No arrays or objects here: this is where the time goes. */
function addTerms(
  sums: Float64Array,
  t: number,
  a: Float64Array,
  re: Float64Array,
  im: Float64Array,
  from: number,
  to: number,
  x: number,
  y: number,
): void {
  let sumRe = 0;
  let sumIm = 0;
  for (let j = from; j < to; j++) {
    const dRe = x - re[j]!;
    const dIm = y - im[j]!;
    const scale = 1 / (dRe * dRe + dIm * dIm);
    sumRe += (a[2 * j]! * dRe + a[2 * j + 1]! * dIm) * scale;
    sumIm += (a[2 * j + 1]! * dRe - a[2 * j]! * dIm) * scale;
  }
  sums[2 * t]! += sumRe;
  sums[2 * t + 1]! += sumIm;
}

function addTermsAndSlopes(
  sums: Float64Array,
  t: number,
  count: number,
  a: Float64Array,
  re: Float64Array,
  im: Float64Array,
  from: number,
  to: number,
  x: number,
  y: number,
): void {
  let sumRe = 0;
  let sumIm = 0;
  let slopeRe = 0;
  let slopeIm = 0;
  for (let j = from; j < to; j++) {
    const dRe = x - re[j]!;
    const dIm = y - im[j]!;
    const scale = 1 / (dRe * dRe + dIm * dIm);
    const termRe = (a[2 * j]! * dRe + a[2 * j + 1]! * dIm) * scale;
    const termIm = (a[2 * j + 1]! * dRe - a[2 * j]! * dIm) * scale;
    sumRe += termRe;
    sumIm += termIm;
    slopeRe -= (termRe * dRe + termIm * dIm) * scale;
    slopeIm -= (termIm * dRe - termRe * dIm) * scale;
  }
  sums[2 * t]! += sumRe;
  sums[2 * t + 1]! += sumIm;
  sums[2 * (count + t)]! += slopeRe;
  sums[2 * (count + t) + 1]! += slopeIm;
}
