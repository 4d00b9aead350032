import { readFloats } from "@statespace/core";
import type { NdArrays } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";
import { dtypeOf, referenceOf, runCase, upload, type OpCase } from "../cases/opCase.ts";
import { U32 } from "../golden/inputs.ts";
import { deviceGradients, differentiable } from "../harness/checkCase.ts";
import { Dice } from "./dice.ts";
import { lanesOf, SHARED, type Lanes } from "./lanes.ts";

/** What a lane is spoilt with: no numbers, and ones beside which others lose their digits. */
const SPOILS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e10, -1e10, 3e38];

/** What is checked where it enters: masks, and settings of the sampler. */
const CHECKED = new Set(["visible", "settings"]);

type Floats = Readonly<Record<string, Float64Array>>;

/** An array with some or all of a lane spoilt. */
function spoilt(x: NdArray, lanes: Int32Array, lane: number, dice: Dice): NdArray {
  const places = [...x.data.keys()].filter((i) => lanes[i] === lane);
  const some = new Set(dice.flip() && places.length > 0 ? [dice.choice(places)] : places);
  const value = dice.choice(SPOILS);
  return ndarray(
    x.shape,
    x.data.map((old, i) => (some.has(i) ? value : old)),
  );
}

/** Results, inputs changed in place and (unless there are none) gradients of a case. */
async function everythingOf(c: OpCase, inputs: NdArrays, upstream: NdArrays | undefined): Promise<Floats> {
  const tensors = upload(c, inputs);
  const outputs = runCase(c, tensors);
  const inPlace = ((c.op.spec.inPlace ?? []) as string[]).filter((name) => tensors[name]);
  const all: Record<string, Float64Array> = {};
  for (const [name, t] of [...Object.entries(outputs), ...inPlace.map((name) => [name, tensors[name]!] as const)])
    all[name] = Float64Array.from(await readFloats(t));
  for (const t of new Set([...Object.values(outputs), ...Object.values(tensors)])) t.dispose();
  if (upstream)
    for (const [name, grad] of Object.entries(await deviceGradients(c, inputs, differentiable(c, inputs), upstream)))
      all[`d ${name}`] = grad;
  return all;
}

/**
 * What the gradient of an input may be off by where its terms cancel (`cancels` of the bound): times the input it is a part of the objective,
 * so roundings of the objective's terms over the input's size.
 */
function cancelled(c: OpCase, inputs: NdArrays, outputs: NdArrays, upstream: NdArrays = {}): (name: string) => number {
  const terms = Object.entries(upstream).reduce(
    (total, [name, { data }]) => data.reduce((sum, w, i) => sum + Math.abs(w * outputs[name]!.data[i]!), total),
    0,
  );
  return (name) => {
    const size = inputs[name]!.data.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
    return size > 0 ? ((c.bound.cancels ?? 0) * U32 * terms) / size : 0;
  };
}

/** Where something outside the lane has become another, and which; undefined where nothing has. */
function leakOf(
  c: OpCase,
  before: Floats,
  after: Floats,
  lanes: Lanes,
  lane: number,
  besides: (name: string) => number,
): string | undefined {
  for (const [name, clean] of Object.entries(before)) {
    if (name.startsWith("d ") && lanes.mixed.includes(name.slice(2))) continue;
    const of = lanes.of.get(name.replace("d ", ""))!;
    const units = name.startsWith("d ") ? c.bound.backward : c.bound.forward + (c.bound.absolute ?? 0);
    const more = name.startsWith("d ") ? besides(name.slice(2)) : 0;
    let peak = 0;
    clean.forEach((x, i) => of[i] !== lane && of[i] !== SHARED && (peak = Math.max(peak, Math.abs(x))));
    const i = clean.findIndex((x, at) => {
      const own = of[at]!;
      // Infinite already, or not a number: nothing to lose.
      if (own === lane || own === SHARED || !Number.isFinite(x)) return false;
      return !(Math.abs(after[name]![at]! - x) <= 2 * (units * U32 * peak + more));
    });
    if (i >= 0) return `${name}[${i}] of lane ${of[i]} was ${clean[i]} and is ${after[name]![i]}`;
  }
  return undefined;
}

/** What keeps a case from being drawn with a spoilt lane; undefined where it has no two lanes. */
export function hasLanes(c: OpCase, seed: number): boolean {
  const dice = new Dice(seed);
  const inputs = c.make(dice);
  return lanesOf(c, inputs, referenceOf(c, inputs), dice) !== undefined;
}

/** Whether what one lane holds (a row, a head, a packed sequence, hidden keys) changes another's results or gradients. Undefined if not. */
export async function whyNotApart(c: OpCase, seed: number): Promise<string | undefined> {
  const dice = new Dice(seed);
  const inputs = c.make(dice);
  const reference = referenceOf(c, inputs);
  const lanes = lanesOf(c, inputs, reference, dice)!;
  const upstream =
    differentiable(c, inputs).length > 0
      ? Object.fromEntries(Object.entries(reference).map(([name, { shape }]) => [name, dice.normal(shape)]))
      : undefined;
  const lane = lanes.kind === "hidden" ? 1 : dice.whole(lanes.count);
  const spoilable = Object.keys(inputs).filter(
    (name) => dtypeOf(c, name) === "float32" && !CHECKED.has(name) && lanes.of.get(name)!.includes(lane),
  );
  const names = new Set(spoilable.filter(() => dice.flip(0.4)));
  if (spoilable.length > 0) names.add(dice.choice(spoilable));
  const spoil = (arrays: NdArrays, which: (name: string) => boolean): NdArrays =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, x]) => [name, which(name) ? spoilt(x, lanes.of.get(name)!, lane, dice) : x]),
    );
  const before = await everythingOf(c, inputs, upstream);
  const loud = upstream && dice.flip() ? spoil(upstream, () => true) : upstream;
  const after = await everythingOf(
    c,
    spoil(inputs, (name) => names.has(name)),
    loud,
  );
  const leak = leakOf(c, before, after, lanes, lane, cancelled(c, inputs, reference, upstream));
  return leak && `lane ${lane} along ${lanes.kind} spoilt in ${[...names].join(", ")}: ${leak}`;
}
