import { add, mul, readFloats, sum, tensor, valueAndGrads } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";
import { Draw, dtypeOf, referenceOf, runCase, upload, type OpCase } from "../cases/opCase.ts";
import { absolute, largest, U32 } from "../golden/inputs.ts";
import { judge, type Verdict } from "../golden/judge.ts";
import type { GoldenRow } from "../golden/row.ts";

/** Directions along which each gradient is checked. */
const DIRECTIONS = 3;

/** What each element may be off by. `times` widens it for ops that are composed. */
function allowed(c: OpCase, inputs: NdArrays, expected: NdArrays, times: number): (name: string) => Float64Array {
  const { forward, absolute: own = 0, underflow = 0 } = c.bound;
  const kind = c.scale ?? "terms";
  const scale = kind === "terms" ? referenceOf(c, scaleInputs(c, inputs)) : expected;
  return (name) => {
    const { data } = scale[name]!;
    // Whole numbers are what they are, words of halves among them.
    if (c.dtypes?.[name] === "int32") return data.map(() => 0);
    const peak = largest(data);
    const floor = underflow * peak;
    return data.map((x) => times * U32 * (forward * (kind === "peak" ? peak : Math.abs(x)) + own) + floor);
  };
}

/** Runs a case on the backend that is set and compares outputs (and inputs changed in place) with the float64 reference. */
export async function checkForward(c: OpCase, seed = 1, times = 1): Promise<Verdict[]> {
  const inputs = c.make(new Draw(seed));
  const expected = referenceOf(c, inputs);
  const bound = allowed(c, inputs, expected, times);
  const tensors = upload(c, inputs);
  const outputs = runCase(c, tensors);
  const inPlace = ((c.op.spec.inPlace ?? []) as string[]).filter((name) => tensors[name]);
  const changed = Object.fromEntries(inPlace.map((name) => [name, tensors[name]!]));
  const rows: GoldenRow[] = [];
  for (const [name, t] of Object.entries({ ...outputs, ...changed })) {
    const want = expected[name]!;
    if (t.shape.join() !== want.shape.join())
      throw new Error(
        `${c.op.spec.name} ${c.name}: ${name} has shape [${t.shape.join(", ")}], the reference [${want.shape.join(", ")}]`,
      );
    rows.push({
      tensor: name,
      actual: Float64Array.from(await readFloats(t)),
      expected: want.data,
      bound: bound(name),
      reason: c.bound.reason,
    });
  }
  for (const t of new Set([...Object.values(outputs), ...Object.values(tensors)])) t.dispose();
  return rows.map(judge);
}

function scaleInputs(c: OpCase, inputs: NdArrays): NdArrays {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [
      name,
      c.signed?.includes(name) || dtypeOf(c, name) !== "float32" ? x : absolute(x),
    ]),
  );
}

/** Inputs of a case whose gradient is checked: those the op says, or all of a face of its own. */
export function differentiable(c: OpCase, inputs: NdArrays): string[] {
  const declared = c.op.spec.differentiable as readonly string[];
  if (c.gradients === false || declared.length === 0) return [];
  return Object.keys(inputs).filter((name) =>
    c.meaning ? name !== "c" : declared.includes(name) || declared.includes("..."),
  );
}

/** Along how many directions each gradient is checked, and whether also of each output alone. */
export interface Directions {
  readonly directions?: number;
  readonly apart?: boolean;
}

/**
 * Checks every gradient of a case: along random directions, the directional derivative on the device against a central difference
 * of the float64 reference, for each output alone and for all together.
 */
export async function checkGradients(
  c: OpCase,
  seed = 2,
  times = 1,
  { directions = DIRECTIONS, apart = true }: Directions = {},
): Promise<Verdict[]> {
  const draw = new Draw(seed);
  const inputs = c.make(draw);
  const wanted = differentiable(c, inputs);
  if (wanted.length === 0) return [];
  const reference = referenceOf(c, inputs);
  const names = Object.keys(reference);
  const verdicts: Verdict[] = [];
  // Where an input goes, and what the reference makes of it there, is the same for each output alone and for all together.
  const moves = new Map<string, Move>();
  const combinations = apart && names.length > 1 ? [names, ...names.map((name) => [name])] : [names];
  const upstreams = combinations.map((outputs) =>
    Object.fromEntries(outputs.map((name) => [name, draw.normal(reference[name]!.shape)])),
  );
  for (const upstream of upstreams) {
    const outputs = Object.keys(upstream);
    const grads = await deviceGradients(c, inputs, wanted, upstream);
    const cancelling = outputs.reduce((total, name) => total + absoluteDot(reference[name]!, upstream[name]!), 0);
    for (const name of wanted) {
      for (let i = 0; i < directions; i++) {
        const label = `d ${outputs.join("+")} / d ${name}, direction ${i}`;
        const moved = moves.get(`${name} ${i}`) ?? move(c, inputs, name, draw);
        moves.set(`${name} ${i}`, moved);
        verdicts.push(alongDirection({ c, grad: grads[name]!, upstream, cancelling, times }, moved, label));
      }
    }
  }
  return verdicts;
}

function absoluteDot(a: NdArray, b: NdArray): number {
  return a.data.reduce((total, x, i) => total + Math.abs(x * b.data[i]!), 0);
}

/** Gradients of the sum of products with `upstream`, on the backend that is set. */
export async function deviceGradients(
  c: OpCase,
  inputs: NdArrays,
  wanted: readonly string[],
  upstream: NdArrays,
): Promise<Record<string, Float64Array>> {
  const tensors = upload(c, inputs);
  const dys = Object.fromEntries(
    Object.entries(upstream).map(([name, { shape, data }]) => [name, tensor(Float32Array.from(data), shape)]),
  );
  const { value, grads } = valueAndGrads(
    () => {
      const outputs = runCase(c, tensors);
      return Object.entries(dys)
        .map(([name, dy]) => sum(mul(outputs[name]!, dy)))
        .reduce((a, b) => add(a, b));
    },
    wanted.map((name) => tensors[name]!),
  );
  const out: Record<string, Float64Array> = {};
  for (const [i, name] of wanted.entries())
    out[name] = grads[i] ? Float64Array.from(await readFloats(grads[i])) : new Float64Array(inputs[name]!.data.length);
  for (const t of [value, ...grads, ...Object.values(tensors), ...Object.values(dys)]) t?.dispose();
  return out;
}

/** An input moved along a random direction, and what the reference makes of it. */
interface Move {
  readonly direction: NdArray;
  readonly step: number;
  readonly ahead: NdArrays;
  readonly behind: NdArrays;
  /** Of an op that is linear in each input: what it makes of all terms without their signs, and of the same with none from this input. */
  readonly loud: { readonly moved: NdArrays; readonly still: NdArrays } | undefined;
}

function move(c: OpCase, inputs: NdArrays, name: string, draw: Draw): Move {
  const at = inputs[name]!;
  const direction = draw.normal(at.shape);
  const step = 1e-5 * Math.max(1e-3, largest(at.data));
  const along = (sign: number): NdArrays => {
    const moved = at.data.map((x, i) => x + sign * step * direction.data[i]!);
    return referenceOf(c, { ...inputs, [name]: ndarray(at.shape, moved) });
  };
  const signless = (x: NdArray): NdArrays => referenceOf(c, { ...scaleInputs(c, inputs), [name]: x });
  const nothing = ndarray(at.shape, new Float64Array(at.data.length));
  return {
    direction,
    step,
    ahead: along(1),
    behind: along(-1),
    loud: c.bound.linear ? { moved: signless(absolute(direction)), still: signless(nothing) } : undefined,
  };
}

/**
 * How far outputs lie apart, each element by its weight in `upstream`. Two sums of their own would each be rounded, and a derivative that
 * has almost vanished drowns in that.
 */
function apartBy(upstream: NdArrays, a: NdArrays, b: NdArrays, weight = (w: number): number => w): number {
  return Object.entries(upstream).reduce(
    (total, [output, { data }]) =>
      total + data.reduce((sum, w, i) => sum + weight(w) * (a[output]!.data[i]! - b[output]!.data[i]!), 0),
    0,
  );
}

/** One gradient to be checked. */
interface Slope {
  readonly c: OpCase;
  readonly grad: Float64Array;
  readonly upstream: NdArrays;
  /** Sum of the absolute products of upstream gradients and outputs. */
  readonly cancelling: number;
  readonly times: number;
}

function alongDirection(slope: Slope, { direction, step, ahead, behind, loud }: Move, label: string): Verdict {
  const { c, grad, upstream, cancelling, times } = slope;
  const expected = apartBy(upstream, ahead, behind) / (2 * step);
  const actual = grad.reduce((sum, g, i) => sum + g * direction.data[i]!, 0);
  const terms = grad.reduce((sum, g, i) => sum + Math.abs(g * direction.data[i]!), 0);
  const { backward, cancels = 0, differences = 1e-8 } = c.bound;
  const signless = loud ? apartBy(upstream, loud.moved, loud.still, Math.abs) : 0;
  const scale = Math.max(terms, largest(grad));
  const bound =
    (times * backward * U32 + differences) * scale +
    times * cancels * U32 * Math.max(cancelling, signless) +
    1e-2 * differences;
  return judge({
    tensor: label,
    actual: Float64Array.of(actual),
    expected: Float64Array.of(expected),
    bound,
    reason: c.bound.reason,
  });
}
