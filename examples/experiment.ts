import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend, setBackend } from "@statespace/core";
import { streamTask, type Task, type TokenBatch } from "@statespace/datasets";
import { cosineSchedule, progressReporter, train, type EvaluationEvent, type StepEvent, type Trainable, type TrainingBatch } from "@statespace/models";

/** How an example is run: short, as a test, or in full, as docs/results.md reports it. */
export interface Run {
  readonly full: boolean;
  readonly backend: string;
  /** Variants to run; all where none is named. */
  readonly only: readonly string[];
}

/** Reads `--full`, `--backend B` and `--only A,B`, and sets the backend (wasm unless told). */
export async function startRun(): Promise<Run> {
  const { values } = parseArgs({ options: { full: { type: "boolean", default: false }, backend: { type: "string", default: "wasm" }, only: { type: "string", default: "" } } });
  for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()]) registerBackend(backend);
  await setBackend(values.backend);
  return { full: values.full, backend: values.backend, only: values.only === "" ? [] : values.only.split(",") };
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
  readonly clipNorm?: number;
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
    return Array.from({ length: Math.ceil(run.heldOutRows / batchSize) }, () => ({ ...stream.nextBatch(), reset: true }));
  };
  const evaluations: EvaluationEvent[] = [];
  let last: StepEvent | undefined;
  const show = progressReporter(process.stderr);
  const events = train(trainable, streamTask(task, { batchSize, seed }), {
    steps: run.steps,
    optimizer: { learningRate: run.learningRate, weightDecay: run.weightDecay ?? 0.01, beta2: 0.98 },
    schedule: cosineSchedule({ warmUp: 0.05, final: 0.05 }),
    clipNorm: run.clipNorm ?? 1,
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

const docs = new URL("../docs/", import.meta.url);

/** Keeps the numbers of a full run in docs/results, with the command and the machine they come from. */
export function saveResults(name: string, run: Run, results: object): void {
  const folder = new URL("results/", docs);
  mkdirSync(folder, { recursive: true });
  const command = `node --conditions=statespace-source examples/${name}.ts --full --backend ${run.backend}`;
  const machine = { node: process.version, cores: availableParallelism(), backend: run.backend };
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ command, machine, ...results }, null, 1)}\n`);
}

export function savePlot(name: string, svg: string): void {
  const folder = new URL("plots/", docs);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.svg`, folder), svg);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
