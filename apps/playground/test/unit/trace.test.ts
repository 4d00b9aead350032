import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor } from "@statespace/core";
import { fromPretrained } from "@statespace/models";
import { openSource } from "@statespace/files";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { productsOf } from "../../src/pages/block/compute/products.ts";
import { numbersAt } from "../../src/pages/block/compute/at.ts";
import { scanChannel, silu, traceModel, type Weights } from "../../src/pages/block/compute/trace.ts";

const checkpoint = resolve(import.meta.dirname, "../../../../packages/statespace/checkpoint");
const ids = [17, 300, 5, 1200, 44, 44, 981];

describe("a token through a block", () => {
  let weights: Weights;
  let logits: Float32Array;
  let eps = 0;
  beforeAll(async () => {
    await setBackend(cpuBackend());
    const model = await fromPretrained(openSource(checkpoint));
    weights = await model.weights();
    eps = model.resolved.normEps;
    const x = tensor(Int32Array.from(ids), [1, ids.length]);
    logits = await readFloats(model.forward(x).output);
    model.dispose();
  });

  it("plain loops give the model's own logits", () => {
    const traced = traceModel(weights, 7, eps, ids);
    expect(traced.layers).toHaveLength(7);
    const scale = Math.max(...logits.map(Math.abs));
    // float32 through seven layers against float64
    traced.logits.forEach((value, i) => expect(Math.abs(value - logits[i]!)).toBeLessThan(2e-4 * scale));
  });

  it("the numbers of one state are those of its channel", () => {
    const trace = traceModel(weights, 1, eps, ids).layers[0]!;
    const { states } = scanChannel(trace, 9);
    for (const t of [0, 3, 6]) {
      const shown = numbersAt(trace, states, t, 9, 5);
      expect(shown.x).toBeCloseTo(shown.kept + shown.written, 12);
      expect(shown.y).toBeCloseTo(shown.read + shown.D * shown.u, 12);
      expect(shown.gated).toBeCloseTo(shown.y * silu(shown.z), 12);
    }
  });

  it("a projection, opened: the products of its weights and the stream add up to the channel's number", () => {
    const trace = traceModel(weights, 2, eps, ids).layers[1]!;
    const { shape, values } = weights.get("layers.1.mixer.in_proj.weight")!;
    const m = shape[1]!;
    for (const [t, c] of [
      [0, 0],
      [3, 200],
      [6, 511],
    ] as const) {
      const row = Array.from({ length: m }, (_, i) => values[c * m + i]!);
      const opened = productsOf(row, trace.normed.subarray(t * m, (t + 1) * m), 8);
      expect(opened.sum).toBeCloseTo(trace.v[t * trace.d + c]!, 10);
      expect(opened.largest).toHaveLength(8);
      expect(opened.others).toBe(m - 8);
      expect(opened.ofLargest + opened.ofOthers).toBe(opened.sum);
      const least = Math.abs(opened.largest.at(-1)!.product);
      const larger = row.filter((weight, i) => Math.abs(weight * trace.normed[t * m + i]!) > least);
      expect(larger).toHaveLength(7);
      for (const { i, weight, input, product } of opened.largest) {
        expect([weight, input]).toEqual([row[i], trace.normed[t * m + i]]);
        expect(product).toBe(weight * input);
      }
    }
  });

  it("a later token changes nothing before it", () => {
    const [whole, part] = [traceModel(weights, 2, eps, ids), traceModel(weights, 2, eps, ids.slice(0, 4))];
    expect(whole.layers[1]!.y.subarray(0, part.layers[1]!.y.length)).toEqual(part.layers[1]!.y);
  });
});
