import { FormatError, Rng, type Parameter } from "@statespace/core";
import type { Optimizer, SavedMoments } from "@statespace/core/backend";
import { layoutSafetensors, parseSafetensors, tensorF32, type FloatTensor } from "@statespace/files";
import type { StreamState } from "./batch.ts";
import type { CheckpointFiles, CheckpointStore } from "./checkpointStore.ts";
import type { CarriedState } from "./objective.ts";
import { differences } from "./runIdentity.ts";

const FORMAT = "statespace.training";
const VERSION = 1;
const MODEL = "model.safetensors";
const OPTIMIZER = "optimizer.safetensors";
const CARRIED = "carried.safetensors";
const AVERAGE = "average.safetensors";
const BEST = "best.safetensors";
const STATE = "training.json";

/** Counters of a run: together with weights, moments and carried state, all that the rest of the run depends on. */
export interface TrainingProgress {
  /** Steps taken. */
  step: number;
  /** Steps of sequences seen. */
  tokens: number;
  /** Time spent training, over all sittings. */
  seconds: number;
  /** Lowest loss of an evaluation so far. */
  best: number | null;
  /** Evaluations since then. */
  stale: number;
  /** Step of the last evaluation; 0 before the first. */
  evaluated: number;
}

/** What a training checkpoint is made from and restored into. */
export interface Snapshot {
  readonly parameters: readonly Parameter[];
  readonly optimizer: Optimizer;
  readonly carried: CarriedState | undefined;
  /** Moving average of the weights, and those of the lowest loss so far, by name. */
  readonly average?: ReadonlyMap<string, Float32Array> | undefined;
  readonly kept?: ReadonlyMap<string, Float32Array> | undefined;
  readonly progress: Readonly<TrainingProgress>;
  readonly data: StreamState;
  readonly rng: Rng;
  /** See `runIdentity`. */
  readonly run: StreamState;
}

/** Name of the checkpoint after a number of steps; names sort as the numbers do. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, "0")}`;
}

/** Reads everything back from the device and writes one checkpoint. */
export async function saveTraining(store: CheckpointStore, snapshot: Snapshot, signal?: AbortSignal): Promise<string> {
  const { parameters, optimizer, carried, average, kept, progress, data, rng, run } = snapshot;
  const weights = new Map<string, FloatTensor>();
  for (const { name, shape, value } of parameters.map((p) => ({ name: p.name, shape: p.shape, value: p })))
    weights.set(name, { shape, values: await value.read() });
  const { steps, moments } = await optimizer.save();
  const state = {
    format: FORMAT,
    version: VERSION,
    ...progress,
    optimizerSteps: steps,
    data,
    rng: rng.state(),
    carriesState: carried !== undefined,
    ...(average && { average: true }),
    ...(kept && { kept: true }),
    run,
  };
  const files = new Map<string, () => Iterable<Uint8Array>>([
    [MODEL, () => layoutSafetensors(weights).chunks()],
    [OPTIMIZER, () => layoutSafetensors(momentTensors(moments)).chunks()],
  ]);
  if (carried !== undefined) {
    const bytes = await carried.toBytes();
    files.set(CARRIED, () => [bytes]);
  }
  if (average !== undefined) files.set(AVERAGE, () => layoutSafetensors(flatTensors(average)).chunks());
  if (kept !== undefined) files.set(BEST, () => layoutSafetensors(flatTensors(kept)).chunks());
  files.set(STATE, () => [new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`)]);
  const name = checkpointName(progress.step);
  await store.write(name, files satisfies CheckpointFiles, signal);
  return name;
}

function flatTensors(values: ReadonlyMap<string, Float32Array>): Map<string, FloatTensor> {
  return new Map([...values].map(([name, each]) => [name, { shape: [each.length], values: each }]));
}

function momentTensors(moments: SavedMoments): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  for (const [name, own] of moments)
    for (const [moment, values] of Object.entries(own))
      tensors.set(`${moment}.${name}`, { shape: [values.length], values });
  return tensors;
}

/** What a checkpoint holds besides weights and moments. */
export interface Restored {
  readonly progress: TrainingProgress;
  readonly data: StreamState;
  readonly rng: Rng;
  readonly carried: Uint8Array | undefined;
  readonly average: ReadonlyMap<string, Float32Array> | undefined;
  readonly kept: ReadonlyMap<string, Float32Array> | undefined;
  /** Places where the run differs from the one that wrote the checkpoint, where that was allowed. */
  readonly changed: readonly string[];
}

/**
 * Puts a checkpoint's weights and moments in place and returns the rest. Everything is read and checked before anything changes.
 * @param run of the run that goes on; `mayDiffer` allows a checkpoint of one with other settings or data.
 * @throws FormatError for a checkpoint of another model or run, or a damaged one.
 */
export async function restoreTraining(
  store: CheckpointStore,
  name: string,
  parameters: readonly Parameter[],
  optimizer: Optimizer,
  run: { readonly identity: StreamState; readonly mayDiffer: boolean },
): Promise<Restored> {
  const state = parseState(await store.read(name, STATE), name);
  const changed = state.run === undefined ? [] : differences(state.run, run.identity);
  if (changed.length > 0 && !run.mayDiffer)
    throw new FormatError(`checkpoint ${name}: is of another run: ${changed.join("; ")} (resume: "changed" goes on)`);
  const values = await readWeights(store, name, parameters);
  const saved = parseSafetensors(await store.read(name, OPTIMIZER), `${name}/${OPTIMIZER}`);
  const moments = new Map(
    optimizer.parameters.map((parameter) => [
      parameter.name,
      Object.fromEntries(
        optimizer.momentsOf(parameter).map((moment) => [moment, tensorF32(saved, `${moment}.${parameter.name}`)]),
      ),
    ]),
  );
  const carried = state.carriesState ? await store.read(name, CARRIED) : undefined;
  const weightsOf = async (file: string): Promise<Map<string, Float32Array>> => {
    const own = parseSafetensors(await store.read(name, file), `${name}/${file}`);
    return new Map(parameters.filter((each) => each.trainable).map((each) => [each.name, tensorF32(own, each.name)]));
  };
  const average = state.average ? await weightsOf(AVERAGE) : undefined;
  const kept = state.kept ? await weightsOf(BEST) : undefined;
  optimizer.restore({ steps: state.optimizerSteps, moments });
  parameters.forEach((parameter, i) => parameter.assign(values[i]!));
  const { step, tokens, seconds, best, stale, evaluated } = state;
  return {
    progress: { step, tokens, seconds, best, stale, evaluated },
    data: state.data,
    rng: Rng.fromState(state.rng),
    carried,
    average,
    kept,
    changed,
  };
}

/** A checkpoint's values of parameters. @throws FormatError for a checkpoint of another model, or a damaged one */
async function readWeights(
  store: CheckpointStore,
  name: string,
  parameters: readonly Parameter[],
): Promise<Float32Array[]> {
  const weights = parseSafetensors(await store.read(name, MODEL), `${name}/${MODEL}`);
  return parameters.map((parameter) => {
    const found = weights.tensors.get(parameter.name);
    if (found?.shape.join() !== parameter.shape.join()) {
      throw new FormatError(
        `checkpoint ${name}: ${parameter.name} must be [${parameter.shape.join(", ")}], got ${found ? `[${found.shape.join(", ")}]` : "nothing"}`,
      );
    }
    return tensorF32(weights, parameter.name);
  });
}

/**
 * Puts the weights of the newest checkpoint in their place, on a fresh device where the one they were on is lost: moments and counters
 * follow when `train` resumes. @throws FormatError where there is none, or it is of another model
 */
export async function restoreWeights(store: CheckpointStore, parameters: readonly Parameter[]): Promise<void> {
  const newest = (await store.names()).at(-1);
  if (newest === undefined) throw new FormatError("train: there is no checkpoint to go on from");
  const values = await readWeights(store, newest, parameters);
  parameters.forEach((parameter, i) => parameter.assign(values[i]!));
}

interface SavedState extends TrainingProgress {
  readonly optimizerSteps: number;
  readonly data: StreamState;
  readonly rng: number[];
  readonly carriesState: boolean;
  readonly average?: boolean;
  readonly kept?: boolean;
  /** Absent in checkpoints of version 0.1. */
  readonly run?: StreamState;
}

function parseState(bytes: Uint8Array, name: string): SavedState {
  let state: Partial<SavedState> & { format?: unknown; version?: unknown };
  try {
    state = JSON.parse(new TextDecoder().decode(bytes)) as typeof state;
  } catch (cause) {
    throw new FormatError(`checkpoint ${name}: ${STATE} is not JSON`, { cause });
  }
  if (state?.format !== FORMAT || state.version !== VERSION)
    throw new FormatError(`checkpoint ${name}: ${STATE} is not a training state of version ${VERSION}`);
  for (const key of ["step", "tokens", "seconds", "stale", "evaluated", "optimizerSteps"] as const) {
    if (typeof state[key] !== "number" || !(state[key] >= 0))
      throw new FormatError(`checkpoint ${name}: ${key} must be a number >= 0`);
  }
  if (state.best !== null && typeof state.best !== "number")
    throw new FormatError(`checkpoint ${name}: best must be a number or null`);
  if (!Array.isArray(state.rng)) throw new FormatError(`checkpoint ${name}: rng must be a list`);
  return state as SavedState;
}

/** Removes all but the newest `keep` checkpoints. */
export async function pruneCheckpoints(store: CheckpointStore, keep: number): Promise<void> {
  const names = await store.names();
  for (const name of names.slice(0, Math.max(0, names.length - keep))) await store.remove(name);
}
