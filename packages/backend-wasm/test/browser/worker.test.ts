import {
  add,
  AdamW,
  embedding,
  exp,
  linear,
  mean,
  neg,
  parameter,
  readFloats,
  rmsNorm,
  selectiveScan,
  setBackend,
  silu,
  split,
  stopBackend,
  tensor,
  valueAndGrads,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { crossEntropy } from "@statespace/core/ops";
import { afterEach, expect, it, vi } from "vitest";
import { wasmBackend, type WasmOptions } from "../../src/index.ts";

const [B, L, D, N, V, LAYERS] = [4, 128, 256, 16, 512, 4];
/** Numbers in [-scale, scale), cheap: filling the weights must not be a long task of its own. */
function noise(count: number, scale: number): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0, state = 1; i < count; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    out[i] = (scale * state) / 2 ** 31;
  }
  return out;
}

/** A small selective language model; a step on one thread is a long task. */
class Model {
  readonly parameters: Parameter[] = [];
  readonly #weights = new Map<string, Parameter>();

  constructor() {
    const add = (name: string, shape: readonly number[], scale: number): void => {
      const weight = parameter(
        name,
        noise(
          shape.reduce((a, b) => a * b, 1),
          scale,
        ),
        shape,
      );
      this.#weights.set(name, weight);
      this.parameters.push(weight);
    };
    add("embedding", [V, D], 0.02);
    for (let i = 0; i < LAYERS; i++) {
      add(`norm${i}`, [D], 1);
      add(`in${i}`, [6 * D + 2 * N, D], 0.06);
      add(`ALog${i}`, [2 * D, N], 1);
      add(`out${i}`, [D, 2 * D], 0.06);
    }
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    const w = (name: string): Tensor => this.#weights.get(name)!.value;
    let x = embedding({ ids, weight: w("embedding") }).y;
    for (let i = 0; i < LAYERS; i++) {
      const normed = rmsNorm({ x, weight: w(`norm${i}`) }, { eps: 1e-5 }).y;
      const [u, delta, z, Bt, Ct] = split(linear({ x: normed, weight: w(`in${i}`) }).y, [2 * D, 2 * D, 2 * D, N, N]);
      const { y } = selectiveScan(
        { u: silu(u!), delta: delta!, A: neg(exp(w(`ALog${i}`))), B: Bt!, C: Ct!, z: z! },
        { deltaSoftplus: true },
      );
      x = add(x, linear({ x: y, weight: w(`out${i}`) }).y);
    }
    return mean(crossEntropy({ logits: linear({ x, weight: w("embedding") }).y, targets }).losses);
  }
}

/** Losses while a model is made and trained, and how many tasks of the main thread ran while each step was waited for. */
async function train(options: WasmOptions, steps: number): Promise<{ turns: number[]; losses: number[] }> {
  await setBackend(wasmBackend(options));
  const model = new Model();
  const optimizer = new AdamW(model.parameters, { learningRate: 1e-3 });
  const row = Int32Array.from({ length: B * L }, (_, i) => (i * i + 3) % V);
  const ids = tensor(row, [B, L]);
  const targets = tensor(
    row.map((id) => (id * 7 + 1) % V),
    [B, L],
  );
  const [losses, turns]: [number[], number[]] = [[], []];
  for (let i = 0; i < steps; i++) {
    const tasks = countTasks();
    const { value, grads } = valueAndGrads(
      () => model.loss(ids, targets),
      model.parameters.map((p) => p.value),
    );
    optimizer.step(grads);
    losses.push((await readFloats(value))[0]!);
    turns.push(tasks.stop());
    for (const t of [value, ...grads]) t?.dispose();
  }
  return { turns, losses };
}

/** Counts the tasks that the main thread gets to: each orders the next one. */
function countTasks(): { stop(): number } {
  const { port1, port2 } = new MessageChannel();
  let count = 0;
  port1.onmessage = (): void => {
    count++;
    port2.postMessage(0);
  };
  port2.postMessage(0);
  return {
    stop: (): number => {
      port1.close();
      return count;
    },
  };
}
afterEach(() => {
  stopBackend("wasm");
  vi.restoreAllMocks();
});

it("computes nothing on the main thread, which is free while a step is waited for, where the direct backend does all of it in one task", async () => {
  const instantiate = vi.spyOn(WebAssembly, "instantiate");
  const Instance = vi.spyOn(WebAssembly, "Instance");
  const direct = await train({ threads: 1 }, 5);
  stopBackend("wasm");
  expect(direct.turns).toEqual([0, 0, 0, 0, 0]);
  expect(instantiate).toHaveBeenCalledTimes(1);
  const { turns, losses } = await train({ threads: 1, worker: true }, 12);
  // No kernels on this thread, and other tasks ran during every step.
  expect(instantiate).toHaveBeenCalledTimes(1);
  expect(Instance).not.toHaveBeenCalled();
  expect(Math.min(...turns)).toBeGreaterThan(0);
  expect(losses.slice(0, 5)).toEqual(direct.losses);
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
}, 120_000);

it("runs on a pool of threads that the worker leads, and dies as a typed error", async () => {
  const one = await train({ threads: 1, worker: true }, 2);
  stopBackend("wasm");
  const three = await train({ threads: 3, worker: true }, 2);
  expect(three.losses[0]!).toBeCloseTo(one.losses[0]!, 4);
  const pending = tensor([1, 2]).data();
  stopBackend("wasm");
  await expect(pending).rejects.toThrow(/stopped/);
});
