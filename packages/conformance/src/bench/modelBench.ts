import { AdamW, readFloats, setBackend, tensor, valueAndGrads, type PackedFormat } from "@statespace/core";
import { Decoder, Model, nextTokenTargets, parseModelConfig, prefill } from "@statespace/models";
import type { Bench, Subject } from "./bench.ts";

/** Shape of a model to time, in transformers' words. */
export interface ModelShape {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export const MAMBA_130M: ModelShape = {
  name: "mamba-130m",
  config: { model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, vocab_size: 50280 },
};
export const MAMBA_SMALL: ModelShape = {
  name: "mamba 4 x 256",
  config: { model_type: "mamba", hidden_size: 256, num_hidden_layers: 4, vocab_size: 1024 },
};
export const MAMBA2_130M: ModelShape = {
  name: "mamba2-130m",
  config: {
    model_type: "mamba2",
    hidden_size: 768,
    num_hidden_layers: 24,
    vocab_size: 50288,
    num_heads: 24,
    head_dim: 64,
    state_size: 128,
    n_groups: 1,
    expand: 2,
  },
};

async function onEach(backends: readonly string[], make: (backend: string) => Promise<Subject>): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const backend of backends) {
    await setBackend(backend);
    subjects.push(await make(backend));
  }
  return subjects;
}

/** The models' parity is the golden suite's; here only a broken run must not be timed. */
function checkLogits(name: string, logits: Float32Array): void {
  if (!logits.every(Number.isFinite)) throw new Error(`${name}: logits are not finite`);
}

/** Decoding at batch 1: one captured step, the read of its logits included. */
export function decodeBench(shape: ModelShape, weights: "f32" | PackedFormat): Bench {
  const name = `${shape.name} decode ${weights}`;
  return {
    name,
    work: { tokens: 1 },
    prepare: (backends) =>
      onEach(backends, async (backend) => {
        const model = new Model(parseModelConfig(shape.config), 0);
        if (weights !== "f32") await model.quantize(weights);
        const decoder = new Decoder(model, model.initialState(1), 1);
        let id = 0;
        return {
          label: backend,
          async run() {
            await setBackend(backend);
            id = (id + 31) % model.vocabSize;
            await decoder.next([id]);
          },
          async validate() {
            await setBackend(backend);
            checkLogits(name, await decoder.next([1]));
          },
          dispose() {
            decoder.dispose();
            model.dispose();
          },
        };
      }),
  };
}

/** Reading a prompt. */
export function prefillBench(shape: ModelShape, tokens: number): Bench {
  const name = `${shape.name} prefill ${tokens}`;
  return {
    name,
    work: { tokens },
    prepare: (backends) =>
      onEach(backends, async (backend) => {
        const model = new Model(parseModelConfig(shape.config), 0);
        const prompt = Array.from({ length: tokens }, (_, i) => (i * 7919) % model.vocabSize);
        const once = async (): Promise<void> => {
          await setBackend(backend);
          const { logits, state } = await prefill(model, [prompt]);
          state.dispose();
          checkLogits(name, logits);
        };
        return { label: backend, run: once, validate: once, dispose: () => model.dispose() };
      }),
  };
}

/** A whole training step: loss, gradients, AdamW. */
export function trainBench(shape: ModelShape, batch: number, length: number): Bench {
  const name = `${shape.name} train b=${batch} l=${length}`;
  return {
    name,
    work: { tokens: batch * length },
    prepare: (backends) =>
      onEach(backends, async (backend) => {
        const model = new Model(parseModelConfig(shape.config), 0);
        const optimizer = new AdamW(model.parameters, { learningRate: 1e-4 });
        const row = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % model.vocabSize);
        const ids = tensor(row, [batch, length]);
        const targets = tensor(nextTokenTargets(row, length), [batch, length]);
        const once = async (): Promise<void> => {
          await setBackend(backend);
          const { value, grads } = valueAndGrads(
            () => model.loss(ids, targets),
            optimizer.parameters.map((p) => p.value),
          );
          optimizer.step(grads);
          const [loss] = await readFloats(value);
          for (const t of [value, ...grads]) t?.dispose();
          if (!Number.isFinite(loss)) throw new Error(`${name}: loss is ${loss}`);
        };
        return {
          label: backend,
          run: once,
          validate: once,
          dispose() {
            for (const t of [ids, targets]) t.dispose();
            optimizer.dispose();
            model.dispose();
          },
        };
      }),
  };
}
