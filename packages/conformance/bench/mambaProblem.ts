import { LanguageModel, NO_TARGET, nextTokenTargets, parseModelConfig, type MambaConfig } from "@statespace/models";

/** One training problem for everybody: the same weights, tokens and optimiser (AdamW without decay), so that losses can be compared step by step. */
export interface Problem {
  readonly model: LanguageModel;
  readonly config: MambaConfig;
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
  const config = parseModelConfig({
    model_type: "mamba",
    hidden_size: 256,
    num_hidden_layers: 4,
    vocab_size: 1024,
  }) as MambaConfig;
  const [batch, length] = [4, 128];
  const model = new LanguageModel(config, 0);
  const ids = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % config.vocabSize);
  return {
    model,
    config,
    batch,
    length,
    ids,
    targets: nextTokenTargets(ids, length),
    learningRate: 1e-4,
    weights: await model.weights(),
  };
}
