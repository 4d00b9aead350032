import {
  add,
  mul,
  ndarray,
  readFloats,
  sum,
  tensor,
  valueAndGrads,
  type NdArray,
  type NdArrays,
  type Tensor,
} from "@statespace/core";
import { Draw, referenceOf, type OpCase } from "../cases/opCase.ts";
import { absolute, largest, U32 } from "../golden/inputs.ts";
import { judge, type Verdict } from "../golden/judge.ts";
import type { GoldenRow } from "../golden/row.ts";

/** Directions along which each gradient is checked. */
const DIRECTIONS = 3;

function upload(c: OpCase, inputs: NdArrays): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      c.integers?.includes(name) ? tensor(Int32Array.from(data), shape) : tensor(Float32Array.from(data), shape),
    ]),
  );
}

/** Runs a case on the backend that is set and compares outputs (and inputs changed in place) with the float64 reference. */
export async function checkForward(c: OpCase, seed = 1): Promise<Verdict[]> {
  const inputs = c.make(new Draw(seed));
  const expected = referenceOf(c, inputs);
  const scale = c.peakScale ? undefined : referenceOf(c, scaleInputs(c, inputs));
  const tensors = upload(c, inputs);
  const outputs = c.op.run(tensors, c.attrs) as Record<string, Tensor>;
  const changed = Object.fromEntries(
    ((c.op.spec.inPlace ?? []) as string[]).filter((name) => tensors[name]).map((name) => [name, tensors[name]!]),
  );
  const rows: GoldenRow[] = [];
  for (const [name, t] of Object.entries({ ...outputs, ...changed })) {
    const want = expected[name]!;
    if (t.shape.join() !== want.shape.join())
      throw new Error(
        `${c.op.spec.name} ${c.name}: ${name} has shape [${t.shape.join(", ")}], the reference [${want.shape.join(", ")}]`,
      );
    const unit = c.bound.forward * U32;
    const bound = scale ? scale[name]!.data.map((x) => unit * Math.abs(x)) : unit * largest(want.data);
    rows.push({
      tensor: name,
      actual: Float64Array.from(await readFloats(t)),
      expected: want.data,
      bound,
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
      c.signed?.includes(name) || c.integers?.includes(name) ? x : absolute(x),
    ]),
  );
}

/**
 * Checks every gradient of a case: along random directions, the gradient kernel's directional derivative against a central
 * difference of the float64 reference, for each output alone and for both together.
 */
export async function checkGradients(c: OpCase, seed = 2): Promise<Verdict[]> {
  const { spec } = c.op;
  if (spec.differentiable.length === 0) return [];
  const draw = new Draw(seed);
  const inputs = c.make(draw);
  const reference = referenceOf(c, inputs);
  const names = Object.keys(reference);
  const wanted = spec.differentiable.filter((name) => inputs[name] !== undefined);
  const verdicts: Verdict[] = [];
  const combinations = names.length > 1 ? [names, ...names.map((name) => [name])] : [names];
  for (const outputs of combinations) {
    const upstream = Object.fromEntries(outputs.map((name) => [name, draw.normal(reference[name]!.shape)]));
    const grads = await kernelGradients(c, inputs, wanted, upstream);
    for (const name of wanted) {
      for (let i = 0; i < DIRECTIONS; i++)
        verdicts.push(
          alongDirection(
            c,
            inputs,
            name,
            grads[name]!,
            upstream,
            draw,
            `d ${outputs.join("+")} / d ${name}, direction ${i}`,
          ),
        );
    }
  }
  return verdicts;
}

async function kernelGradients(
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
      const outputs = c.op.run(tensors, c.attrs) as Record<string, Tensor>;
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

function alongDirection(
  c: OpCase,
  inputs: NdArrays,
  name: string,
  grad: Float64Array,
  upstream: NdArrays,
  draw: Draw,
  label: string,
): Verdict {
  const at = inputs[name]!;
  const direction = draw.normal(at.shape);
  const scaleOf = Math.max(1e-3, largest(at.data));
  const step = 1e-5 * scaleOf;
  const objective = (sign: number): number => {
    const moved: NdArray = ndarray(
      at.shape,
      at.data.map((x, i) => x + sign * step * direction.data[i]!),
    );
    const outputs = referenceOf(c, { ...inputs, [name]: moved });
    return Object.entries(upstream).reduce(
      (total, [output, dy]) => total + dy.data.reduce((sum, w, i) => sum + w * outputs[output]!.data[i]!, 0),
      0,
    );
  };
  const expected = (objective(1) - objective(-1)) / (2 * step);
  const actual = grad.reduce((sum, g, i) => sum + g * direction.data[i]!, 0);
  const terms = grad.reduce((sum, g, i) => sum + Math.abs(g * direction.data[i]!), 0);
  // The central difference itself is good to about 1e-9 of the terms: its step squared, and float64 rounding over the step.
  const bound = (c.bound.backward * U32 + 1e-8) * Math.max(terms, largest(grad)) + 1e-10;
  return judge({
    tensor: label,
    actual: Float64Array.of(actual),
    expected: Float64Array.of(expected),
    bound,
    reason: c.bound.reason,
  });
}
