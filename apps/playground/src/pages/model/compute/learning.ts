import { ArgumentError } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { evaluationBatches, randomCrops, splitText } from "@statespace/datasets";
import {
  adapterFiles,
  adapterObjective,
  addAdapter,
  fromPretrained,
  Model,
  modelObjective,
  pretrainedBlobs,
  Session,
  train,
  type Adapter,
  type CheckpointStore,
  type Trainable,
  type TrainingEvent,
} from "@statespace/models";
import { loadTokenizer, tokenizerFiles, type Tokenizer } from "@statespace/text";
import type { KeptModel } from "../../../workers/modelChoice.ts";
import { openChoice } from "../../../workers/modelSource.ts";
import { frequencyBits } from "../frequencies.ts";
import { glance, sentenceOf, type Glances } from "./glance.ts";
import { joined } from "./checkpoints.ts";
import type { Job, Settings } from "./job.ts";
import { vocabularyOf } from "./vocabulary.ts";

/** Rows of a batch. An adapter's model is larger. */
const ROWS = { trained: 8, tuned: 4 } as const;
const LEARNING_RATE = { trained: 5e-3, tuned: 5e-3 } as const;
const APART = 0.1;
const APART_LENGTH = 256;
/** Tokens that are measured on, at most. */
const APART_TOKENS = 4096;
/** Evaluations of a run, and checkpoints. */
const EVALUATIONS = 8;
const CHECKPOINTS = 20;
const SAMPLE_TOKENS = 80;
const TEMPERATURE = 0.7;

export interface Fetching {
  readonly signal: AbortSignal;
  /** Where the model lives; by default the backend that is set. */
  readonly backend?: AnyBackend;
  readonly onProgress?: (progress: { file: string; loaded: number; total: number | undefined }) => void;
}

/** A model that learns from the visitor's text. */
export class Learning {
  readonly job: Job;
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly adapter: Adapter | undefined;
  readonly #train: Int32Array;
  readonly #apart: Int32Array;

  private constructor(job: Job, model: Model, tokenizer: Tokenizer, adapter: Adapter | undefined) {
    this.job = job;
    this.model = model;
    this.tokenizer = tokenizer;
    this.adapter = adapter;
    const { train: part, test } = splitText(job.text, { validation: 0, test: APART });
    this.#train = tokenizer.encode(part);
    this.#apart = tokenizer.encode(test).subarray(0, APART_TOKENS);
  }

  /** A new model, or one that is loaded, with an adapter. @throws FormatError for one without a tokenizer; what loading throws */
  static async begin(job: Job, fetching: Fetching): Promise<Learning> {
    const { which, text, base, settings } = job;
    if (which === "trained") {
      const tokenizer = vocabularyOf(text);
      return new Learning(job, newModel(tokenizer, settings, fetching.backend), tokenizer, undefined);
    }
    const { model, tokenizer } = await loadModel(base!, fetching);
    try {
      const adapter = await addAdapter(model, { rank: settings.rank, alpha: 2 * settings.rank, seed: settings.seed });
      return new Learning(job, model, tokenizer, adapter);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** Bits a token of one who knows how frequent each token of the text is. */
  get frequency(): number {
    return frequencyBits(this.#train);
  }

  /** Learns, from the newest checkpoint on where there is one and `resume` says so. */
  async *run(store: CheckpointStore, resume: boolean, signal: AbortSignal): AsyncGenerator<TrainingEvent> {
    const { which, settings } = this.job;
    const { steps, seed } = settings;
    const seqLen = Math.min(settings.length, this.#train.length - 1);
    if (seqLen < 1) throw new ArgumentError("the text has too few tokens");
    const objective: Trainable =
      this.adapter === undefined ? modelObjective(this.model) : adapterObjective(this.adapter);
    const stream = randomCrops(this.#train, { batchSize: ROWS[which], seqLen, seed });
    const every = Math.max(1, Math.ceil(steps / EVALUATIONS));
    yield* train(objective, stream, {
      steps,
      seed,
      optimizer: { learningRate: LEARNING_RATE[which], weightDecay: which === "trained" ? 0.05 : 0 },
      ...(this.#apart.length > 1 && {
        evaluation: { batches: () => evaluationBatches(this.#apart, APART_LENGTH), every },
      }),
      checkpoints: { store, every: Math.max(5, Math.ceil(steps / CHECKPOINTS)), keep: 1 },
      resume,
      signal,
    });
  }

  /** What the model writes now, on its own: always from the same beginning and with the same draws, so that samples can be compared. */
  async sample(signal: AbortSignal): Promise<string> {
    const { text } = this.job;
    // a new line where the text has some: there the model chooses by itself what to begin with
    const beginning = this.adapter === undefined && text.trim().includes("\n") ? "\n" : [...text].slice(0, 8).join("");
    let written = beginning;
    for await (const piece of this.write(beginning, {
      tokens: SAMPLE_TOKENS,
      temperature: TEMPERATURE,
      seed: 1,
      signal,
    }))
      written += piece;
    return written.trim();
  }

  /** How long the layers look at each token of the text's beginning, after what was seen before. */
  glance(step: number, before: Glances | undefined): Promise<Glances> {
    return glance(this.model, this.tokenizer, sentenceOf(this.#train), step, before);
  }

  async *write(
    prompt: string,
    { tokens, temperature, seed, signal }: { tokens: number; temperature: number; seed: number; signal: AbortSignal },
  ): AsyncGenerator<string, void, undefined> {
    yield* writing(this.model, this.tokenizer, prompt, { tokens, temperature, seed, signal });
  }

  /** The model as folders that Hugging Face's libraries load; an adapter is merged into the weights then, and the learning is over. */
  async toFiles(steps: number): Promise<KeptModel> {
    const { model, tokenizer, adapter, job } = this;
    const texts = tokenizerFiles(tokenizer);
    const kept =
      adapter === undefined ? undefined : await bytesOf(await adapterFiles(adapter, { files: texts, ...baseOf(job) }));
    const adapterWeights = adapter?.parameters.reduce((sum, { size }) => sum + size, 0);
    await adapter?.merge();
    const generation = { do_sample: true, temperature: TEMPERATURE, ...endOf(tokenizer) };
    const blobs = await pretrainedBlobs(model, {
      dtype: "F32",
      files: { ...texts, "generation_config.json": `${JSON.stringify(generation, null, 2)}\n` },
    });
    const files: Record<string, Uint8Array> = {};
    for (const [name, blob] of blobs) files[name] = new Uint8Array(await blob.arrayBuffer());
    const { dModel, layers } = model.config;
    return {
      files,
      ...(kept && { adapter: kept }),
      facts: {
        title: job.title,
        weights: model.size,
        layers: layers.length,
        dModel,
        vocabSize: model.vocabSize,
        steps,
        bytes: Object.values(files).reduce((sum, { length }) => sum + length, 0),
        ...(adapterWeights !== undefined && { adapterWeights }),
      },
    };
  }

  dispose(): void {
    this.adapter?.dispose();
    this.model.dispose();
  }
}

/** Goes on from a prompt. */
export async function* writing(
  model: Model,
  tokenizer: Tokenizer,
  prompt: string,
  { tokens, temperature, seed, signal }: { tokens: number; temperature: number; seed: number; signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  const session = new Session(model, { tokenizer, seed });
  try {
    await session.read(prompt, { signal });
    yield* session.stream({ maxNewTokens: tokens, temperature, signal });
  } finally {
    session.dispose();
  }
}

export async function loadModel(
  choice: NonNullable<Job["base"]>,
  { signal, backend, onProgress }: Fetching,
): Promise<{ model: Model; tokenizer: Tokenizer }> {
  const source = await openChoice(choice);
  const tokenizer = await loadTokenizer(source, { signal });
  if (tokenizer === undefined) throw new ArgumentError("tokenizer.json is missing, and without it no text can be read");
  return { model: await fromPretrained(source, { signal, backend, ...(onProgress && { onProgress }) }), tokenizer };
}

function newModel(tokenizer: Tokenizer, { width, layers, seed }: Settings, backend: AnyBackend | undefined): Model {
  const end = tokenizer.eosId!;
  return new Model(
    {
      family: "mamba",
      dModel: width,
      norm: "rms",
      encoder: { kind: "embedding", vocabSize: tokenizer.vocabSize },
      layers: Array.from({ length: layers }, () => ({ kind: "mamba" }) as const),
      head: { kind: "language", tie: true },
      initializerRange: 0.02,
      rescalePrenormResidual: true,
      bosTokenId: end,
      eosTokenIds: [end],
      padTokenId: end,
    },
    seed,
    { backend },
  );
}

const endOf = ({ eosId }: Tokenizer): object => (eosId === undefined ? {} : { eos_token_id: eosId });

const baseOf = ({ base }: Job): { baseModel?: string } => (base?.kind === "url" ? { baseModel: base.url } : {});

async function bytesOf(files: ReadonlyMap<string, () => Iterable<Uint8Array>>): Promise<Record<string, Uint8Array>> {
  const out: Record<string, Uint8Array> = {};
  for (const [name, chunks] of files) out[name] = await joined(chunks());
  return out;
}
