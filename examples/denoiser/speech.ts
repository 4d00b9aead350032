import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "@statespace/core";
import { parseWav, resample } from "@statespace/datasets";

export const SAMPLE_RATE = 16_000;

/** One thing that is said, and how. */
export interface Utterance {
  /** Of espeak-ng: a language and, behind a plus, a speaker. */
  readonly voice: string;
  /** Words a minute. */
  readonly speed: number;
  /** 0 to 99. */
  readonly pitch: number;
  readonly text: string;
}

// What is held out is said by speakers, and in languages, that are heard nowhere in training.
const LANGUAGES = {
  train: ["en-us", "en-gb", "en-gb-scotland", "de", "fr-fr", "es", "it", "pt-br", "sv", "cs", "fi", "tr", "hi", "id"],
  heldOut: ["en-us-nyc", "en-gb-x-rp", "nl", "pl", "da", "ro", "el"],
} as const;
const SPEAKERS = {
  train: ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+f1", "+f2", "+f3", "+klatt", "+klatt2", "+klatt4", "+croak"],
  heldOut: ["+m7", "+m8", "+f4", "+f5", "+klatt3"],
} as const;

/** Utterances drawn from a text: in English its words, in other languages numbers too, which espeak-ng spells out. */
export function utterances(seed: number, count: number, part: keyof typeof LANGUAGES, text: string): Utterance[] {
  const rng = new Rng(seed);
  const words = text.split(/\s+/).filter((word) => /^[A-Za-z,.;'-]+$/.test(word));
  const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)]!;
  return Array.from({ length: count }, () => {
    const language = pick(LANGUAGES[part]);
    const from = rng.integer(Math.max(1, words.length - 16));
    const spoken = words.slice(from, from + 8 + rng.integer(8));
    if (!language.startsWith("en"))
      for (let i = 0; i < 3; i++)
        spoken.splice(rng.integer(spoken.length), 0, String(rng.integer(10 ** (1 + rng.integer(5)))));
    return {
      voice: language + pick(SPEAKERS[part]),
      speed: Math.round(rng.uniform(120, 220)),
      pitch: Math.round(rng.uniform(15, 85)),
      text: spoken.join(" "),
    };
  });
}

/** Sound of each, at 16 kHz. @throws Error where espeak-ng is not installed */
export async function spoken(all: readonly Utterance[]): Promise<Float32Array[]> {
  const folder = await mkdtemp(join(tmpdir(), "speech-"));
  const out = Array.from<Float32Array>({ length: all.length });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < all.length; i = next++) {
      const file = join(folder, `${i}.wav`);
      await say(all[i]!, file);
      const { samples, sampleRate } = parseWav(await readFile(file), file);
      await rm(file);
      out[i] = resample(samples, sampleRate, SAMPLE_RATE);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await rm(folder, { recursive: true });
  return out;
}

function say({ voice, speed, pitch, text }: Utterance, file: string): Promise<void> {
  return new Promise((done, failed) => {
    const options = ["-v", voice, "-s", String(speed), "-p", String(pitch), "-w", file, text];
    const child = spawn("espeak-ng", options, { stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    child.stderr.on("data", (data) => (told += String(data)));
    child.on("error", (error) => failed(new Error(`espeak-ng does not run (${error.message}); install it`)));
    child.on("close", (code) => (code === 0 ? done() : failed(new Error(`espeak-ng -v ${voice}: ${told}`))));
  });
}

/** Several that speak at once, as one sound of so many samples. */
export function babble(rng: Rng, speech: readonly Float32Array[], length: number, speakers: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < speakers; i++) {
    const loud = rng.uniform(0.5, 1);
    for (let at = -rng.integer(SAMPLE_RATE); at < length;) {
      const sound = speech[rng.integer(speech.length)]!;
      for (let k = Math.max(0, -at); k < sound.length && at + k < length; k++) out[at + k]! += loud * sound[k]!;
      at += sound.length;
    }
  }
  return out;
}
