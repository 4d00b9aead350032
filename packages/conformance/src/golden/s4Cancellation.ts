import {
  complexAbs,
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexMul,
  complexScale,
  complexSub,
  type Complex,
} from "@statespace/core/math";
import type { GoldenCase } from "./goldenCase.ts";
import { largest } from "./inputs.ts";

/**
 * How many times larger than the filter the sums are that S4's Woodbury correction takes from each other, as a mean over the roots of
 * unity (so that it bounds a tap): computed in float64 from the case's own weights. HiPPO-FouT starts with Re A = -1e-4, where every
 * sum is dominated by a pole beside the node and thousands of times its difference; rounding the sums in float32 then costs that much.
 */
export function woodburyCancellation({ tensors }: GoldenCase, l: number): number {
  const weight = (name: string): Complex[] => pairs(tensors[`param.layer.kernel.${name}`]!.data);
  const real = (name: string): ArrayLike<number> => tensors[`param.layer.kernel.${name}`]!.data;
  const [, h, n] = tensors["param.layer.kernel.C"]!.shape as [number, number, number];
  const rank = tensors["param.layer.kernel.P"]!.shape[0]!;
  const shared = tensors["param.layer.kernel.P"]!.shape[1]!; // systems that the channels share
  const [B, C, P] = [weight("B"), weight("C"), weight("P")];
  const peak = largest(tensors["out.K"]!.data);
  let worst = 0;
  for (let c = 0; c < h; c++) {
    const s = c % shared;
    const row = (all: readonly Complex[], i: number): Complex[] => all.slice(i * n, (i + 1) * n);
    const delta = Math.exp(real("inv_dt")[c]!);
    const poles = Array.from({ length: n }, (_, k) => ({
      re: -delta * Math.exp(real("A_real")[s * n + k]!),
      im: -delta * real("A_imag")[s * n + k]!,
    }));
    const rows = Array.from({ length: rank }, (_, r) => row(P, r * shared + s));
    const left = [row(B, s), ...rows];
    const right = [row(C, c), ...rows.map((p) => p.map(complexConj))];
    let total = 0;
    for (let k = 0; k < l / 2; k++) total += largestTerm(left, right, poles, delta, Math.tan((Math.PI * k) / l));
    worst = Math.max(worst, (2 * total) / l);
  }
  return worst / peak;
}

function pairs(data: ArrayLike<number>): Complex[] {
  return Array.from({ length: data.length / 2 }, (_, i) => complexAt(data, i));
}

/** The largest of C R B and the terms that are taken from it, at the node 2 i tan, times |2 / (1 + omega)|. */
function largestTerm(
  left: readonly Complex[][],
  right: readonly Complex[][],
  poles: readonly Complex[],
  delta: number,
  tan: number,
): number {
  const z = { re: 0, im: 2 * tan };
  const forms = left.map((a) => right.map((b) => resolventSum(a, b, poles, delta, z)));
  let largest = complexAbs(forms[0]![0]!);
  for (let p = 1; p < left.length; p++) {
    const pivot = complexAdd({ re: 1, im: 0 }, forms[p]![p]!);
    const row = forms[p]!.map((value) => complexDiv(value, pivot));
    const column = forms.map((values) => values[p]!);
    forms.forEach((values, i) =>
      values.forEach((value, j) => {
        const term = complexMul(column[i]!, row[j]!);
        if (i === 0 && j === 0) largest = Math.max(largest, complexAbs(term));
        values[j] = complexSub(value, term);
      }),
    );
  }
  return largest * Math.hypot(1, tan);
}

function resolventSum(
  a: readonly Complex[],
  b: readonly Complex[],
  poles: readonly Complex[],
  delta: number,
  z: Complex,
): Complex {
  return poles.reduce<Complex>(
    (sum, pole, k) => {
      const weight = complexScale(complexMul(a[k]!, b[k]!), delta);
      return complexAdd(
        sum,
        complexAdd(
          complexDiv(weight, complexSub(z, pole)),
          complexDiv(complexConj(weight), complexSub(z, complexConj(pole))),
        ),
      );
    },
    { re: 0, im: 0 },
  );
}
