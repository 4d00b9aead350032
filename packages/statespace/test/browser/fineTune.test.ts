import {
  fit,
  Model,
  models,
  readFloats,
  setBackend,
  stopBackend,
  tensor,
  tidy,
  wasmBackend,
  type TrainingEvent,
} from "statespace";
import { ByteTokenizer } from "@statespace/text";
import { expect, it } from "vitest";

/** As a page that lets its user keep a file: what is behind a link with a download. */
async function downloaded(name: string, parts: readonly Uint8Array[]): Promise<File> {
  const address = URL.createObjectURL(new Blob(parts as Uint8Array<ArrayBuffer>[]));
  try {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    return new File([await (await fetch(link.href)).blob()], name);
  } finally {
    URL.revokeObjectURL(address);
  }
}

const base = (): Promise<Model> =>
  new Model(
    {
      family: "mamba2",
      dModel: 64,
      norm: "rms",
      encoder: { kind: "embedding", vocabSize: 257 },
      layers: [1, 2].map(() => ({ kind: "mamba2", dState: 32, headDim: 32 }) as const),
      head: { kind: "language", tie: true },
      initializerRange: 0.1, // as far apart as a trained one's letters: the adapter can only move what the frozen head reads
    },
    1,
  ).quantize("q8");

async function logits(model: Model): Promise<Float32Array> {
  const { output } = tidy(() => model.forward(tensor(Int32Array.of(1, 2, 3, 4), [1, 4], { dtype: "int32" })));
  const values = await readFloats(output);
  output.dispose();
  return values;
}

it("an adapter is trained in a worker, downloaded, and loads again", async () => {
  await setBackend(wasmBackend({ worker: true, threads: 1 }));
  const model = await base();
  const tokenizer = new ByteTokenizer({ special: ["<|endoftext|>"] });
  const texts = Array.from({ length: 12 }, (_, i) => "the sea was calm; ".repeat(2 + (i % 3)));
  const losses: number[] = [];
  const { adapter } = await fit({ model, tokenizer }, texts, {
    adapter: { rank: 8, targetModules: ["in_proj"], seed: 2 },
    steps: 20,
    batchSize: 2,
    seqLen: 32,
    heldOut: 0,
    learningRate: 0.02,
    onEvent: (event: TrainingEvent) => void (event.kind === "step" && losses.push(event.loss)),
  });
  expect(losses).toHaveLength(20);
  expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
  const files: File[] = [];
  for (const [name, chunks] of await models.adapterFiles(adapter!)) files.push(await downloaded(name, [...chunks()]));
  expect(files.map(({ name }) => name).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  const again = await base();
  const before = await logits(again);
  await models.loadAdapter(again, files);
  const tuned = await logits(model);
  expect(await logits(again)).toEqual(tuned);
  expect(before).not.toEqual(tuned);
  for (const each of [model, again]) each.dispose();
  stopBackend("wasm");
});
