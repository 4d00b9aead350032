import { ssdScan } from "@statespace/core";
import { type AnyOp } from "@statespace/core/backend";
import type { GoldenCase } from "./goldenCase.ts";
import { absolute, expectedOf, inputArrays, largest, pickKeys, toTensor, U32 } from "./inputs.ts";
import { gradientsOf, take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

const op: AnyOp = ssdScan;

const ARGUMENTS = ["x", "dt", "A", "B", "C", "D", "z", "dtBias", "initialState"];

/** Roundings of one output, in units of 2^-24 of the absolute sum behind it: the chunked form sums over a chunk, a state and the decays between, whose exponents are cumulative sums of dt A. */
const FORWARD = 64;
/** The same for gradients, which run through the recurrence twice and are sums over tokens and heads; against the tensor's largest entry. */
const BACKWARD = 256;

/** Golden group `ssd`: y, lastState, and every gradient of y. */
export async function compareSsd(golden: GoldenCase): Promise<GoldenRow[]> {
  const arrays = inputArrays(golden);
  const inputs = pickKeys(arrays, ARGUMENTS);
  const limit = golden.attrs["dtLimit"] as readonly [number, number] | null | undefined;
  const attrs = {
    dtSoftplus: Boolean(golden.attrs["dtSoftplus"]),
    ...(limit ? { dtMin: limit[0], dtMax: limit[1] } : {}),
    returnLastState: true,
  };
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]));
  const { y, lastState } = op.run(tensors, attrs);
  const outputs = { y: await take(y), lastState: await take(lastState!) };
  for (const t of Object.values(tensors)) t.dispose();
  const signed = new Set(["dt", "A", "dtBias"]);
  const magnitudes = op.spec.reference(
    Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, signed.has(name) ? x : absolute(x)])),
    { ...op.spec.attrs, ...attrs },
  );
  const rows = (["y", "lastState"] as const).map((name): GoldenRow => ({
    tensor: name,
    actual: outputs[name],
    expected: expectedOf(golden, `out.${name}`),
    bound: magnitudes[name]!.data.map((x) => FORWARD * U32 * Math.abs(x)),
    reason: `${FORWARD} x 2^-24 x the scan of absolute values`,
  }));
  const grads = await gradientsOf(inputs, Object.keys(inputs), arrays["gradY"]!, (t) => op.run(t, attrs).y);
  for (const [name, actual] of Object.entries(grads)) {
    const expected = expectedOf(golden, `out.grad.${name}`);
    rows.push({
      tensor: `grad.${name}`,
      actual,
      expected,
      bound: BACKWARD * U32 * largest(expected),
      reason: `${BACKWARD} x 2^-24 x the largest entry`,
    });
  }
  return rows;
}
