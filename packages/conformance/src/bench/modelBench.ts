import { AdamW, readFloats, setBackend, tensor, valueAndGrads, type PackedFormat } from "@statespace/core";
import { Model, nextTokenTargets, parseModelConfig, prefill, Session } from "@statespace/models";
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

/** Two layers of Mamba-2, alone and with one of attention behind them. */
export const MAMBA2_SMALL: ModelShape = { name: "mamba2 2 x 64", config: { layers: ["mamba2", "mamba2"] } };
export const HYBRID_SMALL: ModelShape = {
  name: "mamba2 2 x 64, attention",
  config: { layers: ["mamba2", "mamba2", "attention"] },
};

function makeModel({ config }: ModelShape): Model {
  const { layers } = config as { layers?: readonly ("mamba2" | "attention")[] };
  if (layers === undefined) return new Model(parseModelConfig(config), 0);
  const encoder = { kind: "embedding", vocabSize: 256 } as const;
  return new Model({ dModel: 64, encoder, layers, head: { kind: "language", tie: true }, norm: "rms" }, 0);
}

/** Tokens after which a text is begun anew, so that attention costs what it costs in texts of this length. */
const TEXT = 256;

/** Texts without end, token by token. */
async function* endless(session: Session): AsyncGenerator<number, never, undefined> {
  await session.read([1]);
  const begin = session.keep();
  for (;;) {
    for await (const { id } of session.tokens({ maxNewTokens: TEXT, temperature: 0, eosTokenIds: [] })) yield id;
    session.rewind(begin);
  }
}

/** Decoding at batch 1, greedily: a token of `Session.tokens`, which is what every face of generation runs. */
export function decodeBench(shape: ModelShape, weights: "f32" | PackedFormat): Bench {
  const name = `${shape.name} decode ${weights}`;
  return {
    name,
    work: { tokens: 1 },
    prepare: (backends) =>
      onEach(backends, async (backend) => {
        const model = makeModel(shape);
        if (weights !== "f32") await model.quantize(weights);
        const session = new Session(model);
        const tokens = endless(session);
        return {
          label: backend,
          // Logits that are not to be sampled from throw.
          run: async () => void (await tokens.next()),
          validate: async () => void (await tokens.next()),
          dispose() {
            session.dispose();
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
        const model = makeModel(shape);
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
