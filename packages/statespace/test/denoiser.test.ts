import { Rng } from "@statespace/core";
import { randomNoise } from "@statespace/datasets";
import { Denoiser, framingOf, Model } from "@statespace/models";
import {
  bundledCheckpoint,
  cpuBackend,
  fit,
  load,
  setBackend,
  wasmBackend,
  type LoadedModel,
  type ModelConfig,
} from "statespace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutClip } from "./heldOutClip.ts";

const RATE = 16_000;

/** In decibels. */
function siSdr(said: Float32Array, clean: Float32Array): number {
  let [product, energy, error] = [0, 0, 0];
  clean.forEach((value, i) => {
    product += said[i]! * value;
    energy += value * value;
  });
  const scale = product / energy;
  clean.forEach((value, i) => (error += (said[i]! - scale * value) ** 2));
  return 10 * Math.log10((scale * scale * energy) / error);
}

/** With noise at 0 dB. */
function withNoise(clean: Float32Array, noise: Float32Array): Float32Array {
  const energy = (sound: Float32Array): number => sound.reduce((sum, value) => sum + value * value, 0);
  const factor = Math.sqrt(energy(clean) / energy(noise));
  return clean.map((value, i) => value + factor * noise[i]!);
}

describe("the denoiser that travels with the package", () => {
  let lm: LoadedModel;
  let denoiser: Denoiser;
  let clean: Float32Array;
  beforeAll(async () => {
    await setBackend(wasmBackend({ threads: 1 }));
    lm = await load(bundledCheckpoint("denoiser"));
    denoiser = new Denoiser(lm);
    clean = await heldOutClip();
  });
  afterAll(() => lm.dispose());

  it("has at most a million weights, and answers within 40 ms", () => {
    expect(lm.model.size).toBeLessThanOrEqual(1_000_000);
    expect(denoiser.latency / denoiser.framing.sampleRate).toBeLessThanOrEqual(0.04);
  });

  it.each(["wind", "rain", "typing"] as const)(
    "takes %s, which it has not heard, from a voice it has not heard",
    async (kind) => {
      const noisy = withNoise(clean, randomNoise(new Rng(5), { length: clean.length, kinds: [kind] }));
      const gain = siSdr(await denoiser.denoise(noisy), clean) - siSdr(noisy, clean);
      expect(gain).toBeGreaterThan(6); // means over many sounds: 8.3, 10.3 and 10.9
    },
  );

  it("leaves speech without noise nearly as it is, and silence silent", async () => {
    expect(siSdr(await denoiser.denoise(clean), clean)).toBeGreaterThan(15);
    const silence = await denoiser.denoise(new Float32Array(RATE));
    expect(Math.max(...silence.map(Math.abs))).toBeLessThan(1e-3);
  });

  it("gives as a stream, however it is cut, what it gives of the whole", async () => {
    const noisy = withNoise(clean, randomNoise(new Rng(6), { length: clean.length, kinds: ["rain"] })).slice(0, 20_011);
    const whole = await denoiser.denoise(noisy);
    const stream = denoiser.stream();
    for (const size of [128, 1000, 20_011]) {
      const said: number[] = [];
      for (let at = 0; at < noisy.length; at += size) said.push(...stream.push(noisy.subarray(at, at + size)));
      said.push(...stream.flush());
      expect(said.length).toBe(noisy.length);
      const worst = whole.reduce((most, value, i) => Math.max(most, Math.abs(value - said[i]!)), 0);
      expect(worst).toBeLessThan(2e-4); // one scan in chunks, the other step by step, of sound of size 0.1
    }
    stream.dispose();
  });

  it("refuses what is no sound, goes on after it, tells how far it is, and ends when told", async () => {
    const wrong = clean.slice(0, 600);
    wrong[7] = Number.NaN;
    await expect(denoiser.denoise(wrong)).rejects.toThrow("samples must be finite, got NaN at 7");
    const stream = denoiser.stream();
    const fresh = stream.push(clean.slice(0, 2048));
    stream.reset();
    expect(() => stream.push(wrong)).toThrow("samples must be finite, got NaN at 7");
    expect(stream.push(clean.slice(0, 2048))).toEqual(fresh);
    stream.dispose();
    await expect(denoiser.denoise(clean, { progress: 1 } as never)).rejects.toThrow("onProgress");
    const shares: number[] = [];
    await denoiser.denoise(clean, { onProgress: (share) => shares.push(share) });
    expect(shares.at(-1)).toBe(1);
    await expect(denoiser.denoise(clean, { signal: AbortSignal.abort() })).rejects.toThrow("Denoiser.denoise");
  });

  it("holds no sample back longer than its latency, by count", () => {
    const stream = denoiser.stream();
    let [came, gave] = [0, 0];
    const late: number[] = [];
    for (let i = 0; i < 40; i++) {
      came += 128;
      gave += stream.push(new Float32Array(128)).length;
      late.push(came - gave);
    }
    expect(Math.max(...late)).toBe(denoiser.latency - 128); // what came with the last block could not be out before
    stream.dispose();
  });
});

const small: ModelConfig = {
  dModel: 16,
  encoder: { kind: "linear", channels: 3 * 33 },
  layers: [{ kind: "mamba2", headDim: 8, dState: 8 }],
  head: { kind: "denoising", sampleRate: 4000, window: 64 },
};

it("learns from sounds by one call of fit", async () => {
  await setBackend(cpuBackend());
  const rng = new Rng(1);
  const tone = (): Float32Array => {
    const pitch = rng.uniform(200, 900);
    return Float32Array.from({ length: 8000 }, (_, i) => 0.2 * Math.sin((2 * Math.PI * pitch * i) / 4000));
  };
  const clean = Array.from({ length: 12 }, tone);
  const noise = Array.from({ length: 6 }, () => Float32Array.from({ length: 4000 }, () => rng.normal(0, 0.1)));
  const model = new Model(small, 1);
  const losses: number[] = [];
  const data = { clean, noise, snr: [0, 0] as const, seconds: 0.4 };
  const options = { steps: 40, batchSize: 4, learningRate: 1e-2 };
  await fit(model, data, { ...options, onEvent: (e) => e.kind === "step" && losses.push(e.loss) });
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
  const fresh = tone();
  const noisy = withNoise(
    fresh,
    Float32Array.from({ length: fresh.length }, () => rng.normal(0, 0.1)),
  );
  const gain = siSdr(await new Denoiser(model).denoise(noisy), fresh) - siSdr(noisy, fresh);
  expect(gain).toBeGreaterThan(3);
  model.dispose();
});

it("refuses what does not fit, by name", async () => {
  await setBackend(cpuBackend());
  const model = new Model(small, 1);
  const clean = [new Float32Array(4000).fill(0.1)];
  await expect(fit(model, { clean: [] })).rejects.toThrow("sounds.clean is empty");
  await expect(fit(model, { clean: [new Float32Array(9)] })).rejects.toThrow("sounds.clean are all silent");
  await expect(fit(model, { clean, speech: 1 } as never)).rejects.toThrow("speech");
  await expect(fit(model, { clean, noise: clean, snr: [5, 0] })).rejects.toThrow(
    "snr must be two numbers of decibels, ascending",
  );
  await expect(fit(model, { clean, noise: clean, snr: [-1000, 1000] })).rejects.toThrow("at most 100 either way");
  await expect(fit(model, { inputs: [], targets: [] })).rejects.toThrow("{ clean, noise }");
  const { head: _, ...rest } = small;
  expect(() => new Model({ ...rest, head: { kind: "denoising", window: 63 } })).toThrow("window must be even");
  expect(() => new Model({ ...rest, head: { kind: "denoising", window: 64, hop: 24 } })).toThrow("hop must divide");
  expect(() => new Model({ ...rest, head: { kind: "denoising" } })).toThrow("771 channels");
  const other = new Model({ ...rest, head: { kind: "regression", outputs: 1 } }, 1);
  expect(() => new Denoiser(other)).toThrow("must be of kind denoising, got regression");
  expect(framingOf({ window: 64 })).toEqual({ sampleRate: 16_000, window: 64, hop: 32, compression: 0.3 });
});
