import { ShapeError } from "../errors.ts";
import { ndarray } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { show } from "./axes.ts";
import { unbroadcast } from "./binary.ts";
import { defineOp } from "./defineOp.ts";
import { reshape } from "./movement.ts";
import type { Shaped } from "./shapes.ts";

interface Turned {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Batch, rows, inner extent and columns of a product. */
function extents({ a, b }: { readonly a: Pick<Shaped, "shape">; readonly b: Pick<Shaped, "shape"> }, turned: Turned) {
  const [batchA, rowsA, colsA] = a.shape as [number, number, number];
  const [batchB, rowsB, colsB] = b.shape as [number, number, number];
  return {
    batch: Math.max(batchA, batchB),
    m: turned.transposeA ? colsA : rowsA,
    k: turned.transposeA ? rowsA : colsA,
    inner: turned.transposeB ? colsB : rowsB,
    n: turned.transposeB ? rowsB : colsB,
  };
}

const matMulOp = defineOp({
  name: "matMul",
  inputs: { a: "ba ma ka", b: "bb kb nb" },
  attrs: { transposeA: false, transposeB: false },
  outputs: {
    y: (inputs: { a: Shaped; b: Shaped }, turned: Turned) => {
      const { batch, m, n } = extents(inputs, turned);
      return [batch, m, n];
    },
  },
  differentiable: ["a", "b"],
  gradient: {
    save: ["a", "b"],
    backward: ({ saved: { a, b }, dy, shapes, attrs: { transposeA, transposeB } }) => {
      const da = transposeA ? product(b!, dy, transposeB, true) : product(dy, b!, false, !transposeB);
      const db = transposeB ? product(dy, a!, true, transposeA) : product(a!, dy, !transposeA, false);
      return { a: unbroadcast(da, shapes["a"]!), b: unbroadcast(db, shapes["b"]!) };
    },
  },
  reference: ({ a, b }, turned) => {
    const { batch, m, k, n } = extents({ a, b }, turned);
    const y = new Float64Array(batch * m * n);
    for (let i = 0; i < y.length; i++) {
      const [at, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n] as const;
      const fromA = (a.shape[0] === 1 ? 0 : at) * m * k;
      const fromB = (b.shape[0] === 1 ? 0 : at) * k * n;
      for (let j = 0; j < k; j++)
        y[i]! +=
          a.data[fromA + (turned.transposeA ? j * m + row : row * k + j)]! *
          b.data[fromB + (turned.transposeB ? column * k + j : j * n + column)]!;
    }
    return { y: ndarray([batch, m, n], y) };
  },
  empty: ({ a }, _, { y }) => ({ y: zeros(y!, { backend: a.backend }) }),
  cut: (inputs, turned) => {
    const { batch, m, n } = extents(inputs as { a: Shaped; b: Shaped }, turned);
    return {
      lead: [batch],
      inputs: ["a", "b"].filter((name) => inputs[name]!.shape[0] === batch),
      width: m * n,
    };
  },
  cost: ({ dims: { ba, bb, ma, ka, nb } }) => {
    const batch = Math.max(ba, bb);
    return { flops: 2 * batch * ma * ka * nb, bytes: 4 * (ba * ma * ka + bb * ka * nb + batch * ma * nb) };
  },
});

const product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
  matMulOp({ a, b }, { transposeA, transposeB }).y;

/**
 * Matrix product over the last two axes; leading axes broadcast when one side has none or a product of 1.
 * @throws ShapeError when the inner extents differ.
 */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(`matMul: a and b must be matrices, got ${show(a.shape)} and ${show(b.shape)}`);
  const leadA = a.shape.slice(0, -2);
  const leadB = b.shape.slice(0, -2);
  const countA = leadA.reduce((x, y) => x * y, 1);
  const countB = leadB.reduce((x, y) => x * y, 1);
  const flat = { a: { shape: [countA, ...a.shape.slice(-2)] }, b: { shape: [countB, ...b.shape.slice(-2)] } };
  const { m, k, inner, n } = extents(flat, { transposeA, transposeB });
  if (k !== inner)
    throw new ShapeError(
      `matMul: inner extents differ: a ${show(a.shape)}${transposeA ? "^T" : ""}, b ${show(b.shape)}${transposeB ? "^T" : ""}`,
    );
  if (countA !== countB && countA !== 1 && countB !== 1)
    throw new ShapeError(`matMul: leading axes do not fit: a ${show(a.shape)}, b ${show(b.shape)}`);
  const lead = countA === 1 && countB !== 1 ? leadB : leadB.length > leadA.length && countA === countB ? leadB : leadA;
  return tidy(() =>
    reshape(product(reshape(a, flat.a.shape), reshape(b, flat.b.shape), transposeA, transposeB), [...lead, m, n]),
  );
}
