import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend, type WebGpuBackend } from "@statespace/backend-webgpu";
import {
  argMax,
  capture,
  keep,
  readFloats,
  setBackend,
  stopBackend,
  tensor,
  writeInto,
  type BackendDefinition,
  type Tensor,
} from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import { copy } from "@statespace/core/ops";
import {
  Model,
  parseModelConfig,
  Session,
  type CacheType,
  type GeneratedToken,
  type ModelConfig,
} from "@statespace/models";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const MAMBA = parseModelConfig({
  model_type: "mamba",
  hidden_size: 64,
  state_size: 16,
  num_hidden_layers: 2,
  vocab_size: 300,
  time_step_rank: 8,
});
const DELTA: ModelConfig = {
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: 300 },
  layers: [
    { kind: "gatedDelta", nHeads: 4, nHeadsKey: 2, dState: 8 },
    { kind: "attention", nHeads: 4, nHeadsKv: 2, rotaryDim: 4, qkNorm: "head", qkNormOffset: 1, outputGate: true },
  ],
  head: { kind: "language" },
  norm: "rms",
  normOffset: 1,
  mlp: 48,
  initializerRange: 0.3,
};
const HYBRID: ModelConfig = {
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: 300 },
  layers: [
    { kind: "mamba2", nHeads: 4, headDim: 16, dState: 8, chunkSize: 16 },
    { kind: "attention", nHeads: 4, nHeadsKv: 2, rotaryDim: 4 },
    { kind: "mamba3", nHeads: 4, headDim: 16, dState: 8, chunkSize: 16 },
  ],
  head: { kind: "language" },
  norm: "rms",
  initializerRange: 0.3,
};

const WINDOWS: ModelConfig = {
  ...HYBRID,
  layers: [...HYBRID.layers, { kind: "attention", nHeads: 4, nHeadsKv: 2, rotaryDim: 4, window: 5, sinks: true }],
};

/** What a session says after the same texts with the same settings. */
async function program(backend: AnyBackend, config: ModelConfig, cacheType: CacheType): Promise<GeneratedToken[]> {
  const model = new Model(config, 5, { backend });
  model.cacheType = cacheType;
  const session = new Session(model, { seed: 8 });
  const all: GeneratedToken[] = [];
  const say = async (options: object): Promise<void> => {
    for await (const token of session.tokens({ eosTokenIds: [], ...options })) all.push(token);
  };
  await session.read([1, 2, 3, 250]);
  const point = session.keep();
  await say({ maxNewTokens: 3, temperature: 0, logprobs: true });
  session.rewind(point);
  await say({ maxNewTokens: 3, temperature: 1.2, topK: 40, topP: 0.9, minP: 0.01 });
  await session.read([7, 8]);
  await say({ maxNewTokens: 2, repetitionPenalty: 1.4, presencePenalty: 0.3, frequencyPenalty: 0.2 });
  const bytes = await session.save();
  session.dispose();
  const restored = new Session(model).restore(bytes);
  for await (const token of restored.tokens({ eosTokenIds: [], maxNewTokens: 2 })) all.push(token);
  restored.dispose();
  model.dispose();
  return all;
}

/** Reads that were ordered before a replay see what lay there then. */
async function readsBeforeReplays(backend: AnyBackend): Promise<void> {
  const place = { backend };
  const [from, to] = [keep(tensor([0, 0], [2], place)), keep(tensor([0, 0], [2], place))];
  const step = capture((): Tensor => {
    copy({ destination: to, source: from });
    return to;
  });
  for (let i = 1; i < 20; i++) {
    writeInto(from, Float32Array.of(i, -i));
    const before = readFloats(to);
    step.replay();
    expect([...(await before)]).toEqual([i - 1, 1 - i + 0]);
  }
  step.dispose();
  for (const t of [from, to]) t.dispose();
}

const DEFINITIONS: readonly (readonly [string, BackendDefinition])[] = [
  ["wasm, 2 threads", { ...wasmBackend({ threads: 2, parallelWork: 64 }), name: "wasm-two" }],
  ["wasm in a worker", { ...wasmBackend({ threads: 1, worker: true }), name: "wasm-worker" }],
  ["webgpu", webGpuBackend()],
];

for (const [name, definition] of DEFINITIONS) {
  await describeOn(
    definition,
    () => {
      let backend: AnyBackend;
      beforeAll(async () => {
        await setBackend(cpuBackend());
        backend = await startBackend(definition);
      });
      afterAll(() => stopBackend(definition.name));

      it("reads before replays see what lay there", () => readsBeforeReplays(backend));

      it.each([
        ["a Mamba", MAMBA, "f32", 1e-4],
        ["a hybrid", HYBRID, "f32", 1e-4],
        ["a hybrid of the delta rule", DELTA, "f32", 1e-4],
        // A key or value on the edge between two halves may fall to either, 2^-10 of it apart.
        ["a hybrid with windows and a cache of halves", WINDOWS, "f16", 2e-3],
      ] as const)(
        "%s says token for token what it says on the reference backend",
        async (_, config, cacheType, bound) => {
          const want = await program(await startBackend(cpuBackend()), config, cacheType);
          const got = await program(backend, config, cacheType);
          expect(got.map(({ id }) => id)).toEqual(want.map(({ id }) => id));
          // The logits themselves differ by some roundings of two or three layers.
          want.forEach(({ logprob }, i) => {
            if (logprob === undefined) expect(got[i]!.logprob).toBeUndefined();
            else expect(Math.abs(got[i]!.logprob! - logprob)).toBeLessThan(bound);
          });
        },
        180_000,
      ); // a software device compiles some dozens of pipelines

      if (definition.name !== "webgpu") return;
      it("a token takes no more dispatches than a step and a greedy choice in one graph", async () => {
        const gpu = backend as WebGpuBackend;
        const model = new Model(MAMBA, 5, { backend });
        const [ids, state] = [keep(tensor(Int32Array.of(1), [1], { backend })), model.initialState(1)];
        model.step(ids, state).dispose();
        const graph = capture((): Tensor => argMax(model.step(ids, state), -1));
        const from = gpu.counters.dispatches;
        graph.replay();
        const former = gpu.counters.dispatches - from;
        const session = new Session(model);
        await session.read([1]);
        const counts: number[] = [];
        for await (const _ of session.tokens({ maxNewTokens: 8, temperature: 0.7, topP: 0.9, eosTokenIds: [] }))
          counts.push(gpu.counters.dispatches);
        const perToken = counts.slice(1).map((count, i) => count - counts[i]!);
        // Replays alone, after the first token's capture.
        for (const count of perToken) expect(count).toBeLessThanOrEqual(former);
        graph.dispose();
        for (const thing of [ids, state, session, model]) thing.dispose();
      });
    },
    name,
  );
}
