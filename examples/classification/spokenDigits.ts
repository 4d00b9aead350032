import { Rng } from "@statespace/core";
import { fft } from "@statespace/core/math";
import { randomNoise, type ArrayDataset } from "@statespace/datasets";
import { SAMPLE_RATE, spoken, type Utterance } from "../denoiser/speech.ts";

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
// Who is held out speaks, and in an accent, that is heard nowhere in training.
const ACCENTS = {
  train: ["en-us", "en-gb", "en-gb-scotland", "en-029"],
  heldOut: ["en-us-nyc", "en-gb-x-rp", "en-gb-x-gbcwmd"],
} as const;
const SPEAKERS = {
  train: ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+f1", "+f2", "+f3", "+klatt", "+klatt2", "+croak"],
  heldOut: ["+m7", "+m8", "+f4", "+f5", "+klatt3"],
} as const;
const FRAMES = 64;
const BANDS = 20;
const HOP = 256; // 16 ms
const WINDOW = 512;
/** Of speech over noise, in decibels. */
const LEVEL = 5;

/** Spoken by espeak-ng at the same rate and pitch the held-out speakers have, then covered with noise of any kind. */
export async function spokenDigits(): Promise<Record<"train" | "validation" | "test", ArrayDataset>> {
  const make = async (part: keyof typeof ACCENTS, count: number, seed: number): Promise<ArrayDataset> => {
    const rng = new Rng(seed);
    const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)]!;
    const targets = Int32Array.from({ length: count }, (_, i) => i % WORDS.length);
    const said = Array.from(targets, (digit): Utterance => ({
      voice: pick(ACCENTS[part]) + pick(SPEAKERS[part]),
      speed: Math.round(rng.uniform(120, 220)),
      pitch: Math.round(rng.uniform(15, 85)),
      text: WORDS[digit]!,
    }));
    const sounds = await spoken(said);
    const inputs = new Float32Array(count * FRAMES * BANDS);
    for (const [i, sound] of sounds.entries()) inputs.set(bands(covered(sound, rng)), i * FRAMES * BANDS);
    const info = {
      name: "spoken digits",
      description: "zero to nine",
      licence: "Apache-2.0",
      source: "espeak-ng",
      split: "by speaker",
    };
    return { info, length: count, inputs, inputShape: [FRAMES, BANDS], targets, targetShape: [] };
  };
  return {
    train: await make("train", 3000, 1),
    validation: await make("train", 500, 2),
    test: await make("heldOut", 1000, 3),
  };
}

/** The sound somewhere within as many samples as the frames take, with noise. */
function covered(sound: Float32Array, rng: Rng): Float32Array {
  const length = FRAMES * HOP + WINDOW - HOP;
  const noise = randomNoise(rng, { length, sampleRate: SAMPLE_RATE });
  const speech = sound.subarray(0, length);
  const power = (samples: Float32Array): number => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  const gain = Math.sqrt(power(speech) / (power(noise) * 10 ** (LEVEL / 10) + 1e-12));
  const at = rng.integer(length - speech.length + 1);
  return noise.map((x, t) => gain * x + (speech[t - at] ?? 0));
}

/** Logarithms of the energy in bands that widen as an ear's do, around 0. */
function bands(samples: Float32Array): Float32Array {
  const mel = (hertz: number): number => 1127 * Math.log1p(hertz / 700);
  const [low, high] = [mel(80), mel(7600)];
  const edge = (i: number): number => 700 * Math.expm1((low + ((high - low) * i) / (BANDS + 1)) / 1127);
  const out = new Float32Array(FRAMES * BANDS);
  for (let frame = 0; frame < FRAMES; frame++) {
    const re = Float64Array.from(
      { length: WINDOW },
      (_, t) => (0.5 - 0.5 * Math.cos((2 * Math.PI * t) / WINDOW)) * samples[frame * HOP + t]!,
    );
    const im = new Float64Array(WINDOW);
    fft(re, im);
    for (let band = 0; band < BANDS; band++) {
      const [from, top, to] = [edge(band), edge(band + 1), edge(band + 2)];
      let energy = 0;
      for (let k = 1; k < WINDOW / 2; k++) {
        const hertz = (k * SAMPLE_RATE) / WINDOW;
        const share = Math.min((hertz - from) / (top - from), (to - hertz) / (to - top));
        if (share > 0) energy += share * (re[k]! ** 2 + im[k]! ** 2);
      }
      out[frame * BANDS + band] = Math.log(energy + 1e-4) / 4;
    }
  }
  return out;
}
