import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type {
  Adapter,
  AddAdapterOptions,
  CheckpointStore,
  Freeze,
  OptimizerSettings,
  Schedule,
  TrainingEvent,
} from "@statespace/models";

/** How `fit` trains. */
export interface FitOptions {
  /** Trains an adapter in place of the weights: one that is made so, and switched on, or one that is there. The weights may be packed. */
  readonly adapter?: AddAdapterOptions | Adapter;
  /** Weights that stay as they are: a regular expression that fits whole names, or (parts of) names between dots, of the model's family or ours. */
  readonly freeze?: Freeze;
  /** Intermediate values of each block are computed again for its gradient in place of being kept: more time, a fraction of the memory. */
  readonly recompute?: boolean;
  /**
   * With an adapter on weights in q8 or q4: products with them round what they take to 8 bits, as they do when the model speaks, and on wasm the gradients
   * that come back, too. A step takes less time; gradients are off by some thousandths. Default false.
   */
  readonly roundActivations?: boolean;
  /** Most logits of a language model that are there at once: of more, the loss is computed some tokens at a time. Default 2^26, 256 MiB. */
  readonly logitsAtOnce?: number;
  /** Bytes that a step may take: what needs more is refused before the first one. Default: what WebAssembly can address there, else none. */
  readonly memoryLimit?: number;
  /** Steps of the optimiser; by default 10 epochs of examples, or a pass over a text. */
  readonly steps?: number;
  /** In place of `steps`: how often each example, or each token of a text, is seen. */
  readonly epochs?: number;
  /** Ends after this much time; the schedule then follows the clock. */
  readonly maxMinutes?: number;
  /** Default 8. */
  readonly batchSize?: number;
  /** Tokens in a row of a batch cut from texts, or steps of a forecaster's context; default 128, or half the shortest text or series. */
  readonly seqLen?: number;
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** Other settings of AdamW; `{ kind: "lion" }` or `{ kind: "muon" }` takes another in its place. */
  readonly optimizer?: OptimizerSettings;
  /** Default: cosine with a warm-up over the first twentieth. */
  readonly schedule?: Schedule;
  /** Batches to a step; default 1. */
  readonly accumulate?: number;
  /** Largest norm of all gradients together, `null` for no clipping; default 1. */
  readonly clipNorm?: number | null;
  /** Decay of a moving average of the weights (0.999, say), which is measured and kept in their place. */
  readonly ema?: number;
  /** Share of the data that is kept apart to measure on; default 0.1, 0 for none. */
  readonly heldOut?: number;
  /** Steps between evaluations; default a tenth of the run. */
  readonly evaluateEvery?: number;
  /** Ends the run after this many evaluations without a new lowest loss. */
  readonly patience?: number;
  /** Of the order of the data, the share kept apart, and dropout; default 0. */
  readonly seed?: number;
  /** Where checkpoints go (`folderStore`, `memoryStore`), so that a run can be stopped and resumed. */
  readonly checkpoints?: CheckpointStore;
  /** Steps between checkpoints; with `recover` a twentieth of the run, else by default none but the last. */
  readonly checkpointEvery?: number;
  /** Go on from the newest checkpoint, if there is one; "changed": though settings or data differ. */
  readonly resume?: boolean | "changed";
  /**
   * Where the device is lost (a tab that slept, a driver that restarted), training goes on by itself on a fresh one, from the newest
   * checkpoint, bit for bit as if nothing had happened. Needs `checkpoints`, of which there is then one before the first step too. Default false.
   */
  readonly recover?: boolean;
  /** Told of every step, evaluation and checkpoint. */
  readonly onEvent?: (event: TrainingEvent) => void;
  readonly signal?: AbortSignal;
}

const NAMES = [
  "adapter",
  "freeze",
  "recompute",
  "roundActivations",
  "logitsAtOnce",
  "memoryLimit",
  "steps",
  "epochs",
  "maxMinutes",
  "batchSize",
  "seqLen",
  "learningRate",
  "optimizer",
  "schedule",
  "accumulate",
  "clipNorm",
  "ema",
  "heldOut",
  "evaluateEvery",
  "patience",
  "seed",
  "checkpoints",
  "checkpointEvery",
  "resume",
  "recover",
  "onEvent",
  "signal",
] as const satisfies readonly (keyof FitOptions)[];

/** @throws ArgumentError naming the option that is unknown or out of its range. */
export function checkFitOptions(options: FitOptions): void {
  refuseUnknown("fit", options, NAMES, {
    lora: "adapter",
    peft: "adapter",
    lr: "learningRate",
    maxSteps: "steps",
    gradientCheckpointing: "recompute",
  });
  if (options.adapter !== undefined && options.freeze !== undefined)
    throw new ArgumentError("fit: freeze goes with the weights; an adapter leaves all of them as they are");
  if (options.roundActivations && options.adapter === undefined)
    throw new ArgumentError("fit: roundActivations goes with an adapter on weights that are packed");
  const { steps, epochs, batchSize, seqLen, evaluateEvery, checkpointEvery, heldOut = 0.1 } = options;
  for (const [name, value] of Object.entries({ steps, batchSize, seqLen, evaluateEvery, checkpointEvery }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      throw new ArgumentError(`fit: ${name} must be a whole number >= 1, got ${value}`);
  if (epochs !== undefined && !(epochs > 0 && Number.isFinite(epochs)))
    throw new ArgumentError(`fit: epochs must be > 0, got ${epochs}`);
  if (epochs !== undefined && steps !== undefined) throw new ArgumentError("fit: give steps or epochs, not both");
  const { memoryLimit, logitsAtOnce } = options;
  if (logitsAtOnce !== undefined && !(logitsAtOnce >= 1))
    throw new ArgumentError(`fit: logitsAtOnce must be a number >= 1, got ${logitsAtOnce}`);
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    throw new ArgumentError(`fit: memoryLimit must be > 0 bytes, got ${memoryLimit}`);
  if (!(heldOut >= 0 && heldOut < 1)) throw new ArgumentError(`fit: heldOut must be in [0, 1), got ${heldOut}`);
  if (checkpointEvery !== undefined && options.checkpoints === undefined)
    throw new ArgumentError("fit: checkpointEvery needs checkpoints");
  if (options.recover && options.checkpoints === undefined)
    throw new ArgumentError("fit: recover needs checkpoints to go on from, in a folderStore or memoryStore");
}
