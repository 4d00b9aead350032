import { ArgumentError } from "@statespace/core";
import {
  activeAdapter,
  Adapter,
  addAdapter,
  checkedTimes,
  adapterObjective,
  denoiseObjective,
  LoadedModel,
  modelObjective,
  trainedParameters,
  usualGap,
  train,
  type AddAdapterOptions,
  type Evaluation,
  type Model,
  type Trainable,
  type TrainingBatch,
  type TrainingEvent,
  type TrainingStream,
} from "@statespace/models";
import type { ChatTemplate, Tokenizer } from "@statespace/text";
import { fromDialogues, type Dialogue } from "./dialogues.ts";
import { ExampleSet, type Examples } from "./examples.ts";
import { checkFitOptions, type FitOptions } from "./fitOptions.ts";
import { checkMemory } from "./memoryCheck.ts";
import { recovering } from "./recovering.ts";
import { contextOf, windowsOf, type Series } from "./series.ts";
import { fromSounds, type Sounds } from "./sounds.ts";
import { fromIds, fromTexts } from "./texts.ts";

/** A model, or one that was loaded, with its tokenizer and chat template. */
export type Fittable =
  | Model
  | {
      readonly model: Model;
      readonly tokenizer?: Tokenizer | undefined;
      readonly template?: ChatTemplate | undefined;
    };

/**
 * What a model can be trained on: a text, documents, conversations or prompts with completions (of a language model; of the latter two the
 * answers are learnt), ids, sequences with targets, series to forecast, sounds to free of noise, or any endless
 * stream of batches.
 */
export type FitData =
  | string
  | readonly string[]
  | readonly Dialogue[]
  | Int32Array
  | Examples
  | Series
  | Sounds
  | TrainingStream;

/** What came of a run. */
export interface FitResult {
  readonly steps: number;
  readonly seconds: number;
  /** Of the last step. */
  readonly loss: number;
  /** The lowest loss on what was kept apart, whose weights the model has now. */
  readonly heldOut?: Evaluation;
  /** What was trained in place of the weights; it is on. */
  readonly adapter?: Adapter;
}

const DEFAULT_BATCH = 8;
const DEFAULT_LENGTH = 128;
const DEFAULT_EPOCHS = 10;
const DIALOGUE_EPOCHS = 3;

/**
 * Trains a model on data, in place: a fresh one, or a checkpoint that goes on learning. Of what is kept apart (a tenth unless told), the
 * weights of the lowest loss stay.
 * @throws ArgumentError naming the option that is unknown, or the example that does not fit the model, before the first step; what `train` throws.
 */
export async function fit(what: Fittable, data: FitData, options: FitOptions = {}): Promise<FitResult> {
  checkFitOptions(options);
  const prepared = prepare(what, data, options);
  await measureUnits("model" in what ? what.model : what, prepared);
  const steps = stepsOf(prepared, options);
  const { learningRate, optimizer, heldOut: _, epochs: __, batchSize: ___, seqLen: ____, ...rest } = options;
  const {
    evaluateEvery = Math.max(1, Math.ceil((steps ?? 1000) / 10)),
    patience,
    checkpoints,
    recover = false,
    checkpointEvery = recover ? Math.max(1, Math.ceil((steps ?? 1000) / 20)) : undefined,
  } = options;
  const { schedule, accumulate, clipNorm, ema, seed, resume, maxMinutes, signal } = rest;
  const model = "model" in what ? what.model : what;
  const { objective, adapter } = await objectiveOf(what, options);
  checkMemory(model, objective, prepared.stream, {
    memoryLimit: options.memoryLimit,
    accumulate,
    optimizer: optimizer?.kind,
  });
  const result = { steps: 0, seconds: 0, loss: Number.NaN, heldOut: undefined as Evaluation | undefined };
  const settings = {
    ...(steps !== undefined && { steps }),
    ...(maxMinutes !== undefined && { maxMinutes }),
    optimizer: { ...optimizer, ...(learningRate !== undefined && { learningRate }) },
    ...(schedule && { schedule }),
    ...(accumulate !== undefined && { accumulate }),
    ...(clipNorm !== undefined && { clipNorm }),
    ...(ema !== undefined && { ema }),
    ...(seed !== undefined && { seed }),
    ...(signal && { signal }),
    ...(prepared.heldOut && {
      evaluation: {
        batches: prepared.heldOut,
        every: evaluateEvery,
        keepBest: true,
        ...(patience !== undefined && { patience }),
      },
    }),
    ...(checkpoints && {
      checkpoints: { store: checkpoints, first: recover, ...(checkpointEvery && { every: checkpointEvery }) },
    }),
  };
  const run = (again: boolean): AsyncIterable<TrainingEvent> =>
    train(objective, prepared.stream, { ...settings, resume: again ? resume || true : (resume ?? false) });
  const loaded = what instanceof LoadedModel ? what : undefined;
  const events =
    recover && checkpoints ? recovering(run, { model, loaded, objective, store: checkpoints }) : run(false);
  for await (const event of events) {
    options.onEvent?.(event);
    if (event.kind === "step") result.loss = event.loss;
    if (event.kind === "end") Object.assign(result, { steps: event.step, seconds: event.seconds });
    if (event.kind === "evaluation" && event.isBest) {
      const { loss, accuracy, targets } = event;
      result.heldOut = { loss, targets, ...(accuracy !== undefined && { accuracy }) };
    }
  }
  const { heldOut, ...figures } = result;
  return { ...figures, ...(heldOut && { heldOut }), ...(adapter && { adapter }) };
}

/** What is trained: an adapter, or the weights, or some of them. */
async function objectiveOf(
  what: Fittable,
  { adapter: wanted, freeze, recompute = false, roundActivations = false, logitsAtOnce }: FitOptions,
): Promise<{ readonly objective: Trainable; readonly adapter?: Adapter }> {
  const model = "model" in what ? what.model : what;
  const adapter = wanted === undefined ? undefined : await adapterOf(what, wanted);
  const how = { recompute, ...(logitsAtOnce !== undefined && { logitsAtOnce }) };
  if (adapter !== undefined) return { objective: adapterObjective(adapter, { ...how, roundActivations }), adapter };
  const [packed] = model.formats.values();
  if (packed !== undefined)
    throw new ArgumentError(
      `fit: weights that are packed as ${packed} cannot be trained; train an adapter ({ adapter: { rank: 8 } }), or load the model with { weights: "f32" }`,
    );
  if (activeAdapter(model) !== undefined)
    throw new ArgumentError(
      "fit: an adapter is on; train it ({ adapter }), or switch it off or merge and dispose it first",
    );
  const objective =
    model.resolved.head.kind === "denoising" ? denoiseObjective(model, { recompute }) : modelObjective(model, how);
  return {
    objective: freeze === undefined ? objective : { ...objective, parameters: trainedParameters(model, freeze) },
  };
}

function adapterOf(what: Fittable, wanted: Adapter | AddAdapterOptions): Promise<Adapter> | Adapter {
  const model = "model" in what ? what.model : what;
  if (!(wanted instanceof Adapter))
    return what instanceof LoadedModel ? what.addAdapter(wanted) : addAdapter(model, wanted);
  if (wanted.model !== model) throw new ArgumentError("fit: the adapter is of another model");
  if (wanted.isMerged) throw new ArgumentError("fit: the adapter is merged; unmerge it first");
  return wanted.on();
}

/** Data as batches. */
interface Prepared {
  readonly stream: TrainingStream;
  /** Steps of one pass; unknown of a stream. */
  readonly pass: number | undefined;
  readonly epochs: number;
  readonly heldOut: (() => Iterable<TrainingBatch>) | undefined;
  /** What a model that normalizes by its data is measured on. */
  readonly examples?: ExampleSet;
  readonly apart?: ExampleSet | undefined;
}

/** Gives a model what its numbers and times are measured by, once: what goes on learning keeps what it has. */
async function measureUnits(model: Model, { examples, apart }: Prepared): Promise<void> {
  if (examples === undefined) return;
  const { units, resolved } = model;
  if (units.timeUnit !== undefined) {
    if ((await units.timeUnit.read())[0] === 0) units.timeUnit.assign(Float32Array.of(examples.usualGap()));
    for (const each of [examples, apart]) if (each !== undefined) each.unit = await usualGap(model);
  }
  if (!(await units.waits())) return;
  const { inputMean, inputStd, outputMean, outputStd } = units;
  const { input, output } = examples.measure(inputMean!.size, outputMean?.size);
  inputMean!.assign(input.mean);
  inputStd!.assign(input.std);
  if (output === undefined) return;
  // A forecast goes on where the context ends, so that both are measured alike.
  const same = resolved.head.kind === "forecasting" && outputMean!.size === inputMean!.size;
  outputMean!.assign(same ? input.mean : output.mean);
  outputStd!.assign(same ? input.std : output.std);
}

function prepare(what: Fittable, data: FitData, options: FitOptions): Prepared {
  const loaded = "model" in what ? what : { model: what };
  const { model, tokenizer } = loaded;
  const { batchSize = DEFAULT_BATCH, seqLen, heldOut = 0.1, seed = 0 } = options;
  const { head } = model.resolved;
  if (isDialogues(data)) {
    if (head.kind !== "language")
      throw new ArgumentError(`fit: conversations train a language model; this one's head is ${head.kind}`);
    const packing = { batchSize, seqLen, heldOut, seed };
    const tokens = fromDialogues(data, neededTokenizer(tokenizer, model), loaded.template, packing);
    return {
      ...tokens,
      pass: Math.max(1, Math.ceil(tokens.tokens / (batchSize * tokens.seqLen))),
      epochs: DIALOGUE_EPOCHS,
    };
  }
  if (typeof data === "string" || data instanceof Int32Array || isTexts(data)) {
    if (head.kind !== "language")
      throw new ArgumentError(`fit: texts and ids train a language model; this one's head is ${head.kind}`);
    const cutting = { batchSize, seqLen, heldOut, seed };
    const apart = data instanceof Int32Array ? Math.floor(data.length * (1 - heldOut)) : 0;
    const tokens =
      data instanceof Int32Array
        ? fromIds(
            checkIds(data.subarray(0, apart), model.vocabSize),
            checkIds(data.subarray(apart), model.vocabSize),
            cutting,
          )
        : fromTexts(data, neededTokenizer(tokenizer, model), cutting);
    return { ...tokens, pass: Math.max(1, Math.ceil(tokens.tokens / (batchSize * tokens.seqLen))), epochs: 1 };
  }
  if ("clean" in data) {
    const sounds = fromSounds(data, model, { batchSize, heldOut, seed });
    return { ...sounds, epochs: DEFAULT_EPOCHS };
  }
  if ("nextBatch" in data) return { stream: data, pass: undefined, epochs: 1, heldOut: undefined };
  const [training, apart] =
    "series" in data ? fromSeries(data, model, seqLen, heldOut) : ExampleSet.read(data, model).split(heldOut, seed);
  return {
    stream: training.stream(batchSize, seed),
    pass: Math.max(1, Math.ceil(training.size / batchSize)),
    epochs: DEFAULT_EPOCHS,
    heldOut: apart && (() => apart.batches(batchSize)),
    examples: training,
    apart,
  };
}

const isDialogues = (data: FitData): data is readonly Dialogue[] =>
  Array.isArray(data) && data.length > 0 && data.every((each) => typeof each === "object" && each !== null);

const isTexts = (data: FitData): data is readonly string[] =>
  Array.isArray(data) && data.every((each) => typeof each === "string");

function fromSeries(
  data: Series,
  model: Model,
  seqLen: number | undefined,
  heldOut: number,
): [ExampleSet, ExampleSet | undefined] {
  const { head } = model.resolved;
  if (head.kind !== "forecasting")
    throw new ArgumentError(`fit: series train a forecaster; this model's head is ${head.kind}`);
  checkedTimes(model, data.times, data.series.length, "fit");
  const context = seqLen ?? contextOf(data, head.horizon, heldOut, DEFAULT_LENGTH);
  const windows = windowsOf(data, context, head.horizon, heldOut);
  const read = (examples: Examples): ExampleSet => ExampleSet.read(examples, model);
  return [read(windows.train), windows.heldOut && read(windows.heldOut)];
}

function neededTokenizer(tokenizer: Tokenizer | undefined, model: Model): Tokenizer {
  if (tokenizer === undefined)
    throw new ArgumentError("fit: texts need a tokenizer: give { model, tokenizer }, or ids as an Int32Array");
  if (tokenizer.vocabSize > model.vocabSize)
    throw new ArgumentError(
      `fit: the tokenizer has ${tokenizer.vocabSize} ids, but the model's vocabulary only ${model.vocabSize}`,
    );
  return tokenizer;
}

function checkIds(ids: Int32Array, vocabSize: number): Int32Array {
  const at = ids.findIndex((id) => id < 0 || id >= vocabSize);
  if (at >= 0) throw new ArgumentError(`fit: id must be in [0, ${vocabSize}), got ${ids[at]} at ${at}`);
  return ids;
}

function stepsOf({ pass, epochs }: Prepared, options: FitOptions): number | undefined {
  if (options.steps !== undefined) return options.steps;
  if (options.maxMinutes !== undefined && options.epochs === undefined) return undefined;
  if (pass === undefined) throw new ArgumentError("fit: a stream has no end; give steps or maxMinutes");
  return Math.max(1, Math.round(pass * (options.epochs ?? epochs)));
}
