import { AdamW, readFloats, valueAndGrads, type Parameter, type Tensor } from "@statespace/core";
import type { GoldenCase } from "./goldenCase.ts";
import { expectedOf } from "./inputs.ts";
import type { GoldenRow } from "./row.ts";

/** Rounding differences grow along a training run. */
const LOSS_RELATIVE = 1e-4;

/** The losses of a run of AdamW, `out.adamwLosses`, whose settings stand in the file's attributes; trains the parameters. */
export async function lossesRow(
  golden: GoldenCase,
  parameters: readonly Parameter[],
  loss: () => Tensor,
): Promise<GoldenRow> {
  const expected = expectedOf(golden, "out.adamwLosses");
  const { lr, betas, eps, weightDecay } = golden.attrs as {
    lr: number;
    betas: [number, number];
    eps: number;
    weightDecay: number;
  };
  const settings = { learningRate: lr, beta1: betas[0], beta2: betas[1], eps, weightDecay, decayAll: true };
  const optimizer = new AdamW(parameters, settings);
  const actual: number[] = [];
  for (let step = 0; step < expected.length; step++) {
    const { value, grads } = valueAndGrads(
      loss,
      optimizer.parameters.map((parameter) => parameter.value),
    );
    actual.push((await readFloats(value))[0]!);
    optimizer.step(grads);
    for (const t of [value, ...grads]) t?.dispose();
  }
  optimizer.dispose();
  return {
    tensor: "adamwLosses",
    actual: Float64Array.from(actual),
    expected,
    bound: expected.map((x) => LOSS_RELATIVE * Math.abs(x)),
    reason: "1e-4 relative: each side is float32, and differences grow along the run",
  };
}
