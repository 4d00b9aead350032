import { tensor, valueAndGrads } from "@statespace/core";
import { ParameterBuilder, s5Config, S5Mixer, type S5Config } from "@statespace/models";
import type { GoldenCase } from "./goldenCase.ts";
import { expectedOf, inputArrays, largest, toTensor, U32 } from "./inputs.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

/** Roundings of one output: discretization, two projections of h and p terms; and for each token one of ABar's, which every state behind it carries on. */
const FORWARD = { base: 32, perToken: 1 };
/** The same for a gradient, a sum over all tokens that ran through the recurrence back and forth. Observed on the CPU: a third of it. */
const BACKWARD = { base: 64, perToken: 8 };

/** Golden group `s5`: y and the gradients of the input and of every parameter. */
export async function compareS5(golden: GoldenCase): Promise<GoldenRow[]> {
  const { u, gradY } = inputArrays(golden);
  const [l, h] = u!.shape as [number, number];
  const { stateSize, ...settings } = golden.attrs as {
    stateSize: number;
    blocks: number;
    discretization: S5Config["discretization"];
    bidirectional: boolean;
    stepRescale: number;
    conjSym: boolean;
  };
  const config = s5Config(h, { ...settings, dState: stateSize, activation: "none" });
  const mixer = new S5Mixer(config, new ParameterBuilder(undefined));
  try {
    for (const parameter of mixer.parameters)
      parameter.assign(Float32Array.from(expectedOf(golden, `param.${parameter.name}`)));
    const x = tensor(Float32Array.from(u!.data), [1, l, h]);
    const dy = toTensor({ ...gradY!, shape: [1, l, h] });
    const { value, grads } = valueAndGrads(() => mixer.forward(x).y, [x, ...mixer.parameters.map((p) => p.value)], dy);
    const rows = [row("y", await take(value), expectedOf(golden, "out.y"), FORWARD, l)];
    for (const [i, name] of ["u", ...mixer.parameters.map((p) => p.name)].entries()) {
      rows.push(row(`grad.${name}`, await take(grads[i]!), expectedOf(golden, `out.grad.${name}`), BACKWARD, l));
    }
    x.dispose();
    dy.dispose();
    return rows;
  } finally {
    mixer.dispose();
    for (const parameter of mixer.parameters) parameter.dispose();
  }
}

function row(
  name: string,
  actual: Float64Array,
  expected: Float64Array,
  { base, perToken }: { base: number; perToken: number },
  l: number,
): GoldenRow {
  const roundings = base + perToken * l;
  return {
    tensor: name,
    actual,
    expected,
    bound: roundings * U32 * largest(expected),
    reason: `${base} + ${perToken} l = ${roundings} roundings of the largest entry: those of the projections, and of ABar over l tokens`,
  };
}
