import { DTypeError } from "../../errors.ts";
import { cast, div, equal, mul, sub } from "./arithmetic.ts";
import { tidy } from "../create.ts";
import { spread, sum } from "./movement.ts";
import { expectDType, noGradient, normalAxes, one } from "./rules.ts";
import type { Tensor } from "../types.ts";

/** Mean over axes (all by default). */
export function mean(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const count = normalAxes("mean", axes, x.shape.length).reduce((n, axis) => n * x.shape[axis]!, 1);
  expectDType("mean", "x", x, "float32");
  return tidy(() => mul(sum(x, axes, keepDims), 1 / count));
}

function extreme(
  name: "max" | "min",
  x: Tensor,
  axes: number | readonly number[] | undefined,
  keepDims: boolean,
): Tensor {
  const at = normalAxes(name, axes, x.shape.length);
  return one(name, { x }, { axes: at, keepDims }, ([y]) => ({
    save: [x, y!],
    backward: ([dy], [v, best]) => {
      const hit = cast(equal(v!, spread(best!, v!.shape, at)), "float32");
      return { x: mul(div(hit, spread(sum(hit, at), v!.shape, at)), spread(dy!, v!.shape, at)) };
    },
  }));
}

/** Largest over axes; ties share the gradient. */
export function max(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return extreme("max", x, axes, keepDims);
}

/** Smallest over axes; ties share the gradient. */
export function min(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return extreme("min", x, axes, keepDims);
}

/** Index of the largest along an axis, int32; the lowest index wins ties. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return one("argMax", { x }, { axis: normalAxes("argMax", axis, x.shape.length)[0] }, noGradient);
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  expectDType("softmax", "x", x, "float32");
  return one("softmax", { x }, {}, ([y]) => ({
    save: [y!],
    backward: ([dy], [p]) => {
      const weighted = mul(dy!, p!);
      return { x: sub(weighted, mul(p!, sum(weighted, -1, true))) };
    },
  }));
}

/** Running sum along an axis. */
export function cumsum(x: Tensor, axis = -1, options: { exclusive?: boolean; reverse?: boolean } = {}): Tensor {
  const [at] = normalAxes("cumsum", axis, x.shape.length);
  const exclusive = options.exclusive ?? false;
  const backwards = options.reverse ?? false;
  return one("cumsum", { x }, { axis: at, exclusive, reverse: backwards }, () => ({
    save: [],
    backward: ([dy]) => ({ x: cumsum(dy!, at, { exclusive, reverse: !backwards }) }),
  }));
}

/** 1 at the index, 0 elsewhere, along a new last axis. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  if (indices.dtype !== "int32") throw new DTypeError(`oneHot: indices must be int32, got ${indices.dtype}`);
  return one("oneHot", { indices }, { depth }, noGradient);
}
