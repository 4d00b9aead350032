/**
 * Series of sums of a_j / (z - w_j), p complex coefficients (re, im) each, around a centre c and in units of a radius r, so that no
 * power over- or underflows:
 *
 *     outside a cell of poles (a multipole):   sum_k M_k r^k / (z - c)^(k+1),   M_k = sum_j a_j ((w_j - c) / r)^k
 *     inside a cell of nodes (a Taylor series): sum_m L_m ((z - c) / r)^m
 *
 * Source: Greengard and Rokhlin, "A fast algorithm for particle simulations", J. Comput. Phys. 73 (1987), whose kernel log(z - w) is here
 * its derivative.
 */
export class CauchyExpansions {
  readonly p: number;
  /** C(k + m, k), [p, p]. */
  readonly #binomials: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(p: number) {
    this.p = p;
    this.#binomials = new Float64Array(p * p).fill(1);
    for (let m = 1; m < p; m++)
      for (let k = 1; k < p; k++)
        this.#binomials[m * p + k] = this.#binomials[m * p + k - 1]! + this.#binomials[(m - 1) * p + k]!;
    this.#re = new Float64Array(p);
    this.#im = new Float64Array(p);
  }

  /** Adds one pole at (x, y) = (w - c) / r to the multipole at `at`. */
  addPole(series: Float64Array, at: number, x: number, y: number, re: number, im: number): void {
    for (let k = at; k < at + 2 * this.p; k += 2) {
      series[k]! += re;
      series[k + 1]! += im;
      const next = re * x - im * y;
      im = re * y + im * x;
      re = next;
    }
  }

  /**
   * Adds a child's multipole to its parent's: with d = (c_child - c_parent) / r_parent = (x, y) and s = r_child / r_parent,
   * M_k += sum_i C(k, i) d^(k-i) s^i M_i, as p passes of c_(j+1) += d c_j.
   */
  raise(parent: Float64Array, to: number, child: Float64Array, from: number, x: number, y: number, s: number): void {
    const [re, im, p] = [this.#re, this.#im, this.p];
    for (let k = 0, scale = 1; k < p; k++, scale *= s) {
      re[k] = child[from + 2 * k]! * scale;
      im[k] = child[from + 2 * k + 1]! * scale;
    }
    for (let i = p - 2; i >= 0; i--) {
      for (let j = i; j < p - 1; j++) {
        re[j + 1]! += re[j]! * x - im[j]! * y;
        im[j + 1]! += re[j]! * y + im[j]! * x;
      }
    }
    for (let k = 0; k < p; k++) {
      parent[to + 2 * k]! += re[k]!;
      parent[to + 2 * k + 1]! += im[k]!;
    }
  }

  /** Adds a parent's Taylor series to its child's, by p passes of c_j += d c_(j+1): the transpose of `raise`. */
  lower(child: Float64Array, to: number, parent: Float64Array, from: number, x: number, y: number, s: number): void {
    const [re, im, p] = [this.#re, this.#im, this.p];
    for (let m = 0; m < p; m++) {
      re[m] = parent[from + 2 * m]!;
      im[m] = parent[from + 2 * m + 1]!;
    }
    for (let i = 0; i < p - 1; i++) {
      for (let j = p - 2; j >= i; j--) {
        re[j]! += re[j + 1]! * x - im[j + 1]! * y;
        im[j]! += re[j + 1]! * y + im[j + 1]! * x;
      }
    }
    for (let m = 0, scale = 1; m < p; m++, scale *= s) {
      child[to + 2 * m]! += re[m]! * scale;
      child[to + 2 * m + 1]! += im[m]! * scale;
    }
  }

  /**
   * Adds a multipole, as seen from a distant cell of nodes, to that cell's series. With R = c_nodes - c_poles = (x, y):
   * L_m += (-r_nodes / R)^m / R sum_k C(k + m, k) (r_poles / R)^k M_k.
   */
  translate(
    nodes: Float64Array,
    to: number,
    poles: Float64Array,
    from: number,
    x: number,
    y: number,
    rNodes: number,
    rPoles: number,
  ): void {
    const [re, im, p, binomials] = [this.#re, this.#im, this.p, this.#binomials];
    const square = x * x + y * y;
    const [inverseRe, inverseIm] = [x / square, -y / square];
    let [powerRe, powerIm] = [inverseRe, inverseIm]; // (r_poles / R)^k / R
    for (let k = 0; k < p; k++) {
      const [mRe, mIm] = [poles[from + 2 * k]!, poles[from + 2 * k + 1]!];
      re[k] = mRe * powerRe - mIm * powerIm;
      im[k] = mRe * powerIm + mIm * powerRe;
      const next = rPoles * (powerRe * inverseRe - powerIm * inverseIm);
      powerIm = rPoles * (powerRe * inverseIm + powerIm * inverseRe);
      powerRe = next;
    }
    [powerRe, powerIm] = [1, 0]; // (-r_nodes / R)^m
    for (let m = 0, at = 0; m < p; m++) {
      let [sumRe, sumIm] = [0, 0];
      for (let k = 0; k < p; k++, at++) {
        sumRe += binomials[at]! * re[k]!;
        sumIm += binomials[at]! * im[k]!;
      }
      nodes[to + 2 * m]! += sumRe * powerRe - sumIm * powerIm;
      nodes[to + 2 * m + 1]! += sumRe * powerIm + sumIm * powerRe;
      const next = -rNodes * (powerRe * inverseRe - powerIm * inverseIm);
      powerIm = -rNodes * (powerRe * inverseIm + powerIm * inverseRe);
      powerRe = next;
    }
  }
}
