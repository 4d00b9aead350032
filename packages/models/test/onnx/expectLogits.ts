import { readFloats, tensor, tidy } from "@statespace/core";
import { expect } from "vitest";
import type { Model } from "../../src/index.ts";
import { evaluate } from "./evaluate.ts";
import { nd, type Nd } from "./ndArrays.ts";
import type { Graph } from "./readOnnx.ts";

/** What a graph calls its ids, and which state comes out as which goes in. */
export interface Ports {
  readonly ids: string;
  readonly before: (output: string) => string;
}
const OWN: Ports = { ids: "ids", before: (name) => name.replace("state_out.", "state.") };

/** States before the first token. */
function zeroStates(graph: Graph, batch: number, { ids }: Ports): Map<string, Nd> {
  const states = graph.inputs.filter(({ name }) => name !== ids);
  return new Map(
    states.map(({ name, shape }) => {
      const sizes = shape.map((axis) => (typeof axis === "number" ? axis : axis.startsWith("batch") ? batch : 0));
      return [name, nd(sizes, new Array<number>(sizes.reduce((a, b) => a * b, 1)).fill(0))];
    }),
  );
}

/** Logits of some tokens; the states move on. */
function logitsOf(graph: Graph, given: Nd, states: Map<string, Nd>, { ids, before }: Ports): Nd {
  const outputs = evaluate(graph, new Map([[ids, given], ...states]));
  graph.outputs.forEach(({ name }, i) => {
    if (name !== "logits") states.set(before(name), outputs[i]!);
  });
  return outputs[0]!;
}

/** Expects the logits of the model from a graph that is run in float64: a prompt at once, then tokens with the states carried on. */
export async function expectLogitsOf(model: Model, graph: Graph, ports: Ports = OWN): Promise<void> {
  const { encoder } = model.resolved;
  const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const [b, l, prompt] = [2, 9, 6];
  const ids = Int32Array.from({ length: b * l }, (_, i) => (i * 37 + 11) % vocabulary);
  const output = tidy(() => model.forward(tensor(ids, [b, l])).output);
  const expected = await readFloats(output);
  output.dispose();
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const states = zeroStates(graph, b, ports);
  const part = (from: number, to: number): Nd =>
    nd([b, to - from], Array.from({ length: b }, (_, row) => [...ids.subarray(row * l + from, row * l + to)]).flat());
  let worst = 0;
  for (const [from, to] of [
    [0, prompt],
    ...Array.from({ length: l - prompt }, (_, i) => [prompt + i, prompt + i + 1]),
  ] as [number, number][]) {
    const logits = logitsOf(graph, part(from, to), states, ports);
    expect(logits.shape).toEqual([b, to - from, vocabulary]);
    logits.data.forEach((value, i) => {
      const [row, t, v] = [Math.floor(i / ((to - from) * vocabulary)), Math.floor(i / vocabulary) % (to - from), i % vocabulary]; // prettier-ignore
      worst = Math.max(worst, Math.abs(value - expected[(row * l + from + t) * vocabulary + v]!));
    });
  }
  // The model computes in float32 and the graph here in float64.
  expect(worst).toBeLessThan(2e-5 * scale);
}
