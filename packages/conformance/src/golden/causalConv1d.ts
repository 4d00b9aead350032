import { causalConv1d } from "@statespace/core";
import { type AnyOp } from "@statespace/core/backend";
import type { GoldenCase } from "./goldenCase.ts";
import { absolute, expectedOf, inputArrays, largest, pickKeys, toTensor, U32 } from "./inputs.ts";
import { gradientsOf, take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

const op: AnyOp = causalConv1d;

/** Golden group `causal-conv1d`: y, lastState and every gradient. */
export async function compareCausalConv1d(golden: GoldenCase): Promise<GoldenRow[]> {
  const arrays = inputArrays(golden);
  const inputs = pickKeys(arrays, ["x", "weight", "bias", "initialState"]);
  const attrs = { silu: Boolean(golden.attrs["silu"]), returnLastState: true };
  const [b, l] = inputs["x"]!.shape as [number, number, number];
  const taps = inputs["weight"]!.shape[1]!;

  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]));
  const { y, lastState } = op.run(tensors, attrs);
  const magnitude = op.spec.reference(
    Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, absolute(x)])),
    { ...attrs, silu: false },
  );
  const roundings = 2 * taps + 8;
  const rows: GoldenRow[] = [
    {
      tensor: "y",
      actual: await take(y),
      expected: expectedOf(golden, "out.y"),
      bound: magnitude["y"]!.data.map((x) => roundings * U32 * x),
      reason: `${taps} products and sums and a silu: ${roundings} x 2^-24 x the convolution of absolute values`,
    },
    {
      tensor: "lastState",
      actual: await take(lastState!),
      expected: expectedOf(golden, "out.lastState"),
      bound: 0,
      reason: "copied",
    },
  ];
  for (const t of Object.values(tensors)) t.dispose();
  const grads = await gradientsOf(
    inputs,
    Object.keys(inputs),
    arrays["gradY"]!,
    (t) => op.run(t, { ...attrs, returnLastState: false }).y,
  );
  for (const [name, actual] of Object.entries(grads)) {
    const expected = expectedOf(golden, `out.grad.${name}`);
    const terms = name === "x" || name === "initialState" ? taps : Math.sqrt(b * l);
    rows.push({
      tensor: `grad.${name}`,
      actual,
      expected,
      bound: (16 + 4 * terms) * U32 * largest(expected),
      reason:
        "16 roundings of each term, and those of a sum of k taps (or, as a random walk, of b l tokens), against the largest entry",
    });
  }
  return rows;
}
