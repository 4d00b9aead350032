import { cpuBackend } from "@statespace/backend-cpu";
import { AdamW, memory, readFloats, Rng, setBackend } from "@statespace/core";
import { beforeEach, expect, it } from "vitest";
import {
  countTargets,
  evaluate,
  modelObjective,
  progressReporter,
  progressText,
  toJsonLine,
  train,
  trainStep,
  wsdSchedule,
  type EvaluationEvent,
  type StepEvent,
  type Trainable,
  type TrainingBatch,
  type TrainingEvent,
} from "@statespace/models";
import { BATCH, collect, countingStream, heldOut, tinyModel } from "./tinyRun.ts";

beforeEach(() => setBackend(cpuBackend()));

it("learns to count", async () => {
  const model = tinyModel();
  const options = {
    steps: 120,
    optimizer: { learningRate: 0.02 },
    evaluation: { every: 60, batches: () => heldOut(8) },
  };
  const { events, error } = await collect(train(modelObjective(model), countingStream(5), options));
  expect(error).toBeUndefined();
  const evaluations = events.filter((event): event is EvaluationEvent => event.kind === "evaluation");
  expect(evaluations.map(({ step }) => step)).toEqual([60, 120]);
  // A first token may be followed by only one: every target can be known, and chance is 1/11.
  expect(evaluations[1]!.accuracy).toBeGreaterThan(0.95);
  expect(evaluations[1]!.targets).toBe(8 * BATCH.b * BATCH.l);
  model.dispose();
});

it("frees all it made over 100 steps", async () => {
  const model = tinyModel();
  const warm = await collect(
    train(modelObjective(model), countingStream(5), {
      steps: 2,
      evaluation: { every: 1, batches: () => heldOut(1) },
    }),
  );
  expect(warm.error).toBeUndefined();
  const before = memory();
  await collect(
    train(modelObjective(model, { carryState: true }), countingStream(5), {
      steps: 100,
      accumulate: 2,
      evaluation: { every: 25, batches: () => heldOut(1) },
    }),
  );
  // Left in the middle of a run, too.
  for await (const event of train(modelObjective(model, { carryState: true }), countingStream(5), { steps: 100 }))
    if (event.step === 5) break;
  expect(memory()).toEqual(before);
  model.dispose();
});

/** Rows of several batches as one batch. */
function merged(batches: readonly TrainingBatch[]): TrainingBatch {
  const join = (key: "inputs" | "targets"): Int32Array => Int32Array.from(batches.flatMap((batch) => [...batch[key]]));
  const shape = [batches.reduce((rows, batch) => rows + batch.shape[0]!, 0), batches[0]!.shape[1]!];
  return { inputs: join("inputs"), targets: join("targets"), shape, targetShape: shape };
}

it("accumulates to what one larger batch gives, also where batches hold unequal numbers of targets", async () => {
  const stream = countingStream(7);
  const batches = [stream.nextBatch(), stream.nextBatch(), stream.nextBatch()];
  batches[1] = { ...batches[1]!, targets: Int32Array.from(batches[1]!.targets, (id, i) => (i % 3 === 0 ? id : -100)) };
  expect(batches.map(countTargets)).toEqual([12, 4, 12]);
  const take = async (
    given: readonly TrainingBatch[],
  ): Promise<{ loss: number; norm: number; weights: Float32Array[] }> => {
    const model = tinyModel();
    const optimizer = new AdamW(model.parameters, { learningRate: 0.01, eps: 1e-3 });
    const { measures } = trainStep(modelObjective(model), optimizer, given, {
      learningRate: 0.01,
      clipNorm: 1,
      rng: new Rng(0),
    });
    const [loss, norm] = await readFloats(measures);
    const weights = await Promise.all(model.parameters.map((parameter) => parameter.read()));
    for (const thing of [measures, optimizer, model]) thing.dispose();
    return { loss: loss!, norm: norm!, weights };
  };
  const [parts, whole] = [await take(batches), await take([merged(batches)])];
  // Losses and gradients are sums of about 30 float32 terms in another order: some 2^-24 * sqrt(30) relative each.
  expect(Math.abs(parts.loss / whole.loss - 1)).toBeLessThan(1e-6);
  expect(Math.abs(parts.norm / whole.norm - 1)).toBeLessThan(1e-5);
  parts.weights.forEach((values, i) => {
    // The step is rate * g / (|g| + eps) with eps = 1e-3: an error of 1e-8 in g moves a weight by 0.01 * 1e-8 / 1e-3.
    for (const [j, value] of values.entries()) expect(Math.abs(value - whole.weights[i]![j]!)).toBeLessThan(2e-6);
  });
});

it("carries the state: two halves of a row cost what the whole row costs", async () => {
  const model = tinyModel();
  const objective = modelObjective(model, { carryState: true });
  const { b, l } = BATCH;
  const whole = countingStream(4).nextBatch();
  const half = (from: number, reset: boolean): TrainingBatch => {
    const cut = (ids: ArrayLike<number>): Int32Array =>
      Int32Array.from({ length: (b * l) / 2 }, (_, i) => ids[Math.floor(i / (l / 2)) * l + from + (i % (l / 2))]!);
    return {
      inputs: cut(whole.inputs),
      targets: cut(whole.targets),
      shape: [b, l / 2],
      targetShape: [b, l / 2],
      reset,
    };
  };
  const joined = await evaluate(objective, [whole]);
  const carried = await evaluate(objective, [half(0, true), half(l / 2, false)]);
  const torn = await evaluate(objective, [half(0, true), half(l / 2, true)]);
  // The same scan cut in two: each loss rounds to float32 a few times.
  expect(Math.abs(carried.loss - joined.loss)).toBeLessThan(1e-6);
  expect(Math.abs(torn.loss - joined.loss)).toBeGreaterThan(1e-4);
  model.dispose();
});

it("starts each training batch from the state after the one before, unless it says reset", async () => {
  const model = tinyModel();
  const objective = modelObjective(model, { carryState: true });
  const seen: boolean[] = [];
  const watching: Trainable = {
    ...objective,
    loss: (batch, context) => (
      seen.push(context.carried !== undefined && !batch.reset),
      objective.loss(batch, context)
    ),
  };
  await collect(train(watching, countingStream(5), { steps: 6 }));
  expect(seen).toEqual([false, true, true, true, false, true]);
  model.dispose();
});

it("follows the schedule step by step", async () => {
  const model = tinyModel();
  const { events } = await collect(
    train(modelObjective(model), countingStream(5), {
      steps: 10,
      optimizer: { learningRate: 0.5 },
      schedule: wsdSchedule({ warmUp: 0.2, decay: 0.4 }),
    }),
  );
  const rates = events
    .filter((event): event is StepEvent => event.kind === "step")
    .map(({ learningRate }) => Number(learningRate.toFixed(9)));
  expect(rates).toEqual([0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125, 0]);
  model.dispose();
});

it("ends with its time, rates included", async () => {
  const model = tinyModel();
  const { events } = await collect(
    train(modelObjective(model), countingStream(5), { maxMinutes: 0.5 / 60, schedule: wsdSchedule({ decay: 1 }) }),
  );
  const last = events.at(-1)!;
  expect(last.kind === "end" && last.reason).toBe("time");
  const steps = events.filter((event): event is StepEvent => event.kind === "step");
  expect(steps.length).toBeGreaterThan(3);
  for (const [i, { learningRate }] of steps.slice(1).entries())
    expect(learningRate).toBeLessThanOrEqual(steps[i]!.learningRate);
  model.dispose();
});

it("stops early when evaluations no longer improve", async () => {
  const model = tinyModel();
  const { events } = await collect(
    train(modelObjective(model), countingStream(5), {
      steps: 50,
      optimizer: { learningRate: 0 },
      evaluation: { every: 2, patience: 3, batches: () => heldOut(1) },
    }),
  );
  expect(events.filter(({ kind }) => kind === "evaluation").map((event) => (event as EvaluationEvent).isBest)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(events.at(-1)).toMatchObject({ kind: "end", step: 8, reason: "earlyStop" });
  model.dispose();
});

it("tells every event as JSON, and in words", async () => {
  const model = tinyModel();
  const { events } = await collect(
    train(modelObjective(model), countingStream(5), {
      steps: 4,
      evaluation: { every: 2, batches: () => heldOut(1) },
    }),
  );
  for (const event of events) {
    expect(toJsonLine(event)).not.toContain("\n");
    expect(JSON.parse(toJsonLine(event))).toEqual(event);
  }
  const step = events[0] as StepEvent;
  expect(
    progressText({ ...step, loss: 2.5, gradNorm: 1, learningRate: 0.001, tokensPerSecond: 1234.4, secondsLeft: 192 }),
  ).toBe("step 1  loss 2.5000  norm 1.00  rate 0.00100  1234 tokens/s  3m12s left");
  expect(progressText({ kind: "end", step: 4, reason: "time", seconds: 7500 })).toBe(
    "step 4  end (time is up) after 2h05m",
  );
  model.dispose();
});

it("rewrites one line in a terminal, within its width, and writes few lines elsewhere", () => {
  const step: StepEvent = {
    kind: "step",
    step: 1,
    loss: 1,
    gradNorm: 1,
    learningRate: 1,
    tokens: 1,
    seconds: 1,
    tokensPerSecond: 1,
    secondsLeft: 1,
  };
  const show = (isTTY: boolean, events: readonly TrainingEvent[]): string[] => {
    const written: string[] = [];
    const report = progressReporter({ isTTY, columns: 20, write: (text: string) => written.push(text) });
    for (const event of events) report(event);
    return written;
  };
  const end: TrainingEvent = { kind: "end", step: 2, reason: "steps", seconds: 1 };
  const [line, last, ...rest] = show(true, [step, step, end]);
  expect([line!.startsWith("\r\u001b[K"), line!.length, last, rest.length]).toEqual([
    true,
    4 + 19,
    "\r\u001b[Kstep 2  end (all steps done) after 1s\n",
    0,
  ]);
  expect(show(false, [step, step, step, end])).toHaveLength(2);
});
