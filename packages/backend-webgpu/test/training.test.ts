import { cpuBackend } from "@statespace/backend-cpu";
import { AdamW, DeviceLostError, readFloats, setBackend, stopBackend, tensor, valueAndGrads } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { Model, nextTokenTargets, parseModelConfig } from "@statespace/models";
import { afterAll, expect, it } from "vitest";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

const config = parseModelConfig({
  model_type: "mamba",
  hidden_size: 16,
  state_size: 4,
  num_hidden_layers: 1,
  vocab_size: 24,
});
const [batch, length] = [2, 12];
const ids = Int32Array.from({ length: batch * length }, (_, i) => (i * i + 3 * i) % 24);

/** Losses of `steps` AdamW steps on one batch, from the same weights on every backend. */
async function train(steps: number, after?: (step: number) => void): Promise<number[]> {
  const model = new Model(config, 7);
  const optimizer = new AdamW(model.parameters, { learningRate: 5e-3 });
  const [x, y] = [tensor(ids, [batch, length]), tensor(nextTokenTargets(ids, length), [batch, length])];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { value, grads } = valueAndGrads(
      () => model.loss(x, y),
      optimizer.parameters.map((p) => p.value),
    );
    optimizer.step(grads);
    losses.push((await readFloats(value))[0]!);
    for (const t of [value, ...grads]) t?.dispose();
    after?.(step);
  }
  for (const t of [x, y]) t.dispose();
  optimizer.dispose();
  model.dispose();
  return losses;
}

afterAll(() => stopBackend("webgpu"));

it("200 steps follow the CPU's losses within 1 %, with what is in use flat", async () => {
  await setBackend(cpuBackend());
  const want = await train(200);
  await setBackend(webGpuBackend());
  const inUse: number[] = [];
  const got = await train(200, () => inUse.push((currentBackend() as WebGpuBackend).counters.buffersInUse));
  expect(want.at(-1)!).toBeLessThan(want[0]! / 4);
  // Relative to the first loss: at the end both are near zero.
  got.forEach((loss, step) =>
    expect(Math.abs(loss - want[step]!)).toBeLessThanOrEqual(0.01 * Math.max(want[step]!, 0.01 * want[0]!)),
  );
  expect(new Set(inUse.slice(2)).size).toBe(1);
});

it("a device destroyed in the middle of training gives the typed error, and training starts again on a new one", async () => {
  await setBackend(webGpuBackend());
  const { device } = currentBackend() as WebGpuBackend;
  await expect(train(20, (step) => step === 5 && device.destroy())).rejects.toBeInstanceOf(DeviceLostError);
  await setBackend("webgpu");
  const losses = await train(10);
  expect(losses[9]!).toBeLessThan(losses[0]!);
});
