import {
  Model,
  NO_TARGET,
  nextTokenTargets,
  parseModelConfig,
  publishedWeights,
  type MambaMixerConfig,
} from "@statespace/models";

/** One training problem for everybody: the same weights, tokens and optimiser (AdamW without decay), so that losses can be compared step by step. */
export interface Problem {
  readonly model: Model;
  /** Of each of its layers. */
  readonly config: MambaMixerConfig & { readonly nLayer: number; readonly vocabSize: number; readonly normEps: number };
  readonly batch: number;
  readonly length: number;
  readonly ids: Int32Array;
  readonly targets: Int32Array;
  readonly learningRate: number;
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}

/** A contender: `step` trains once and gives the loss before the update. */
export interface Trainer {
  readonly label: string;
  readonly note: string;
  step(): Promise<number>;
  close(): void;
}

/** Where the targets hold no token. */
export const ignored: number = NO_TARGET;

/** 4 layers of d = 256 on 4 rows of 128 tokens, vocabulary 1,024: `mamba 4 x 256` of the other benches. Needs a backend set. */
export async function makeProblem(): Promise<Problem> {
  const [batch, length] = [4, 128];
  const model = new Model(
    parseModelConfig({ model_type: "mamba", hidden_size: 256, num_hidden_layers: 4, vocab_size: 1024 }),
    0,
  );
  const { vocabSize } = model;
  const { layers, normEps } = model.resolved;
  const mixer = layers[0]!.mixers[0]!.config as MambaMixerConfig;
  const ids = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % vocabSize);
  return {
    model,
    config: { ...mixer, nLayer: layers.length, vocabSize, normEps },
    batch,
    length,
    ids,
    targets: nextTokenTargets(ids, length),
    learningRate: 1e-4,
    weights: await publishedWeights(model),
  };
}
