import { Rng } from "@statespace/core";
import { noiseKinds, randomNoise, resample } from "@statespace/datasets";
import { describe, expect, it } from "vitest";

const rms = (sound: Float32Array): number =>
  Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);

describe("randomNoise", () => {
  it.each(noiseKinds)("draws %s: finite, of its loudness, another each time, the same from the same seed", (kind) => {
    const draw = (seed: number): Float32Array => randomNoise(new Rng(seed), { length: 8000, kinds: [kind] });
    const noise = draw(1);
    expect(noise.length).toBe(8000);
    expect(noise.every(Number.isFinite)).toBe(true);
    expect(rms(noise)).toBeCloseTo(0.1, 5);
    expect(draw(1)).toEqual(noise);
    expect(draw(2)).not.toEqual(noise);
  });

  it("refuses by name", () => {
    expect(() => randomNoise(new Rng(1), { length: 0 })).toThrow("length");
    expect(() => randomNoise(new Rng(1), { length: 8, kinds: ["birds" as "wind"] })).toThrow("got birds");
    expect(() => randomNoise(new Rng(1), { length: 8, kinds: [] })).toThrow("got none");
  });
});

describe("resample", () => {
  const tone = (rate: number, pitch: number, length: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * pitch * i) / rate));

  it.each([
    [22_050, 16_000],
    [16_000, 48_000],
    [48_000, 16_000],
  ])("keeps a tone from %i to %i", (from, to) => {
    const out = resample(tone(from, 440, from / 2), from, to);
    const exact = tone(to, 440, to / 2);
    expect(out.length).toBe(to / 2);
    for (let i = 200; i < out.length - 200; i++) expect(Math.abs(out[i]! - exact[i]!)).toBeLessThan(2e-3);
  });

  it("lets nothing through above half the lower rate", () => {
    expect(rms(resample(tone(48_000, 12_000, 24_000), 48_000, 16_000).subarray(100, -100))).toBeLessThan(2e-3);
  });

  it("returns a copy at the same rate, and refuses no rate", () => {
    const sound = Float32Array.of(1, 2, 3);
    expect(resample(sound, 8, 8)).toEqual(sound);
    expect(() => resample(sound, 0, 8)).toThrow("from");
  });
});
