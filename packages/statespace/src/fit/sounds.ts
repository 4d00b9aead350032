import { ArgumentError, Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { fingerprint, randomNoise } from "@statespace/datasets";
import { framingOf, type Model, type StreamState, type TrainingBatch, type TrainingStream } from "@statespace/models";

/**
 * Sounds without noise, and noise that is added to them at random; one channel each, in [-1, 1], at the sample rate of the model's head. What
 * is learnt is to take the one from the other.
 */
export interface Sounds {
  readonly clean: readonly Float32Array[];
  /** By default noise that `randomNoise` draws: a good quarter of an hour of it. */
  readonly noise?: readonly Float32Array[];
  /** Decibels of the sound over the noise, the least and the largest; default -5 to 15. */
  readonly snr?: readonly [number, number];
  /** Of a training example; default 2. */
  readonly seconds?: number;
}

const DEFAULT_SNR = [-5, 15] as const;
/** Either way; beyond it one of the two is nothing in float32. */
const LARGEST_SNR = 100;
const DEFAULT_SECONDS = 2;
/** Root mean squares of what comes out, in decibels below full scale. */
const LOUDNESS = [-36, -14] as const;
/** A stretch of sound softer than this is taken for silence, and another one is drawn. */
const SILENCE = 1e-3;
/** Stretches that are drawn before silence is taken as it is. */
const TRIES = 8;
/** Of the noise that is drawn where none is given. */
const NOISES = 200;
const NOISE_SECONDS = 5;

/** Everything checked. */
interface Mixing {
  readonly clean: readonly Float32Array[];
  readonly noise: readonly Float32Array[];
  readonly snr: readonly [number, number];
  readonly length: number;
  readonly rows: number;
}

/**
 * Streams of mixtures: one to train on, and a few batches of what is kept apart.
 * @throws ArgumentError naming what is unknown, too few or silent
 */
export function fromSounds(
  sounds: Sounds,
  model: Model,
  { batchSize, heldOut, seed }: { readonly batchSize: number; readonly heldOut: number; readonly seed: number },
): { readonly stream: TrainingStream; readonly heldOut: (() => Iterable<TrainingBatch>) | undefined; pass: number } {
  refuseUnknown("fit: sounds", sounds, ["clean", "noise", "snr", "seconds"], { speech: "clean", noises: "noise" });
  const { head } = model.resolved;
  if (head.kind !== "denoising")
    throw new ArgumentError(`fit: { clean, noise } trains a model that denoises; this one's head is ${head.kind}`);
  const { sampleRate, hop, window } = framingOf(head);
  const { clean, snr = DEFAULT_SNR, seconds = DEFAULT_SECONDS } = sounds;
  if (!(seconds > 0 && seconds * sampleRate >= window))
    throw new ArgumentError(`fit: sounds.seconds must be at least ${window / sampleRate}, got ${seconds}`);
  if (!(snr.length === 2 && snr[0]! <= snr[1]! && snr.every((value) => Math.abs(value) <= LARGEST_SNR)))
    throw new ArgumentError(
      `fit: sounds.snr must be two numbers of decibels, ascending, at most ${LARGEST_SNR} either way, got [${snr.join(", ")}]`,
    );
  checkSounds("clean", clean);
  const noise = sounds.noise ?? drawn(seed, sampleRate);
  checkSounds("noise", noise);
  const cut = (all: readonly Float32Array[]): number => Math.max(1, Math.floor(all.length * (1 - heldOut)));
  const [own, others] = [cut(clean), cut(noise)];
  const length = Math.ceil((seconds * sampleRate) / hop) * hop;
  const mixing = { snr, length, rows: batchSize } as const;
  const stream = new MixStream({ ...mixing, clean: clean.slice(0, own), noise: noise.slice(0, others) }, seed);
  const samples = clean.slice(0, own).reduce((sum, sound) => sum + sound.length, 0);
  const pass = Math.max(1, Math.ceil(samples / (length * batchSize)));
  if (heldOut === 0 || own === clean.length) return { stream, heldOut: undefined, pass };
  const apart = noise.length > others ? noise.slice(others) : noise;
  const measured = new MixStream({ ...mixing, clean: clean.slice(own), noise: apart }, seed + 1);
  const batches = Array.from({ length: 4 }, () => measured.nextBatch());
  return { stream, heldOut: () => batches, pass };
}

function drawn(seed: number, sampleRate: number): Float32Array[] {
  const rng = new Rng(seed);
  return Array.from({ length: NOISES }, () => randomNoise(rng, { length: NOISE_SECONDS * sampleRate, sampleRate }));
}

function checkSounds(name: string, sounds: readonly Float32Array[]): void {
  if (sounds.length === 0) throw new ArgumentError(`fit: sounds.${name} is empty`);
  sounds.forEach((sound, i) => {
    const wrong = sound.findIndex((value) => !Number.isFinite(value));
    if (sound.length === 0 || wrong >= 0)
      throw new ArgumentError(
        `fit: sounds.${name}[${i}] must have finite samples, got ${wrong < 0 ? "none" : `${sound[wrong]} at ${wrong}`}`,
      );
  });
  if (sounds.every((sound) => rmsOf(sound) < 1e-6)) throw new ArgumentError(`fit: sounds.${name} are all silent`);
}

/** Root mean square; a plain loop, since a step mixes a million samples. */
function rmsOf(sound: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < sound.length; i++) squares += sound[i]! * sound[i]!;
  return Math.sqrt(squares / Math.max(1, sound.length));
}

const decibels = (value: number): number => 10 ** (value / 20);

/** Stretches of sound with stretches of noise, at ratios and a loudness that are drawn anew each time. */
class MixStream implements TrainingStream {
  readonly #mixing: Mixing;
  readonly #identity: StreamState;
  #rng: Rng;

  constructor(mixing: Mixing, seed: number) {
    this.#mixing = mixing;
    this.#rng = new Rng(seed);
    const { clean, noise, snr, length, rows } = mixing;
    this.#identity = { clean: printOf(clean), noise: printOf(noise), snr, length, rows, seed };
  }

  nextBatch(): TrainingBatch {
    const { rows, length, snr } = this.#mixing;
    const inputs = new Float32Array(rows * length);
    const targets = new Float32Array(rows * length);
    for (let row = 0; row < rows; row++) {
      const clean = this.#stretch(this.#mixing.clean, SILENCE);
      const noise = this.#noise();
      const ratio = decibels(this.#rng.uniform(snr[0], snr[1]));
      const [own, other] = [rmsOf(clean) + 1e-9, rmsOf(noise) + 1e-9];
      const factor = own / (other * ratio);
      const loud = decibels(this.#rng.uniform(LOUDNESS[0], LOUDNESS[1])) / Math.hypot(own, own / ratio);
      const target = targets.subarray(row * length, (row + 1) * length);
      const input = inputs.subarray(row * length, (row + 1) * length);
      for (let i = 0; i < length; i++) {
        const said = loud * clean[i]!;
        target[i] = said;
        input[i] = said + loud * factor * noise[i]!;
      }
    }
    return { inputs, shape: [rows, length, 1], targets, targetShape: [rows, length] };
  }

  /** A stretch of one noise, or of two together. */
  #noise(): Float32Array {
    const first = this.#stretch(this.#mixing.noise, 0);
    if (this.#rng.uniform() < 0.7) return first;
    const second = this.#stretch(this.#mixing.noise, 0);
    const share = (this.#rng.uniform(0.2, 1) * (rmsOf(first) + 1e-9)) / (rmsOf(second) + 1e-9);
    const both = first.slice();
    for (let i = 0; i < both.length; i++) both[i]! += share * second[i]!;
    return both;
  }

  /** From anywhere in any of them; what is too short is followed by silence, or, of noise, by itself. */
  #stretch(sounds: readonly Float32Array[], least: number): Float32Array {
    const { length } = this.#mixing;
    for (let tries = 1; ; tries++) {
      const sound = sounds[this.#rng.integer(sounds.length)]!;
      const from = sound.length > length ? this.#rng.integer(sound.length - length) : 0;
      if (sound.length >= length) {
        const part = sound.subarray(from, from + length);
        if (tries === TRIES || rmsOf(part) >= least) return part;
        continue;
      }
      const part = new Float32Array(length);
      part.set(sound);
      for (let at = sound.length; least === 0 && at < length; at += sound.length)
        part.set(sound.subarray(0, Math.min(sound.length, length - at)), at);
      if (tries === TRIES || rmsOf(part) >= least) return part;
    }
  }

  identity(): StreamState {
    return this.#identity;
  }

  state(): StreamState {
    return this.#rng.state();
  }

  restore(state: StreamState): void {
    this.#rng = Rng.fromState(state as number[]);
  }
}

/** What tells one list of sounds from another. */
const printOf = (sounds: readonly Float32Array[]): StreamState => sounds.map((sound) => fingerprint(sound));
