// What a second of sound costs the denoiser that travels with statespace: processor time, as sound comes and as a whole recording.
// What both ways give must agree before anything is timed.
//   node --conditions=statespace-source bench/denoiser.ts [--backend wasm] [--threads 1] [--seconds 4] [--rounds 9] [--model FOLDER]
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { Rng, setBackend } from "@statespace/core";
import { Denoiser, fromPretrained } from "@statespace/models";

const { values: options } = parseArgs({
  options: {
    backend: { type: "string", default: "wasm" },
    threads: { type: "string", default: "1" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "9" },
    model: { type: "string", default: join(import.meta.dirname, "../../statespace/denoiser") },
  },
});
/** Float32 sums in another order, where samples reach 1. */
const AGREEMENT = 1e-4;

const backends = { cpu: cpuBackend(), wasm: wasmBackend({ threads: Number(options.threads) }) };
const backend = backends[options.backend as keyof typeof backends];
if (backend === undefined) throw new Error(`--backend: there are ${Object.keys(backends).join(", ")}`);
await setBackend(backend);
const denoiser = new Denoiser(await fromPretrained(options.model));
const { hop, sampleRate } = denoiser.framing;
const hops = Math.ceil((Number(options.seconds) * sampleRate) / hop);
const seconds = (hops * hop) / sampleRate;
// A voice's harmonics that come and go, in noise: no stretch is silent, so that none is cheaper.
const rng = new Rng(1);
const samples = Float32Array.from({ length: hops * hop }, (_, t) => {
  const tone = [1, 2, 3, 4].reduce((sum, k) => sum + Math.sin((2 * Math.PI * 140 * k * t) / sampleRate) / k, 0);
  return 0.2 * tone * Math.sin((2 * Math.PI * 3 * t) / sampleRate) + 0.05 * rng.normal();
});

interface Timing {
  /** Of all threads, in seconds of processor time for a second of sound. */
  readonly busy: number;
  /** Longest wait for one piece, in milliseconds. */
  readonly longest: number;
}

const stream = denoiser.stream();
function comes(out?: Float32Array[]): Timing {
  const before = process.cpuUsage();
  let longest = 0;
  for (let at = 0; at < samples.length; at += hop) {
    const from = performance.now();
    const said = stream.push(samples.subarray(at, at + hop));
    longest = Math.max(longest, performance.now() - from);
    out?.push(said);
  }
  const busy = busySince(before) / seconds;
  const rest = stream.flush();
  out?.push(rest);
  return { busy, longest };
}
async function whole(): Promise<Timing> {
  const [before, from] = [process.cpuUsage(), performance.now()];
  await denoiser.denoise(samples);
  return { busy: busySince(before) / seconds, longest: performance.now() - from };
}
function busySince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const pieces: Float32Array[] = [];
comes(pieces);
const streamed = pieces.flatMap((piece) => [...piece]);
const recorded = await denoiser.denoise(samples);
const apart = streamed.reduce((most, value, t) => Math.max(most, Math.abs(value - recorded[t]!)), 0);
if (streamed.length !== recorded.length || !(apart < AGREEMENT))
  throw new Error(`as it comes: ${streamed.length} samples, ${apart} from the whole recording's ${recorded.length}`);

const timings: Record<"as it comes" | "whole", Timing[]> = { "as it comes": [], whole: [] };
for (let round = 0; round < Number(options.rounds); round++) {
  timings["as it comes"].push(comes());
  timings.whole.push(await whole());
}
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
console.log(
  `denoiser, ${options.backend}, ${options.threads} thread(s), ${seconds.toFixed(2)} s of sound, ${cpus().length} x ${cpus()[0]?.model}; a frame every ${((1000 * hop) / sampleRate).toFixed(0)} ms, ${((1000 * denoiser.latency) / sampleRate).toFixed(0)} ms late`,
);
for (const [way, all] of Object.entries(timings)) {
  const busy = all.map((each) => each.busy);
  console.log(
    `${way.padEnd(12)} real time factor ${median(busy).toFixed(4)} by processor time (best ${Math.min(...busy).toFixed(4)}), longest ${way === "whole" ? "recording" : "frame"} ${median(all.map(({ longest }) => longest)).toFixed(1)} ms (best ${Math.min(...all.map(({ longest }) => longest)).toFixed(1)})`,
  );
}
process.exit();
