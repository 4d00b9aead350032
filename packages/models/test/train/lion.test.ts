import { cpuBackend } from "@statespace/backend-cpu";
import { parameter, readFloats, setBackend, tensor } from "@statespace/core";
import { Lion } from "@statespace/core/backend";
import { memoryStore, modelObjective, train, type TrainOptions } from "@statespace/models";
import { beforeAll, expect, it } from "vitest";
import { collect, countingStream, curve, tinyModel } from "./tinyRun.ts";

beforeAll(() => setBackend(cpuBackend()));

it("moves as the paper's algorithm does, in float64, and scales gradients and rates as told", async () => {
  const [beta1, beta2, weightDecay] = [0.9, 0.99, 0.5];
  const start = [1, -2, 0.5];
  const decayed = parameter("decayed", Float32Array.from(start), [3]);
  const own = parameter("own", Float32Array.from(start), [3], { decay: false, learningRate: 0.01 });
  const optimizer = new Lion([decayed, own], { learningRate: 0.1, beta1, beta2, weightDecay });
  const [p, q, m] = [[...start], [...start], [0, 0, 0]];
  for (const [step, gradient] of [
    [3, -1, 0],
    [-1, -1, 2],
    [-9, 1, -0.1],
  ].entries()) {
    const rate = 0.1 / (step + 1);
    const grads = [tensor(gradient), tensor(gradient)];
    const scale = tensor([0.5], []);
    optimizer.step(grads, rate, scale);
    for (const t of [...grads, scale]) t.dispose();
    gradient.forEach((each, i) => {
      const g = 0.5 * each;
      const direction = Math.sign(beta1 * m[i]! + (1 - beta1) * g);
      p[i] = p[i]! * (1 - rate * weightDecay) - rate * direction;
      q[i] = q[i]! - (rate / 10) * direction;
      m[i] = beta2 * m[i]! + (1 - beta2) * g;
    });
    (await decayed.read()).forEach((value, i) => expect(value).toBeCloseTo(p[i]!, 6));
    (await own.read()).forEach((value, i) => expect(value).toBeCloseTo(q[i]!, 6));
  }
  expect(optimizer.steps).toBe(3);
  expect([...(await optimizer.save()).moments.keys()]).toEqual(["decayed", "own"]);
  optimizer.dispose();
  expect((await readFloats(decayed.value)).length).toBe(3);
});

const lion: TrainOptions = { steps: 6, optimizer: { kind: "lion", learningRate: 3e-3 }, seed: 1 };

it("trains, and a run that was stopped goes on bit for bit", async () => {
  const run = async (options: TrainOptions): ReturnType<typeof collect> => {
    const model = tinyModel();
    const outcome = await collect(train(modelObjective(model), countingStream(5), options));
    model.dispose();
    return outcome;
  };
  const whole = await run({ ...lion, steps: 30 });
  const losses = whole.events.flatMap((event) => (event.kind === "step" ? [event.loss] : []));
  expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
  const store = memoryStore();
  const schedule = (): number => 1;
  const straight = await run({ ...lion, schedule });
  await run({ ...lion, schedule, steps: 3, checkpoints: { store } });
  const resumed = await run({ ...lion, schedule, checkpoints: { store }, resume: true });
  const points = curve(straight.events);
  for (const [point, value] of curve(resumed.events)) expect(value).toBe(points.get(point));
  expect(curve(resumed.events).size).toBe(3);
  const other = await run({
    ...lion,
    schedule,
    checkpoints: { store },
    resume: true,
    optimizer: { learningRate: 3e-3 },
  });
  expect((other.error as Error).message).toMatch(/optimizer\.kind was "lion", is null/);
});

it.each([
  [{ kind: "lion", eps: 1e-8 } as const, /Lion: has no option eps/],
  [{ kind: "lion", beta1: 1 } as const, /Lion: beta1 must be in \[0, 1\), got 1/],
  [
    { kind: "adam" } as unknown as { kind: "lion" },
    /optimizer.kind must be "adamW" or "adamW8" or "lion" or "muon", got "adam"/,
  ],
  ["muon" as unknown as { kind: "lion" }, /optimizer must be an object such as \{ kind: "muon" \}, got "muon"/],
])("refuses %o", async (optimizer, message) => {
  const model = tinyModel();
  const { error } = await collect(train(modelObjective(model), countingStream(5), { steps: 1, optimizer }));
  expect((error as Error).message).toMatch(message);
  model.dispose();
});
