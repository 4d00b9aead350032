import { gatedDeltaRule, zeros, type Tensor } from "@statespace/core";
import { type AnyOp } from "@statespace/core/backend";
import { gatedDeltaRuleStep } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import type { GoldenCase } from "./goldenCase.ts";
import { expectedOf, inputArrays, largest, pickKeys, toTensor, U32 } from "./inputs.ts";
import { gradientsOf, take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

const op: AnyOp = gatedDeltaRule;
const step: AnyOp = gatedDeltaRuleStep;

const ARGUMENTS = ["q", "k", "v", "g", "beta", "initialState"];

/** Roundings of an output, in units of 2^-24 of the largest: a token's error is the difference of a value and a sum over the state, and keys of length one enlarge none of it. */
const FORWARD = 32;
/** The same for gradients, which run through the recurrence twice and are sums over the state. */
const BACKWARD = 128;

/** Golden group `gated-delta-rule`: y and lastState, whole and step by step, and every gradient of each of the two. */
export async function compareGatedDelta(golden: GoldenCase): Promise<GoldenRow[]> {
  const arrays = inputArrays(golden);
  const inputs = pickKeys(arrays, ARGUMENTS);
  const { scale, l2norm, l2eps } = golden.attrs as { scale: number; l2norm: boolean; l2eps: number };
  const attrs = { scale, l2norm, l2eps };
  const row = (tensor: string, actual: Float64Array, key: string, roundings: number): GoldenRow => {
    const expected = expectedOf(golden, key);
    const bound = roundings * U32 * largest(expected);
    return { tensor, actual, expected, bound, reason: `${roundings} x 2^-24 x the largest entry` };
  };
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]));
  const { y, lastState } = op.run(tensors, { ...attrs, returnLastState: true });
  const rows = [
    row("y", await take(y), "out.y", FORWARD),
    row("lastState", await take(lastState), "out.lastState", FORWARD),
  ];
  for (const t of Object.values(tensors)) t.dispose();

  const steps = await byStep(inputs, attrs);
  rows.push(row("y, step by step", steps.y, "out.y", FORWARD));
  rows.push(row("lastState, step by step", steps.state, "out.lastState", FORWARD));

  const parts = await inTwo(inputs, attrs);
  rows.push(row("y, in two parts", parts.y, "out.y", FORWARD));
  rows.push(row("lastState, in two parts", parts.state, "out.lastState", FORWARD));

  for (const [prefix, output, upstream] of [
    ["grad_y", "y", "gradY"],
    ["grad_state", "lastState", "gradLastState"],
  ] as const) {
    const run = (t: Readonly<Record<string, Tensor>>): Tensor => op.run(t, { ...attrs, returnLastState: true })[output];
    const grads = await gradientsOf(inputs, Object.keys(inputs), arrays[upstream]!, run);
    for (const [name, actual] of Object.entries(grads))
      rows.push(row(`${prefix}.${name}`, actual, `out.${prefix}.${name}`, BACKWARD));
  }
  return rows;
}

type Attrs = { readonly scale: number; readonly l2norm: boolean; readonly l2eps: number };
type Inputs = Readonly<Record<string, NdArray>>;

/** Token by token, the state in place. */
async function byStep(
  { initialState, ...tokens }: Inputs,
  attrs: Attrs,
): Promise<{ y: Float64Array; state: Float64Array }> {
  const [b, l, h, p] = tokens["v"]!.shape as [number, number, number, number];
  const state = initialState ? toTensor(initialState) : zeros([b, h, tokens["q"]!.shape[3]!, p]);
  const ys: Float64Array[] = [];
  for (let t = 0; t < l; t++) {
    const token = Object.entries(tokens).map(([name, x]) => [name, toTensor(withoutLength(tokensOf(x, t, t + 1)))]);
    const at = Object.fromEntries(token) as Record<string, Tensor>;
    ys.push(await take(step.run({ ...at, state }, attrs).y));
    for (const tensor of Object.values(at)) tensor.dispose();
  }
  return { y: joined(ys, b), state: await take(state) };
}

/** The first half, then the rest from the state that it leaves. */
async function inTwo(
  { initialState, ...tokens }: Inputs,
  attrs: Attrs,
): Promise<{ y: Float64Array; state: Float64Array }> {
  const [b, l] = tokens["v"]!.shape as [number, number];
  let state = initialState && toTensor(initialState);
  const ys: Float64Array[] = [];
  for (const [begin, end] of [
    [0, l >> 1],
    [l >> 1, l],
  ] as const) {
    if (begin === end) continue;
    const part = Object.entries(tokens).map(([name, x]) => [name, toTensor(tokensOf(x, begin, end))]);
    const at = Object.fromEntries(part) as Record<string, Tensor>;
    const { y, lastState } = op.run(
      { ...at, ...(state ? { initialState: state } : {}) },
      { ...attrs, returnLastState: true },
    );
    ys.push(await take(y));
    for (const tensor of [...Object.values(at), state]) tensor?.dispose();
    state = lastState as Tensor;
  }
  return { y: joined(ys, b), state: await take(state!) };
}

/** Tokens [begin, end) of each row of [b, l, ...]. */
function tokensOf({ shape: [b, l, ...rest], data }: NdArray, begin: number, end: number): NdArray {
  const size = rest.reduce((a, c) => a * c, 1);
  const rows = Array.from({ length: b! }, (_, i) => data.subarray((i * l! + begin) * size, (i * l! + end) * size));
  return { shape: [b!, end - begin, ...rest], data: joinedRows(rows) };
}

const withoutLength = ({ shape: [b, , ...rest], data }: NdArray): NdArray => ({ shape: [b!, ...rest], data });

/** Parts [b, tokens of the part, ...] one after the other along the length. */
function joined(parts: readonly Float64Array[], b: number): Float64Array {
  const rows = Array.from({ length: b }, (_, i) =>
    parts.map((part) => part.subarray((i * part.length) / b, ((i + 1) * part.length) / b)),
  );
  return joinedRows(rows.flat());
}

function joinedRows(rows: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(rows.reduce((total, row) => total + row.length, 0));
  let at = 0;
  for (const row of rows) {
    out.set(row, at);
    at += row.length;
  }
  return out;
}
