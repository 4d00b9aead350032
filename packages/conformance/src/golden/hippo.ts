import { ArgumentError } from "@statespace/core";
import {
  backwardEuler,
  bilinear,
  forwardEuler,
  zeroOrderHold,
  type Discretization,
} from "@statespace/core/discretization";
import { makeHippo, type HippoMatrices, type HippoMeasure } from "@statespace/core/hippo";
import { invertMatrix, Matrix } from "@statespace/core/math";
import type { GoldenRow, GoldenTensors } from "./row.ts";

const EPS = 2 ** -52;

/** scipy's method name -> our rule and its alpha, where it solves with I - alpha delta A. */
const rules: Record<string, { rule: Discretization; alpha: number }> = {
  zoh: { rule: zeroOrderHold, alpha: 0 },
  bilinear: { rule: bilinear, alpha: 1 / 2 },
  euler: { rule: forwardEuler, alpha: 0 },
  backward_diff: { rule: backwardEuler, alpha: 1 },
};

/**
 * Golden group `hippo`: `out.A`, `out.B` of a measure and `out.METHOD.STEP.A|B` of its discretizations (scipy.signal.cont2discrete).
 * attrs: measure, n.
 * @throws ArgumentError on a tensor whose name this group does not have.
 */
export function compareHippo(tensors: GoldenTensors, attrs: Record<string, unknown>): GoldenRow[] {
  const system = makeHippo(attrs["measure"] as HippoMeasure, Number(attrs["n"]));
  return Object.entries(tensors).map(([tensor, { data }]) => {
    const expected = Float64Array.from(data);
    const parts = tensor.split(".");
    const which = parts.at(-1);
    if (parts[0] !== "out" || (which !== "A" && which !== "B"))
      throw new ArgumentError(`hippo: unknown golden tensor ${tensor}`);
    if (parts.length === 2) return { tensor, actual: system[which].data, expected, ...matrixBound(expected) };
    const step = parts.slice(2, -1).join("."); // the step's own decimal point splits too
    return { tensor, expected, ...discretized(system, parts[1], Number(step), which, expected) };
  });
}

function matrixBound(expected: Float64Array): { bound: number; reason: string } {
  return {
    bound: 4 * EPS * largest(expected),
    reason: "4 roundings of the largest entry: two roots and a product against T M T^-1",
  };
}

function discretized(
  { A, B }: HippoMatrices,
  method: string,
  delta: number,
  which: "A" | "B",
  expected: Float64Array,
): Pick<GoldenRow, "actual" | "bound" | "reason"> {
  const entry = rules[method];
  if (!entry) throw new ArgumentError(`hippo: unknown discretization ${method}`);
  const { ABar, BBar } = entry.rule.dense(A, B, delta);
  const actual = (which === "A" ? ABar : BBar).data;
  const n = A.rows;
  if (method === "zoh") {
    const norm = A.scaled(delta).norm1();
    return {
      actual,
      bound: 8 * EPS * (n + norm) * largest(expected),
      reason:
        "scaling and squaring: products of n terms, and s squarings amplify a rounding 2^s ~ |delta A|_1 times, in both codes",
    };
  }
  const implicit = Matrix.identity(n).plus(A, -entry.alpha * delta);
  const condition = entry.alpha === 0 ? 1 : implicit.norm1() * invertMatrix(implicit).norm1();
  return {
    actual,
    bound: 4 * EPS * (n + condition) * largest(expected),
    reason:
      "a solve by elimination: n roundings a sum, and the data's own rounding times the condition of I - alpha delta A",
  };
}

function largest(values: Float64Array): number {
  return values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}
