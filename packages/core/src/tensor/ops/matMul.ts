import { ShapeError } from "../../errors.ts";
import { unbroadcast } from "./arithmetic.ts";
import { tidy } from "../create.ts";
import { reshape } from "./movement.ts";
import { expectDType, one, show } from "./rules.ts";
import type { Tensor } from "../types.ts";

/**
 * Matrix product over the last two axes; leading axes broadcast when one side has none or a product of 1.
 * @throws ShapeError when the inner extents differ.
 */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  expectDType("matMul", "a", a, "float32");
  expectDType("matMul", "b", b, "float32");
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(`matMul: a and b must be matrices, got ${show(a.shape)} and ${show(b.shape)}`);
  const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
  const [inner, n] = transposeB ? [colsB, rowsB] : [rowsB, colsB];
  if (k !== inner)
    throw new ShapeError(
      `matMul: inner extents differ: a ${show(a.shape)}${transposeA ? "^T" : ""}, b ${show(b.shape)}${transposeB ? "^T" : ""}`,
    );
  const leadA = a.shape.slice(0, -2);
  const leadB = b.shape.slice(0, -2);
  const countA = leadA.reduce((x, y) => x * y, 1);
  const countB = leadB.reduce((x, y) => x * y, 1);
  if (countA !== countB && countA !== 1 && countB !== 1)
    throw new ShapeError(`matMul: leading axes do not fit: a ${show(a.shape)}, b ${show(b.shape)}`);
  const lead = countA === 1 && countB !== 1 ? leadB : leadB.length > leadA.length && countA === countB ? leadB : leadA;
  return tidy(() => {
    const y = matMul3(reshape(a, [countA, rowsA, colsA]), reshape(b, [countB, rowsB, colsB]), transposeA, transposeB);
    return reshape(y, [...lead, m, n]);
  });
}

function matMul3(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  return one("matMul", { a, b }, { transposeA, transposeB }, () => ({
    save: [a, b],
    backward: ([dy], [x, y]) => {
      const dx = transposeA ? matMul3(y!, dy!, transposeB, true) : matMul3(dy!, y!, false, !transposeB);
      const dyy = transposeB ? matMul3(dy!, x!, true, transposeA) : matMul3(x!, dy!, !transposeA, false);
      return { a: unbroadcast(dx, a.shape), b: unbroadcast(dyy, b.shape) };
    },
  }));
}
