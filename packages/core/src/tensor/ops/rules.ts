import { DTypeError, ShapeError } from "../../errors.ts";
import { runKernel, type GradientRule } from "../run.ts";
import type { DType, Tensor } from "../types.ts";

type Rule = (outputs: readonly Tensor[]) => GradientRule;

/** For ops whose derivative is zero wherever it exists (comparisons, rounding, indices). */
export const noGradient: Rule = () => ({ save: [], backward: () => ({}) });

export const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** @throws DTypeError unless the tensor has one of the dtypes. */
export function expectDType(op: string, argument: string, x: Tensor, ...dtypes: readonly DType[]): void {
  if (!dtypes.includes(x.dtype as DType))
    throw new DTypeError(`${op}: ${argument} must be ${dtypes.join(" or ")}, got ${x.dtype}`);
}

export function one(name: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>, rule: Rule): Tensor {
  return runKernel(name, inputs, attrs, rule)[0]!;
}

/** A unary op whose derivative is written with its input (`x`) or its output (`y`). */
export function unary(
  name: string,
  x: Tensor,
  of: "x" | "y",
  back: (dy: Tensor, saved: Tensor) => Tensor,
  ...also: readonly DType[]
): Tensor {
  expectDType(name, "x", x, "float32", ...also);
  return one(name, { x }, {}, ([y]) => ({
    save: [of === "x" ? x : y!],
    backward: ([dy], [saved]) => ({ x: back(dy!, saved!) }),
  }));
}

/** Axes counted from the end when negative, ascending. @throws ShapeError out of range or twice. */
export function normalAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  const given =
    axes === undefined ? Array.from({ length: rank }, (_, i) => i) : typeof axes === "number" ? [axes] : axes;
  const out = given.map((axis) => {
    const at = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(at) || at < 0 || at >= rank)
      throw new ShapeError(`${op}: axis ${axis} is not an axis of a tensor of rank ${rank}`);
    return at;
  });
  if (new Set(out).size !== out.length) throw new ShapeError(`${op}: axes must differ, got [${given.join(", ")}]`);
  return out.sort((a, b) => a - b);
}

/** Shape of the broadcast of two shapes. @throws ShapeError naming both. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(`${op}: a ${show(a)} and b ${show(b)} do not broadcast`);
    return x === 1 ? y : x;
  });
}
