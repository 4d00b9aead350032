/**
 * The denoiser beside a Wiener filter, on voices, languages, sentences and noises that it was not trained on.
 *
 *   node --conditions=statespace-source examples/denoiser/compare.ts [--model FOLDER] [--sounds 12] [--json]
 *
 * Each figure is the gain in SI-SDR, in decibels: the mean over mixtures of 4 s.
 */
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { Rng, setBackend } from "@statespace/core";
import { loadFixture, noiseKinds, randomNoise } from "@statespace/datasets";
import { Denoiser } from "@statespace/models";
import { bundledCheckpoint, load } from "statespace";
import { HELD_OUT_NOISES } from "./noises.ts";
import { mixed, siSdr } from "./quality.ts";
import { babble, SAMPLE_RATE, spoken, utterances } from "./speech.ts";
import { wiener } from "./wiener.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    sounds: { type: "string", default: "12" },
    threads: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
await setBackend(wasmBackend({ threads: Number(values.threads) }));
const denoiser = new Denoiser(await load(values.model ?? bundledCheckpoint("denoiser")));
const SNRS = [-5, 0, 5, 10];
const LENGTH = 4 * SAMPLE_RATE;
const text = new TextDecoder().decode(await loadFixture("moby-dick-opening.txt"));
const speech = await spoken(utterances(77, 3 * Number(values.sounds), "heldOut", text.slice(text.length * 0.85)));
const rng = new Rng(78);
const sounds = speech
  .filter((sound) => sound.length > SAMPLE_RATE)
  .slice(0, Number(values.sounds))
  .map((sound) => {
    const out = new Float32Array(LENGTH);
    for (let at = 0; at < LENGTH; at += sound.length)
      out.set(sound.subarray(0, Math.min(sound.length, LENGTH - at)), at);
    return out;
  });
const others = speech.slice(Number(values.sounds));
const seen = noiseKinds.filter((kind) => !HELD_OUT_NOISES.includes(kind));
const kinds = [...HELD_OUT_NOISES, "babble" as const, ...seen];

const rows: { noise: string; heldOut: boolean; snr: number; denoiser: number; wiener: number }[] = [];
for (const kind of kinds)
  for (const snr of SNRS) {
    let [ours, theirs] = [0, 0];
    for (const sound of sounds) {
      const noise =
        kind === "babble" ? babble(rng, others, LENGTH, 5) : randomNoise(rng, { length: LENGTH, kinds: [kind] });
      const { noisy, clean } = mixed(sound, noise, snr);
      const before = siSdr(noisy, clean);
      ours += (siSdr(await denoiser.denoise(noisy), clean) - before) / sounds.length;
      theirs += (siSdr(wiener(noisy), clean) - before) / sounds.length;
    }
    rows.push({
      noise: kind,
      heldOut: kind === "babble" || HELD_OUT_NOISES.includes(kind as never),
      snr,
      denoiser: ours,
      wiener: theirs,
    });
  }

const mean = (of: typeof rows, which: "denoiser" | "wiener"): number =>
  of.reduce((sum, row) => sum + row[which], 0) / of.length;
if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  const cell = (of: typeof rows): string => `${mean(of, "denoiser").toFixed(1)} / ${mean(of, "wiener").toFixed(1)}`;
  const line = (name: string, of: typeof rows): void =>
    console.log(`| ${name} | ${SNRS.map((snr) => cell(of.filter((row) => row.snr === snr))).join(" | ")} |`);
  console.log(
    `| noise (denoiser / Wiener) | ${SNRS.map((snr) => `${snr} dB`).join(" | ")} |\n| --- |${" --- |".repeat(SNRS.length)}`,
  );
  for (const kind of kinds)
    line(
      kind + (HELD_OUT_NOISES.includes(kind as never) ? ", held out" : kind === "babble" ? ", of held-out voices" : ""),
      rows.filter(({ noise }) => noise === kind),
    );
  line(
    "**mean of kinds held out**",
    rows.filter(({ heldOut, noise }) => heldOut && noise !== "babble"),
  );
  line(
    "**mean of all held out, with babble**",
    rows.filter(({ heldOut }) => heldOut),
  );
}
