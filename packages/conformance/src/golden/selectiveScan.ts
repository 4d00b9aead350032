import { selectiveScan } from "@statespace/core";
import { type AnyOp } from "@statespace/core/backend";
import type { GoldenCase } from "./goldenCase.ts";
import { absolute, expectedOf, inputArrays, largest, pickKeys, toTensor, U32 } from "./inputs.ts";
import { gradientsOf, take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

const op: AnyOp = selectiveScan;

const ARGUMENTS = ["u", "delta", "A", "B", "C", "D", "z", "deltaBias", "initialState"];

/** Roundings of one output, in units of 2^-24 of the absolute sum behind it: each step of the recurrence adds two and an exponential, and old ones decay with the state. */
const FORWARD = 64;
/** The same for gradients, which run through the recurrence twice and are sums over tokens and channels; against the tensor's largest entry. */
const BACKWARD = 256;

/** Golden group `selective-scan`: y, lastState, and every gradient of each of the two. */
export async function compareSelectiveScan(golden: GoldenCase): Promise<GoldenRow[]> {
  const arrays = inputArrays(golden);
  const inputs = pickKeys(arrays, ARGUMENTS);
  const attrs = { deltaSoftplus: Boolean(golden.attrs["deltaSoftplus"]), returnLastState: true };
  const rows: GoldenRow[] = [];

  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]));
  const { y, lastState } = op.run(tensors, attrs);
  const outputs = { y: await take(y), lastState: await take(lastState!) };
  for (const t of Object.values(tensors)) t.dispose();
  const signed = new Set(["delta", "A", "deltaBias"]);
  const magnitudes = op.spec.reference(
    Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, signed.has(name) ? x : absolute(x)])),
    attrs,
  );
  for (const name of ["y", "lastState"] as const) {
    rows.push({
      tensor: name,
      actual: outputs[name],
      expected: expectedOf(golden, `out.${name}`),
      bound: magnitudes[name]!.data.map((x) => FORWARD * U32 * x),
      reason: `${FORWARD} x 2^-24 x the scan of absolute values`,
    });
  }
  for (const [prefix, output, upstream] of [
    ["grad_y", "y", "gradY"],
    ["grad_state", "lastState", "gradLastState"],
  ] as const) {
    const grads = await gradientsOf(inputs, Object.keys(inputs), arrays[upstream]!, (t) => op.run(t, attrs)[output]!);
    for (const [name, actual] of Object.entries(grads)) {
      const expected = expectedOf(golden, `out.${prefix}.${name}`);
      rows.push({
        tensor: `${prefix}.${name}`,
        actual,
        expected,
        bound: BACKWARD * U32 * largest(expected),
        reason: `${BACKWARD} x 2^-24 x the largest entry`,
      });
    }
  }
  return rows;
}
