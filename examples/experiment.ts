import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend, setBackend } from "@statespace/core";
import { streamTask, type Task, type TokenBatch } from "@statespace/datasets";
import {
  cosineSchedule,
  progressReporter,
  train,
  type EvaluationEvent,
  type StepEvent,
  type Trainable,
  type TrainingBatch,
} from "@statespace/models";

/** How an example is run: short, as a test, or in full, as docs/results.md reports it. */
export interface Run {
  readonly full: boolean;
  readonly backend: string;
  /** Another full setting of the example, by name. */
  readonly variant: string;
  /** Models to run; all where none is named. */
  readonly only: readonly string[];
  /** Folder that results are written to. */
  readonly out: string;
  /** Ends training, and its schedule, after so many minutes if its steps are not done before. */
  readonly minutes: number | undefined;
  /** Threads of the wasm backend, where they were told. */
  readonly threads?: number;
  /** What was told of the example's own options; none of them changes what comes out. */
  readonly own: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads `--full`, `--variant V`, `--backend B`, `--threads N`, `--only A,B`, `--minutes M` and `--out DIR`, and the example's own options, each with a value;
 * sets the backend (wasm unless told).
 */
export async function startRun(own: readonly string[] = []): Promise<Run> {
  const { told, rest } = takeOut(own, process.argv.slice(2));
  const { values } = parseArgs({
    args: rest,
    options: {
      full: { type: "boolean", default: false },
      variant: { type: "string", default: "" },
      backend: { type: "string", default: "wasm" },
      threads: { type: "string", default: "" },
      only: { type: "string", default: "" },
      minutes: { type: "string", default: "" },
      out: { type: "string", default: fileURLToPath(new URL("../docs/results", import.meta.url)) },
    },
  });
  for (const backend of [
    cpuBackend(),
    wasmBackend(values.threads === "" ? {} : { threads: Number(values.threads) }),
    webGpuBackend(),
  ])
    registerBackend(backend);
  await setBackend(values.backend);
  return {
    full: values.full,
    variant: values.variant,
    backend: values.backend,
    only: values.only === "" ? [] : values.only.split(","),
    out: values.out,
    minutes: values.minutes === "" ? undefined : Number(values.minutes),
    ...(values.threads === "" ? {} : { threads: Number(values.threads) }),
    own: told,
  };
}

/** What `--name value` tells of some names, and the words beside it. */
function takeOut(names: readonly string[], words: readonly string[]): { told: Record<string, string>; rest: string[] } {
  const told: Record<string, string> = {};
  const rest = [...words];
  for (const name of names) {
    const at = rest.indexOf(`--${name}`);
    if (at < 0) continue;
    const [, value] = rest.splice(at, 2);
    if (value === undefined) throw new Error(`--${name} needs a value`);
    told[name] = value;
  }
  return { told, rest };
}

export interface TaskRun {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Held-out rows of an evaluation. */
  readonly heldOutRows: number;
  readonly evaluateEvery: number;
  /** Stop once this share of held-out answers is right. */
  readonly until?: number;
  readonly weightDecay?: number;
  /** Time limit, in minutes. */
  readonly minutes?: number | undefined;
}

/** What came of training on a task. */
export interface TaskResult {
  readonly parameters: number;
  readonly steps: number;
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
  /** [step, held-out accuracy] */
  readonly curve: readonly (readonly [number, number])[];
}

/** Trains on a synthetic task; accuracy is of rows that training never draws. */
export async function trainTask(trainable: Trainable, task: Task<TokenBatch>, run: TaskRun): Promise<TaskResult> {
  const { batchSize, seed } = run;
  const heldOut = (): TrainingBatch[] => {
    const stream = streamTask(task, { batchSize, seed, split: "validation" });
    return Array.from({ length: Math.ceil(run.heldOutRows / batchSize) }, () => ({
      ...stream.nextBatch(),
      reset: true,
    }));
  };
  const evaluations: EvaluationEvent[] = [];
  let last: StepEvent | undefined;
  const show = progressReporter(process.stderr);
  const events = train(trainable, streamTask(task, { batchSize, seed }), {
    steps: run.steps,
    optimizer: { learningRate: run.learningRate, weightDecay: run.weightDecay ?? 0, beta2: 0.98 },
    schedule: cosineSchedule({ warmUp: 0.05, final: 0.05 }),
    ...(run.minutes === undefined ? {} : { maxMinutes: run.minutes }),
    evaluation: { every: run.evaluateEvery, batches: heldOut },
    seed,
  });
  for await (const event of events) {
    show(event);
    if (event.kind === "step") last = event;
    if (event.kind === "evaluation") evaluations.push(event);
    if (event.kind === "evaluation" && event.accuracy! >= (run.until ?? 2)) break;
  }
  const final = evaluations.at(-1)!;
  return {
    parameters: trainable.parameters.reduce((total, { size }) => total + size, 0),
    steps: final.step,
    seconds: last!.seconds,
    loss: final.loss,
    accuracy: final.accuracy!,
    curve: evaluations.map(({ step, accuracy }) => [step, accuracy!]),
  };
}

/** Keeps the numbers of a full run, one entry a variant, with the command and the machine they come from; `results.ts` makes pages of them. */
export function saveResults(name: string, run: Run, setting: object, results: object): void {
  mkdirSync(run.out, { recursive: true });
  const only = run.only.length === 0 ? "" : run.only.join("-");
  const file = basename(process.argv[1]!).replace(/\.mjs$/, ".ts"); // a bundle is named after its source
  const command = `node --conditions=statespace-source examples/${file} --full${run.variant === "" ? "" : ` --variant ${run.variant}`} --backend ${run.backend}${only === "" ? "" : ` --only ${run.only.join(",")}`}${run.minutes === undefined ? "" : ` --minutes ${run.minutes}`}${run.threads === undefined ? "" : ` --threads ${run.threads}`}`;
  const machine = { node: process.version, cores: availableParallelism(), backend: run.backend };
  writeFileSync(
    join(run.out, `${name}${only === "" ? "" : `.${only}`}.json`),
    `${JSON.stringify({ command, measured: measuredAt(), machine, setting, results }, null, 1)}\n`,
  );
}

/** The commit that the program stands on, and the day. */
function measuredAt(): { readonly commit: string; readonly date: string } {
  const commit = execFileSync("git", ["rev-parse", "--short=8", "HEAD"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  return { commit: commit.trim(), date: new Date().toISOString().slice(0, 10) };
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
