import {
  capture,
  keep,
  packWeight,
  readFloats,
  tensor,
  writeInto,
  type PackedFormat,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { expect } from "vitest";
import type { WebGpuBackend } from "../../src/index.ts";

/** Ops that a graph consists of. */
export interface FusionCase {
  /** Shapes by name; values are made up, anew for each run. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Weights [n, k] by name that are packed and stay as they are. */
  readonly packed?: Readonly<Record<string, readonly [n: number, k: number]>>;
  readonly format?: PackedFormat;
  /** Values of inputs that are not as good as any. */
  readonly values?: Readonly<Record<string, (value: number) => number>>;
  /** Every tensor that the ops make: what a fused kernel leaves out would be seen. */
  readonly ops: (inputs: Readonly<Record<string, Tensor>>) => readonly Tensor[];
  /** Products that an output adds up at most: it may be off by 4 terms 2^-24 of its largest value, for sums in another order. */
  readonly terms: number;
}

const backend = (): WebGpuBackend => currentBackend() as WebGpuBackend;
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function valuesOf({ inputs, values }: FusionCase, seed: number): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, shape], which) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
        const value = Math.sin(seed + 31 * which + 12.9898 * i);
        return values?.[name]?.(value) ?? value;
      }),
    ]),
  );
}

function tensorsOf(spec: FusionCase, values: Readonly<Record<string, Float32Array>>): Record<string, Tensor> {
  const made = Object.entries(spec.inputs).map(
    ([name, shape]) => [name, keep(tensor(values[name]!, [...shape]))] as const,
  );
  const packed = Object.entries(spec.packed ?? {}).map(([name, shape], which) => {
    const weight = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(7 + which + 1.7 * i));
    const t = spec.format ? packWeight(weight, shape, spec.format) : tensor(weight, [...shape]);
    return [name, keep(t)] as const;
  });
  return Object.fromEntries([...made, ...packed]);
}

/** Outputs, then the inputs that are not packed (a step changes its state in place). */
async function readAll(
  spec: FusionCase,
  outputs: readonly Tensor[],
  inputs: Record<string, Tensor>,
): Promise<Float32Array[]> {
  const all = [...outputs, ...Object.keys(spec.inputs).map((name) => inputs[name]!)];
  const values: Float32Array[] = [];
  for (const t of all) values.push(await readFloats(t));
  return values;
}

/**
 * Runs the ops of a case one by one, and captured, fused and replayed on values that the capture did not see; compares everything they
 * wrote, and expects so many dispatches a replay.
 */
export async function judgeFusion(spec: FusionCase, dispatches: number): Promise<void> {
  const [seen, fresh] = [valuesOf(spec, 1), valuesOf(spec, 2)];
  const eagerInputs = tensorsOf(spec, fresh);
  const eager = await readAll(spec, spec.ops(eagerInputs), eagerInputs);
  const inputs = tensorsOf(spec, seen);
  const graph = capture(() => spec.ops(inputs));
  for (const name in spec.inputs) writeInto(inputs[name]!, fresh[name]!);
  const before = backend().counters.dispatches;
  graph.replay();
  expect(backend().counters.dispatches - before).toBe(dispatches);
  const replayed = await readAll(spec, graph.result, inputs);
  replayed.forEach((values, which) => {
    const scale = Math.max(...eager[which]!.map(Math.abs));
    const worst = Math.max(...values.map((value, i) => Math.abs(value - eager[which]![i]!)));
    expect(worst, `tensor ${which}`).toBeLessThanOrEqual(4 * spec.terms * 2 ** -24 * scale);
  });
  graph.dispose();
  for (const t of [...Object.values(inputs), ...Object.values(eagerInputs)]) t.dispose();
}
