import { CauchyMultipole, cauchyTree, type PointTree } from "@statespace/core/math";

/** Sizes of a call: rows, pairs of poles a row, nodes. */
export interface CauchySizes {
  readonly h: number;
  readonly n: number;
  readonly l: number;
}

/**
 * Terms for each pole or node beyond which the fast multipole method wins over the direct sum. Measured from 16 to 2048 pairs: one row of
 * 32 pairs and 8192 nodes (64 terms a point) is even, rows that share their poles win from 30 on; the gradients' direct loop takes
 * three to four times as long a term, and is beaten at 32 already by 3.5.
 */
const TERMS_PER_POINT = { forward: 60, backward: 20 };

/** Whether the fast method serves: large enough, and every point finite, since the others have no place in a tree. */
export function usesMultipole(
  pass: "forward" | "backward",
  { n, l }: CauchySizes,
  poles: Float32Array,
  nodes: Float32Array,
): boolean {
  return (
    2 * n * l > TERMS_PER_POINT[pass] * (2 * n + l) && poles.every(Number.isFinite) && nodes.every(Number.isFinite)
  );
}

/** `cauchy`, into `out` [h, l, 2]. */
export function multipoleForward(
  { h, n, l }: CauchySizes,
  weights: Float32Array,
  poles: Float32Array,
  nodes: Float32Array,
  out: Float32Array,
): void {
  const nodeTree = cauchyTree(nodes);
  const values = new Float64Array(2 * l);
  forEachPoles(poles, h, n, (poleTree, rows) => {
    const plan = new CauchyMultipole(poleTree, nodeTree);
    for (const row of rows) {
      plan.sum(withConjugates(weights.subarray(2 * n * row, 2 * n * (row + 1))), { values });
      out.set(values, 2 * l * row);
    }
  });
}

/**
 * The gradients, into `dV` and `dW` [h, n, 2]. With Phi(x) = sum_t conj(dy_t) / (x - z_t), where nodes and poles have changed places:
 * dv = -conj(Phi(w)) - Phi(conj(w)) and dw = -conj(v Phi'(w)) - conj(v) Phi'(conj(w)).
 */
export function multipoleBackward(
  sizes: CauchySizes,
  weights: Float32Array,
  poles: Float32Array,
  nodes: Float32Array,
  dy: Float32Array,
  dV: Float32Array,
  dW: Float32Array,
): void {
  const { h, n, l } = sizes;
  const nodeTree = cauchyTree(nodes);
  const [values, slopes] = [new Float64Array(4 * n), new Float64Array(4 * n)];
  forEachPoles(poles, h, n, (poleTree, rows) => {
    const plan = new CauchyMultipole(nodeTree, poleTree, true);
    for (const row of rows) {
      plan.sum(
        dy.subarray(2 * l * row, 2 * l * (row + 1)).map((part, i) => (i % 2 === 0 ? part : -part)),
        { values, slopes },
      );
      for (let i = 0; i < 2 * n; i += 2) {
        const at = 2 * n * row + i;
        const mirrored = 2 * n + i;
        dV[at] = -values[i]! - values[mirrored]!;
        dV[at + 1] = values[i + 1]! - values[mirrored + 1]!;
        const [re, im] = [weights[at]!, weights[at + 1]!];
        dW[at] = im * (slopes[i + 1]! - slopes[mirrored + 1]!) - re * (slopes[i]! + slopes[mirrored]!);
        dW[at + 1] = im * (slopes[i]! + slopes[mirrored]!) + re * (slopes[i + 1]! - slopes[mirrored + 1]!);
      }
    }
  });
}

/** Calls `use` with the tree of each different row of poles and the rows that have it: S4's four sums of a channel share their poles. */
function forEachPoles(
  poles: Float32Array,
  h: number,
  n: number,
  use: (tree: PointTree, rows: readonly number[]) => void,
): void {
  const rowsOf = new Map<string, number[]>();
  for (let row = 0; row < h; row++) {
    const key = poles.subarray(2 * n * row, 2 * n * (row + 1)).join();
    const rows = rowsOf.get(key);
    if (rows) rows.push(row);
    else rowsOf.set(key, [row]);
  }
  for (const rows of rowsOf.values())
    use(cauchyTree(withConjugates(poles.subarray(2 * n * rows[0]!, 2 * n * (rows[0]! + 1)))), rows);
}

/** One half of conjugate pairs, then the other. */
function withConjugates(half: Float32Array): Float64Array {
  const all = new Float64Array(2 * half.length);
  all.set(half);
  for (let i = 0; i < half.length; i += 2) {
    all[half.length + i] = half[i]!;
    all[half.length + i + 1] = -half[i + 1]!;
  }
  return all;
}
