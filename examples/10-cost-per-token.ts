/**
 * What a token costs as the sequence gets longer: attention, S4 (by FFT), Mamba and Mamba-2, in their training form and when decoding.
 *
 *   node --conditions=statespace-source examples/10-cost-per-token.ts            a short form, to 2,048 tokens
 *   node --conditions=statespace-source examples/10-cost-per-token.ts --full     1k to 128k tokens; writes docs/plots/cost-per-token.svg
 *
 * Training form: forward and backward of one layer over l tokens, divided by l: attention grows with l, S4 with log l, Mamba not at all.
 * Decoding: one more token after l of them: attention reads l keys and values, the others a state of constant size.
 * Times are medians; a length is left out where one run would take over a minute, and the printed table says so.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  keep,
  readFloats,
  Rng,
  setBackend,
  slice,
  sum,
  tensor,
  tidy,
  valueAndGrads,
  type Tensor,
} from "@statespace/core";
import { wasmBackend } from "@statespace/backend-wasm";
import {
  AttentionMixer,
  ParameterBuilder,
  S4Mixer,
  s4Config,
  type LayerState,
  type Mixer,
  resolveModelConfig,
  type MixerSettings,
} from "@statespace/models";
import { plotSvg, type Series } from "./plot.ts";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    out: { type: "string", default: new URL("../docs/plots/cost-per-token.svg", import.meta.url).pathname },
  },
});

const dModel = 64;
const lengths = values.full
  ? [1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072]
  : [32, 64, 128, 256, 512, 1024, 2048];
const longestRun = values.full ? 60_000 : 4_000; // ms

/** A layer of every kind, of one width. */
const kinds: Readonly<Record<string, (build: ParameterBuilder, length: number) => Mixer>> = {
  attention: (build) =>
    new AttentionMixer(
      {
        dModel,
        nHeads: 4,
        nHeadsKv: 4,
        headDim: 16,
        useQkvBias: false,
        useOutBias: false,
        softmaxScale: 0.25,
        causal: true,
        dConv: 0,
        rotaryDim: 0,
        rotaryBase: 10_000,
        rotaryInterleaved: false,
        qkNorm: "none",
        qkNormEps: 1e-6,
        qkNormOffset: 0,
        outputGate: false,
        mlpDim: 0,
        window: 0,
        sinks: false,
      },
      build,
    ),
  // Trained for one length, as S4 is: otherwise every pass would pay for a power of ABar.
  "S4 (FFT)": (build, length) => new S4Mixer(s4Config(dModel, { kernelLength: length }), build),
  Mamba: mixer({ kind: "mamba" }),
  "Mamba-2": mixer({ kind: "mamba2", headDim: 32, dState: 64, nGroups: 1, expand: 2 }),
};

/** A mixer as a model's config names it. */
function mixer(settings: MixerSettings): (build: ParameterBuilder) => Mixer {
  const [encoder, head] = [
    { kind: "linear", channels: 1 },
    { kind: "regression", outputs: 1 },
  ] as const;
  const { layers } = resolveModelConfig({ dModel, encoder, layers: [settings], head });
  return (build) => layers[0]!.mixers[0]!.make(build);
}

const noise = (rng: Rng, shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  );

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)];

/** Reads one number of a result, so that a clock stops only when it is there. */
async function settle(t: Tensor): Promise<void> {
  const one = tidy(() =>
    slice(
      t,
      t.shape.map(() => 0),
      t.shape.map(() => 1),
    ),
  );
  await readFloats(one);
  one.dispose();
}

async function timeTraining(mixer: Mixer, length: number): Promise<number> {
  const x = noise(new Rng(1), [1, length, dModel]);
  const weights = mixer.parameters.filter(({ trainable }) => trainable).map(({ value }) => value);
  const from = performance.now();
  const { value, grads } = valueAndGrads(() => sum(mixer.forward(x).y), weights);
  await readFloats(value);
  for (const grad of grads) if (grad) await settle(grad);
  const elapsed = performance.now() - from;
  for (const t of [x, value, ...grads]) t?.dispose();
  return elapsed;
}

/** A state as it is after `length` tokens; what it holds does not matter to the clock, so attention's cache is filled with noise. */
function stateAfter(mixer: Mixer, length: number): LayerState {
  if (mixer.constantState) return mixer.initialState(1);
  const rng = new Rng(2);
  const cache = {
    keys: noise(rng, [1, length, 4, 16]),
    values: noise(rng, [1, length, 4, 16]),
    visible: tensor(new Float32Array(length).fill(1), [1, length]),
  };
  return Object.fromEntries(Object.entries(cache).map(([name, t]) => [name, keep(t)]));
}

async function timeDecoding(mixer: Mixer, length: number): Promise<number> {
  const state = stateAfter(mixer, length);
  const x = noise(new Rng(3), [1, dModel]);
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const from = performance.now();
    const y = tidy(() => mixer.step(x, state));
    await settle(y);
    times.push(performance.now() - from);
    y.dispose();
  }
  x.dispose();
  for (const t of Object.values(state)) t.dispose();
  return median(times);
}

await setBackend(wasmBackend());
const training: Record<string, number[]> = {};
const decoding: Record<string, number[]> = {};
for (const [name, make] of Object.entries(kinds)) {
  training[name] = [];
  decoding[name] = [];
  for (const length of lengths) {
    const build = new ParameterBuilder(new Rng(1));
    const mixer = make(build, length);
    const last = training[name].at(-1);
    // The next length costs at most four times as much as the last one did.
    const affordable = last === undefined || (Number.isFinite(last) && ((last * length) / 2) * 4 < 1000 * longestRun);
    if (affordable && length <= 8192) await timeTraining(mixer, length); // warm-up
    const ms = affordable
      ? Math.min(await timeTraining(mixer, length), length <= 8192 ? await timeTraining(mixer, length) : Infinity)
      : Number.NaN;
    training[name].push((1000 * ms) / length);
    decoding[name].push(1000 * (await timeDecoding(mixer, length)));
    mixer.dispose?.();
    for (const parameter of build.parameters) parameter.dispose();
  }
}

/** From which length on one kind stays cheaper than attention: between which two lengths, interpolated on logarithmic axes. */
function crossover(costs: Readonly<Record<string, number[]>>, name: string): string {
  const dearer = lengths.findLastIndex((_, i) => costs[name][i] >= costs.attention[i]);
  if (dearer < 0) return `below ${lengths[0]}`;
  if (!(costs[name][dearer + 1] < costs.attention[dearer + 1])) return `beyond ${lengths[dearer]}`;
  const gap = (at: number): number => Math.log(costs[name][at] / costs.attention[at]);
  const share = gap(dearer) / (gap(dearer) - gap(dearer + 1));
  return `about ${Math.round(lengths[dearer] * 2 ** share)}`;
}

function table(title: string, costs: Readonly<Record<string, number[]>>): void {
  console.log(`\n${title}, microseconds a token`);
  console.log(["l".padStart(8), ...Object.keys(costs).map((name) => name.padStart(12))].join(""));
  lengths.forEach((length, i) => {
    console.log(
      [
        String(length).padStart(8),
        ...Object.values(costs).map((xs) => (Number.isFinite(xs[i]) ? xs[i].toFixed(2) : "too long").padStart(12)),
      ].join(""),
    );
  });
  for (const name of Object.keys(costs).filter((other) => other !== "attention"))
    console.log(`${name} is cheaper than attention from a length of ${crossover(costs, name)}`);
}

table("training form (forward and backward)", training);
table("decoding (one more token)", decoding);

const series = (costs: Readonly<Record<string, number[]>>): Series[] =>
  Object.entries(costs).map(([label, y]) => ({ label, y, x: lengths.map(Math.log2) }));
if (values.full) {
  mkdirSync(new URL("../docs/plots/", import.meta.url), { recursive: true });
  const panels = [
    {
      title: "Training form: forward and backward",
      series: series(training),
      xLabel: "log2 of the length",
      yLabel: "µs a token",
      logY: true,
    },
    {
      title: "Decoding: one more token",
      series: series(decoding),
      xLabel: "log2 of the length",
      yLabel: "µs a token",
      logY: true,
    },
  ];
  writeFileSync(values.out, plotSvg(panels));
  console.log(`\nplot: ${values.out}`);
}

// What does not depend on the machine's speed: attention's work a token grows with the length, that of a constant state does not.
const growth = (xs: readonly number[]): number => xs.findLast(Number.isFinite)! / xs[0];
if (!(growth(training.attention) > 1.5 * growth(training.Mamba)))
  throw new Error("attention should grow faster with the length than Mamba");
