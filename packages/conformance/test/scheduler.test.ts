import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { setBackend, type BackendDefinition } from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import { Model, Scheduler, Session, type Generation, type GenerationPiece, type ModelConfig } from "@statespace/models";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const HYBRID: ModelConfig = {
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: 301 }, // rows that no device may bind at
  layers: [
    { kind: "attention", nHeads: 4, nHeadsKv: 2, rotaryDim: 4 },
    { kind: "mamba", dState: 5 },
  ],
  head: { kind: "language" },
  norm: "rms",
  initializerRange: 0.3,
};

const DEFINITIONS: readonly (readonly [string, BackendDefinition])[] = [
  [
    "wasm in a worker, 2 threads",
    { ...wasmBackend({ threads: 2, worker: true, parallelWork: 64 }), name: "wasm-worker-two" },
  ],
  ["webgpu", webGpuBackend()],
];

async function piecesOf(generation: Generation): Promise<GenerationPiece[]> {
  const all: GenerationPiece[] = [];
  for await (const piece of generation) all.push(piece);
  return all;
}

for (const [name, definition] of DEFINITIONS) {
  await describeOn(
    definition,
    () => {
      let backend: AnyBackend;
      beforeAll(async () => {
        await setBackend(cpuBackend());
        backend = await startBackend(definition);
      });

      it("what a text gets does not depend on who else is there, and is that of a session", async () => {
        const model = new Model(HYBRID, 5, { backend });
        const wishes = Array.from({ length: 5 }, (_, i) => ({
          prompt: Array.from({ length: 3 + 5 * i }, (_, k) => (k * 37 + i) % 301),
          options: { seed: i, maxNewTokens: 3 + i, temperature: 1.1, topLogprobs: 2, eosTokenIds: [] },
        }));
        const slots = 3;
        const alone: GenerationPiece[][] = [];
        for (const { prompt, options } of wishes) {
          const scheduler = new Scheduler(model, { slots, prefillChunk: 8 });
          alone.push(await piecesOf(scheduler.submit(prompt, options)));
          scheduler.dispose();
        }
        const scheduler = new Scheduler(model, { slots, prefillChunk: 8 });
        const crowd = await Promise.all(
          wishes.map(({ prompt, options }) => piecesOf(scheduler.submit(prompt, options))),
        );
        expect(crowd).toEqual(alone);
        const session = new Session(model, { seed: 2, prefillChunk: 8 });
        await session.read(wishes[2]!.prompt);
        const ids: number[] = [];
        for await (const { id } of session.tokens(wishes[2]!.options)) ids.push(id);
        expect(ids).toEqual(alone[2]!.map(({ id }) => id));
        for (const thing of [scheduler, session, model]) thing.dispose();
      }, 180_000); // a software device compiles some dozens of pipelines
    },
    name,
  );
}
