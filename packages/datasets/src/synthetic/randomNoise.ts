import { ArgumentError, type Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";

/** Kinds of `randomNoise`. */
export const noiseKinds = [
  "coloured",
  "bands",
  "hum",
  "clicks",
  "machine",
  "beeps",
  "typing",
  "wind",
  "rain",
  "engine",
] as const;

/** One of `noiseKinds`. */
export type NoiseKind = (typeof noiseKinds)[number];

/** Which noise `randomNoise` draws. */
export interface RandomNoiseOptions {
  readonly length: number;
  /** Of them one is drawn; by default of all. */
  readonly kinds?: readonly NoiseKind[];
  /** Samples a second; default 16,000. */
  readonly sampleRate?: number;
}

type Sound = Float32Array;

/**
 * Noise as there is where people speak, drawn at random: hiss of any colour, bands that come and go, hum of mains and motors, clicks, machines, beeps, keys, wind,
 * rain, engines; each of its own pitch, speed, and colour.
 *
 * Returns [length] samples of root mean square 0.1. Errors: `ArgumentError` for a bad length, rate or kind.
 * The recipes of the kinds are this project's own; filters are the resonator and the one-pole low-pass of any textbook.
 */
export function randomNoise(rng: Rng, options: RandomNoiseOptions): Float32Array {
  refuseUnknown("randomNoise", options, ["length", "kinds", "sampleRate"]);
  const { length, kinds = noiseKinds, sampleRate = 16_000 } = options;
  requireInteger("randomNoise", "length", length, 1);
  requireInteger("randomNoise", "sampleRate", sampleRate, 1000);
  const wrong = kinds.find((kind) => !noiseKinds.includes(kind));
  if (kinds.length === 0 || wrong !== undefined)
    throw new ArgumentError(`randomNoise: kinds must be some of ${noiseKinds.join(", ")}, got ${wrong ?? "none"}`);
  const kind = kinds[rng.integer(kinds.length)]!;
  return ofLoudness(GENERATORS[kind](rng, length, sampleRate), 0.1);
}

/** Scaled to a root mean square, in place. */
function ofLoudness(sound: Sound, rms: number): Sound {
  const own = Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);
  const scale = rms / (own + 1e-12);
  for (let i = 0; i < sound.length; i++) sound[i]! *= scale;
  return sound;
}

const logUniform = (rng: Rng, low: number, high: number): number =>
  Math.exp(rng.uniform(Math.log(low), Math.log(high)));

function white(rng: Rng, length: number): Sound {
  // The sum of three uniform numbers is near enough to a normal one, and several times cheaper.
  return Float32Array.from({ length }, () => rng.uniform(-1, 1) + rng.uniform(-1, 1) + rng.uniform(-1, 1));
}

/** A one-pole low-pass, in place. */
function lowPass(sound: Sound, frequency: number, rate: number): Sound {
  const share = 1 - Math.exp((-2 * Math.PI * frequency) / rate);
  let held = 0;
  for (let i = 0; i < sound.length; i++) sound[i] = held += share * (sound[i]! - held);
  return sound;
}

/** What a low-pass takes away, in place. */
function highPass(sound: Sound, frequency: number, rate: number): Sound {
  const low = lowPass(sound.slice(), frequency, rate);
  for (let i = 0; i < sound.length; i++) sound[i]! -= low[i]!;
  return sound;
}

/** A two-pole resonator of a bandwidth, of unit gain at its peak. */
function resonator(sound: Sound, frequency: number, width: number, rate: number): Sound {
  const radius = Math.exp((-Math.PI * width) / rate);
  const angle = (2 * Math.PI * Math.min(frequency, 0.49 * rate)) / rate;
  const [a, b] = [2 * radius * Math.cos(angle), -radius * radius];
  const gain = (1 - radius) * Math.sqrt(1 - 2 * radius * Math.cos(2 * angle) + radius * radius);
  const out = new Float32Array(sound.length);
  let [y1, y2] = [0, 0];
  for (let i = 0; i < sound.length; i++) {
    const y = gain * sound[i]! + a * y1 + b * y2;
    out[i] = y;
    [y1, y2] = [y, y1];
  }
  return out;
}

/** A slow curve in [0, 1] that wanders at about so many turns a second. */
function wandering(rng: Rng, length: number, turns: number, rate: number): Sound {
  const step = Math.max(1, Math.round(rate / turns));
  let [from, to] = [rng.uniform(), rng.uniform()];
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    if (i % step === 0) [from, to] = [to, rng.uniform()];
    const t = (1 - Math.cos((Math.PI * (i % step)) / step)) / 2;
    out[i] = from + (to - from) * t;
  }
  return out;
}

function add(to: Sound, sound: Sound, factor: number | Sound): Sound {
  for (let i = 0; i < to.length; i++) to[i]! += (typeof factor === "number" ? factor : factor[i]!) * sound[i]!;
  return to;
}

/** Noise between that of a ship's deck and that of a gas leak, steady or swelling. */
function coloured(rng: Rng, length: number, rate: number): Sound {
  const sound = steady(rng, length, rate);
  if (rng.uniform() < 0.6) return sound;
  const depth = rng.uniform(0.3, 1);
  const swell = wandering(rng, length, logUniform(rng, 0.3, 6), rate).map((value) => 1 - depth + depth * value);
  return add(new Float32Array(length), sound, swell);
}

function steady(rng: Rng, length: number, rate: number): Sound {
  const sound = white(rng, length);
  const colour = rng.uniform();
  if (colour < 0.15) return sound;
  if (colour < 0.3) return highPass(sound, logUniform(rng, 200, 4000), rate);
  const low = lowPass(sound.slice(), logUniform(rng, 60, 3000), rate);
  const out = colour < 0.6 ? lowPass(low, logUniform(rng, 100, 3000), rate) : low;
  const size = Math.sqrt(out.reduce((sum, value) => sum + value * value, 0) / length);
  return add(out, sound, size * rng.uniform(0, 0.2));
}

/** A few bands of noise, each louder and softer on its own. */
function bands(rng: Rng, length: number, rate: number): Sound {
  const out = new Float32Array(length);
  const count = 2 + rng.integer(5);
  for (let i = 0; i < count; i++) {
    const band = resonator(white(rng, length), logUniform(rng, 80, 7000), logUniform(rng, 30, 1500), rate);
    add(out, ofLoudness(band, rng.uniform(0.2, 1)), wandering(rng, length, logUniform(rng, 0.3, 8), rate));
  }
  return out;
}

/** A buzz of harmonics at a pitch that drifts a little. */
function buzz(rng: Rng, length: number, rate: number, pitch: number, drift: number, harmonics: number): Sound {
  const out = new Float32Array(length);
  const bend = wandering(rng, length, 1.5, rate);
  const weights = Array.from({ length: harmonics }, (_, k) => rng.uniform(0.1, 1) / (k + 1) ** rng.uniform(0.3, 1.3));
  let phase = rng.uniform(0, 2 * Math.PI);
  for (let i = 0; i < length; i++) {
    const now = pitch * (1 + drift * (bend[i]! - 0.5));
    phase += (2 * Math.PI * now) / rate;
    let value = 0;
    for (let k = 0; k < harmonics && (k + 1) * now < rate / 2; k++) value += weights[k]! * Math.sin((k + 1) * phase);
    out[i] = value;
  }
  return out;
}

function hum(rng: Rng, length: number, rate: number): Sound {
  const isMains = rng.uniform() < 0.5;
  const pitch = isMains ? [50, 60, 100, 120][rng.integer(4)]! : logUniform(rng, 25, 400);
  const drift = isMains ? 0.004 : logUniform(rng, 0.004, 0.3);
  const out = ofLoudness(buzz(rng, length, rate, pitch, drift, 4 + rng.integer(20)), 1);
  return add(out, ofLoudness(coloured(rng, length, rate), 1), rng.uniform(0.05, 0.7));
}

/** Sparks through resonators: crackle, drips, knocks. */
function clicks(rng: Rng, length: number, rate: number): Sound {
  const out = ofLoudness(coloured(rng, length, rate), rng.uniform(0.02, 0.15));
  const sparks = new Float32Array(length);
  const perSecond = logUniform(rng, 2, 60);
  for (let i = 0; i < length; i++)
    if (rng.uniform() < perSecond / rate) sparks[i] = rng.normal() * logUniform(rng, 0.2, 2);
  const body = resonator(sparks, logUniform(rng, 200, 5000), logUniform(rng, 40, 2000), rate);
  return add(out, ofLoudness(body, 1), 1);
}

/** Noise and a whine that beat at a steady rate: fans, drills, washing machines. */
function machine(rng: Rng, length: number, rate: number): Sound {
  const beat = logUniform(rng, 2, 40);
  const depth = rng.uniform(0.2, 1);
  const sharp = rng.uniform(1, 6);
  const out = ofLoudness(coloured(rng, length, rate), 1);
  add(out, ofLoudness(buzz(rng, length, rate, logUniform(rng, 80, 1500), 0.02, 6), 1), rng.uniform(0, 1));
  const offset = rng.uniform(0, 2 * Math.PI);
  for (let i = 0; i < length; i++) {
    const turn = (1 + Math.cos((2 * Math.PI * beat * i) / rate + offset)) / 2;
    out[i]! *= 1 - depth + depth * turn ** sharp;
  }
  return out;
}

/** Tones that start and stop: telephones, alarms, tills; a little hiss between them. */
function beeps(rng: Rng, length: number, rate: number): Sound {
  const out = ofLoudness(coloured(rng, length, rate), rng.uniform(0.05, 0.4));
  const pitches = Array.from({ length: 1 + rng.integer(3) }, () => logUniform(rng, 300, 4000));
  const every = rng.uniform(0.1, 0.8) * rate;
  const share = rng.uniform(0.2, 0.8);
  let phase = 0;
  let level = 0;
  for (let i = 0; i < length; i++) {
    const turn = Math.floor(i / every);
    phase += (2 * Math.PI * pitches[turn % pitches.length]!) / rate;
    level += 0.01 * (((i / every) % 1 < share ? 1 : 0) - level);
    out[i]! += level * Math.sin(phase);
  }
  return out;
}

/** Bursts of a few hundredths of a second, in runs: keys, steps, dishes. */
function typing(rng: Rng, length: number, rate: number): Sound {
  const out = ofLoudness(coloured(rng, length, rate), 0.02);
  const length0 = logUniform(rng, 0.004, 0.05) * rate;
  const pace = logUniform(rng, 2, 12);
  const colour = logUniform(rng, 500, 5000);
  const burst = new Float32Array(length);
  for (let at = 0; at < length; at += (rate / pace) * rng.uniform(0.4, 1.6)) {
    const loud = logUniform(rng, 0.3, 1.5);
    for (let i = 0; i < 5 * length0 && at + i < length; i++)
      burst[Math.floor(at) + i]! += loud * rng.normal() * Math.exp(-i / length0);
  }
  return add(out, ofLoudness(resonator(burst, colour, colour, rate), 1), 1);
}

/** Gusts of low noise, with a whistle. */
function wind(rng: Rng, length: number, rate: number): Sound {
  const gusts = wandering(rng, length, rng.uniform(0.3, 2), rate).map((value) => value * value + 0.05);
  const low = ofLoudness(lowPass(lowPass(white(rng, length), rng.uniform(100, 600), rate), 400, rate), 1);
  const out = add(new Float32Array(length), low, gusts);
  const whistle = ofLoudness(resonator(white(rng, length), rng.uniform(300, 1500), rng.uniform(30, 200), rate), 1);
  return add(
    out,
    whistle,
    gusts.map((value) => value * value * 0.3),
  );
}

/** Very many drops of all sizes over a hiss that swells. */
function rain(rng: Rng, length: number, rate: number): Sound {
  const swell = wandering(rng, length, rng.uniform(0.2, 1), rate).map((value) => 0.4 + value);
  const hiss = ofLoudness(highPass(white(rng, length), rng.uniform(500, 2500), rate), 1);
  const drops = new Float32Array(length);
  const perSecond = logUniform(rng, 100, 1500);
  for (let i = 0; i < length; i++) if (rng.uniform() < perSecond / rate) drops[i] = rng.normal() ** 3;
  const pats = ofLoudness(resonator(drops, rng.uniform(1000, 4000), rng.uniform(800, 3000), rate), 1);
  return add(add(new Float32Array(length), hiss, swell), pats, rng.uniform(0.3, 1.5));
}

/** A pulse train whose pitch rises and falls as a car's does, over the noise of a road. */
function engine(rng: Rng, length: number, rate: number): Sound {
  const pulses = ofLoudness(buzz(rng, length, rate, logUniform(rng, 25, 140), rng.uniform(0.1, 0.6), 24), 1);
  const body = add(pulses.slice(), resonator(pulses, rng.uniform(150, 900), 200, rate), rng.uniform(1, 5));
  const road = ofLoudness(lowPass(white(rng, length), rng.uniform(200, 1500), rate), 1);
  return add(ofLoudness(body, 1), road, rng.uniform(0.3, 1.2));
}

const GENERATORS: Readonly<Record<NoiseKind, (rng: Rng, length: number, rate: number) => Sound>> = {
  coloured,
  bands,
  hum,
  clicks,
  machine,
  beeps,
  typing,
  wind,
  rain,
  engine,
};
