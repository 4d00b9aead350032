import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import {
  add,
  AdamW,
  BackendError,
  capture,
  clipScale,
  concat,
  currentBackendName,
  embedding,
  linear,
  memory,
  mul,
  readFloats,
  Rng,
  setBackend,
  split,
  stopBackend,
  tensor,
  tidy,
  valueAndGrads,
  withBackend,
  writeInto,
  type Tensor,
} from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import {
  generate,
  Model,
  modelObjective,
  ModelState,
  parseModelConfig,
  train,
  type MixerSettings,
  type TrainingBatch,
  type TrainingStream,
} from "@statespace/models";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

let cpu: AnyBackend;
let wasm: AnyBackend;
beforeAll(async () => {
  cpu = await startBackend(cpuBackend());
  wasm = await startBackend(wasmBackend({ threads: 2 }));
});
// The default is a third one, on which nothing may be left: whatever is made without being told where shows.
beforeEach(() => setBackend({ ...cpuBackend(), name: "bystander" }));
afterAll(() => {
  for (const name of ["bystander", "cpu", "wasm"]) stopBackend(name);
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

async function expectNothingOnDefault<T>(run: () => Promise<T>): Promise<T> {
  const bystander = await startBackend("bystander");
  const kernels = bystander.kernels;
  const used: string[] = [];
  bystander.attach(
    "bystander",
    Object.fromEntries(
      Object.entries(kernels).map(([name, kernel]) => [name, (...args) => (used.push(name), kernel(...args))]),
    ),
  );
  const before = { ...bystander.memory() };
  try {
    const result = await run();
    expect(used).toEqual([]);
    expect(bystander.memory()).toEqual(before);
    return result;
  } finally {
    bystander.attach("bystander", kernels);
  }
}

const LANGUAGE = ["mamba", "mamba2"] as const;
const configOf = (kind: string): ReturnType<typeof parseModelConfig> =>
  parseModelConfig(
    kind === "mamba"
      ? { model_type: "mamba", hidden_size: 16, num_hidden_layers: 2, vocab_size: 32, state_size: 4 }
      : {
          model_type: kind,
          hidden_size: 16,
          num_hidden_layers: 2,
          vocab_size: 32,
          state_size: 4,
          head_dim: 8,
          num_heads: 4,
          n_groups: 1,
          expand: 2,
        },
  );

/** Rows of random ids, without end. */
function randomRows(seed: number): TrainingStream {
  const rng = new Rng(seed);
  return {
    nextBatch() {
      const ids = Int32Array.from({ length: 24 }, () => rng.integer(32));
      return { inputs: ids, targets: ids, shape: [2, 12], targetShape: [2, 12] };
    },
    state: () => ({}),
    restore() {},
  };
}

describe.each(LANGUAGE)("two %s models on two backends, in turns across awaits", (kind) => {
  it("generate what each generates alone, whatever the default is", async () => {
    const before = memory();
    await expectNothingOnDefault(async () => {
      const models = [cpu, wasm].map((backend) => new Model(configOf(kind), 7, { backend }));
      const run = async (model: Model): Promise<number[]> => {
        const out: number[] = [];
        for await (const { id } of generate(
          model,
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { greedy: true, maxNewTokens: 12, eosTokenIds: [] },
        )) {
          out.push(id);
          await pause();
        }
        return out;
      };
      const together = await Promise.all(models.map(run));
      const alone = [await run(models[0]!), await run(models[1]!)];
      expect(together).toEqual(alone);
      expect(together[0]).toEqual(together[1]);
      expect(models.map(({ backend }) => backend.name)).toEqual(["cpu", "wasm"]);
      for (const model of models) model.dispose();
    });
    expect(memory()).toEqual(before);
  });

  it("train: losses and weights are bit for bit those of each alone", async () => {
    const before = memory();
    await expectNothingOnDefault(async () => {
      const run = async (backend: AnyBackend): Promise<{ losses: number[]; weights: Float32Array[] }> => {
        const model = new Model(configOf(kind), 7, { backend });
        const losses: number[] = [];
        const options = { steps: 6, clipNorm: 0.5, accumulate: 2, optimizer: { learningRate: 1e-2 } };
        for await (const event of train(modelObjective(model, { carryState: true }), randomRows(3), options)) {
          if (event.kind === "step") losses.push(event.loss);
          await pause();
        }
        const weights = [];
        for (const parameter of model.parameters) weights.push(await parameter.read());
        model.dispose();
        return { losses, weights };
      };
      const together = await Promise.all([run(cpu), run(wasm)]);
      expect(together[0].losses).toHaveLength(6);
      expect(together).toEqual([await run(cpu), await run(wasm)]);
      together[0].losses.forEach((loss, i) => expect(together[1]!.losses[i]).toBeCloseTo(loss, 3));
    });
    expect(memory()).toEqual(before);
  });
});

describe("sequence models away from the default", () => {
  const mixers: MixerSettings[] = [
    { kind: "lssl", dState: 4 },
    { kind: "s4", dState: 4, kernelLength: 16 },
    { kind: "s4d", dState: 4, bidirectional: true },
    { kind: "dss", dState: 4, kernelLength: 16 },
    { kind: "s5", dState: 8, blocks: 2 },
    { kind: "mamba", dState: 4 },
    { kind: "mamba2", dState: 4, headDim: 4, chunkSize: 4 },
    { kind: "mamba3", dState: 8, headDim: 4, chunkSize: 4, mimo: true },
    { kind: "gru" },
    { kind: "lstm", dHidden: 6 },
    { kind: "attention", nHeads: 2 },
  ];
  it.each(mixers)("%j: loss, gradients, state and its bytes", async (mixer) => {
    const before = memory();
    await expectNothingOnDefault(async () => {
      const model = new Model(
        {
          encoder: { kind: "linear", channels: 2 },
          dModel: 8,
          layers: [mixer, mixer],
          head: { kind: "regression", outputs: 1, pooling: "none" },
        },
        1,
        { backend: wasm },
      );
      const objective = modelObjective(model);
      const batch: TrainingBatch = {
        inputs: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
        targets: Float32Array.from({ length: 16 }, (_, i) => Math.cos(i)),
        shape: [2, 8, 2],
        targetShape: [2, 8, 1],
      };
      const optimizer = new AdamW(model.parameters);
      const { value, grads } = valueAndGrads(
        () => {
          const result = objective.loss(batch, { carried: undefined, rng: new Rng(0) });
          return "loss" in result ? result.loss : result;
        },
        optimizer.parameters.map((p) => p.value),
      );
      const { norm, scale } = clipScale(grads, 1);
      optimizer.step(grads, 1e-3, scale);
      expect(Number.isFinite((await readFloats(norm))[0])).toBe(true);
      for (const t of [value, norm, scale, ...grads]) t?.dispose();
      if (!("bidirectional" in mixer)) {
        const state = model.initialState(2);
        const copied = ModelState.fromBytes(await state.toBytes(), { backend: wasm });
        const fork = copied.clone();
        const input = tensor([1, 2, 3, 4], [2, 2], { backend: wasm });
        const y = model.step(input, fork);
        expect(y.backend).toBe(wasm);
        for (const x of [state, copied, fork, input, y]) x.dispose();
      }
      optimizer.dispose();
      model.dispose();
    });
    expect(memory()).toEqual(before);
  });
});

describe("ops between two backends", () => {
  it("are refused by op, argument and backend, and nothing is left", () => {
    const [a, b] = [tensor([1, 2], [2], { backend: cpu }), tensor([3, 4], [2], { backend: wasm })];
    const before = [memory(), cpu.memory(), wasm.memory()];
    expect(() => add(a, b)).toThrow(BackendError);
    expect(() => add(a, b)).toThrow("add: all inputs must be on one backend, got a on cpu, b on wasm");
    expect(() => concat([b, a])).toThrow("concat: all inputs must be on one backend, got 0 on wasm, 1 on cpu");
    const weight = tensor([1, 2], [1, 2], { backend: wasm });
    expect(() => linear({ x: a, weight })).toThrow(/linear: all inputs must be on one backend, got .*weight on wasm/);
    weight.dispose();
    expect([memory(), cpu.memory(), wasm.memory()]).toEqual(before);
    expect(() => capture(() => [mul(a, a), mul(b, b)])).toThrow(
      "capture: one capture is of one backend; it began on cpu, and mul runs on wasm",
    );
    expect([cpu.capturing, wasm.capturing]).toEqual([false, false]);
    expect([memory(), cpu.memory(), wasm.memory()]).toEqual(before);
    for (const t of [a, b]) t.dispose();
  });

  it("one tape holds ops of both, each with its gradient on its own backend", async () => {
    const before = memory();
    const [a, b] = [tensor([1, 2], [2], { backend: cpu }), tensor([3, 4], [2], { backend: wasm })];
    const parts: Tensor[] = [];
    const { value, grads } = valueAndGrads(() => {
      parts.push(mul(b, 2));
      return split(mul(a, a), [1, 1])[0]!;
    }, [a, b]);
    expect([await readFloats(value), await readFloats(grads[0]!), grads[1]]).toEqual([
      Float32Array.of(1),
      Float32Array.of(2, 0),
      null,
    ]);
    for (const t of [value, grads[0]!, a, b]) t.dispose();
    expect(memory()).toEqual(before);
  });

  it("two graphs replay in turns, each where it was captured", async () => {
    const inputs = [cpu, wasm].map((backend) => tensor([0, 0], [2], { backend }));
    const graphs = inputs.map((x) => capture(() => tidy(() => add(mul(x, x), 1))));
    for (let i = 1; i < 4; i++) {
      await Promise.all(
        graphs.map(async (graph, at) => {
          writeInto(inputs[at]!, Float32Array.of(i, at));
          await pause();
          graph.replay();
          await pause();
          expect([...(await readFloats(graph.result))]).toEqual([i * i + 1, at * at + 1]);
        }),
      );
    }
    for (const x of [...graphs, ...inputs]) x.dispose();
  });
});

it("withBackend in two tasks at once: models, ids and losses stay apart", async () => {
  const before = memory();
  const task = (name: string): Promise<{ names: Set<string>; losses: number[] }> =>
    withBackend(name, async () => {
      const model = new Model(configOf("mamba"), 5);
      const names = new Set<string>();
      const losses: number[] = [];
      for (let i = 0; i < 5; i++) {
        const ids = tensor(Int32Array.of(1, 2, 3, i), [1, 4]);
        const loss = model.loss(ids, ids);
        await pause();
        losses.push((await readFloats(loss))[0]!);
        const rows = embedding({ ids, weight: model.encoder.weight.value }).y;
        for (const t of [ids, loss, rows]) names.add(`${t.backend.name} ${currentBackendName()}`);
        for (const t of [ids, loss, rows]) t.dispose();
        await pause();
      }
      model.dispose();
      return { names, losses };
    });
  const [onCpu, onWasm] = await Promise.all([task("cpu"), task("wasm")]);
  expect([onCpu.names, onWasm.names]).toEqual([new Set(["cpu cpu"]), new Set(["wasm wasm"])]);
  onCpu.losses.forEach((loss, i) => expect(onWasm.losses[i]).toBeCloseTo(loss, 4));
  expect(currentBackendName()).toBe("bystander");
  expect(memory()).toEqual(before);
});

it("wasm with other threads while it runs is an error that names both", async () => {
  await expect(setBackend(wasmBackend({ threads: 1 }))).rejects.toThrow(
    'registerBackend: "wasm" runs with {"threads":2}, not with {"threads":1}; stopBackend("wasm") first',
  );
  await setBackend(wasmBackend({ threads: 2 }));
  expect(currentBackendName()).toBe("wasm");
});
