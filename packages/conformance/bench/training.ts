// Training steps of one Mamba language model, ours beside other libraries, in turns. Everybody starts from the same weights; losses must
// agree before anything is timed.  node --conditions=statespace-source bench/training.ts [--rounds N] [--python PATH] [--only TEXT] [--json FILE]
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { trainJax } from "./mambaJax.ts";
import { trainOurs } from "./mambaOurs.ts";
import { makeProblem, type Trainer } from "./mambaProblem.ts";
import { trainTfjs } from "./mambaTfjs.ts";
import { trainTorch } from "./mambaTorch.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    python: { type: "string", default: "python3" },
    only: { type: "string", default: "" },
    json: { type: "string" },
  },
});
/** Two steps before timing, whose losses are compared: everybody has then run its update once. */
const CHECKED = 3;
/** Sums of some thousand f32 terms in another order, and a step of AdamW on gradients near its eps. */
const AGREEMENT = 2e-3;

await setBackend(wasmBackend({ threads: 1 }));
const problem = await makeProblem();
const makers: Record<string, () => Promise<Trainer | undefined>> = {
  "ours 1": () => trainOurs(problem, 1),
  "ours 2": () => trainOurs(problem, 2),
  tfjs: () => trainTfjs(problem),
  jax: () => trainJax(problem),
  "torch parallel": () => trainTorch(problem, "parallel", 2, options.python),
  "torch loop": () => trainTorch(problem, "loop", 2, options.python),
};
const trainers: { trainer: Trainer; times: number[] }[] = [];
let reference: number[] | undefined;
for (const [name, make] of Object.entries(makers)) {
  if (!name.includes(options.only) && !name.startsWith("ours")) continue;
  const trainer = await make();
  if (!trainer) continue;
  const losses: number[] = [];
  for (let i = 0; i < CHECKED; i++) losses.push(await trainer.step());
  reference ??= losses;
  if (!losses.every((loss, i) => Math.abs(loss - reference![i]!) < AGREEMENT))
    throw new Error(`${trainer.label}: losses ${losses.join(", ")}, ours ${reference.join(", ")}`);
  trainers.push({ trainer, times: [] });
}
/** A turn: steps until this many milliseconds are over, the first of them untimed, since it finds the caches full of somebody else's data. */
const TURN = 1500;
for (let round = 0; round < Number(options.rounds); round++) {
  for (const { trainer, times } of trainers) {
    const turn = performance.now();
    for (let i = 0; performance.now() - turn < TURN; i++) {
      const from = performance.now();
      await trainer.step();
      const ms = performance.now() - from;
      if (i > 0 || ms > TURN) times.push(ms);
    }
  }
}
const tokens = problem.batch * problem.length;
const rows = trainers.map(({ trainer: { label, note }, times }) => {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  return { label, note, ms: median, bestMs: sorted[0]!, tokensPerSecond: (1000 * tokens) / median };
});
for (const { label, ms, bestMs, tokensPerSecond } of rows) {
  console.log(
    `${label.padEnd(48)} ${ms.toFixed(0).padStart(6)} ms a step (best ${bestMs.toFixed(0)}) ${tokensPerSecond.toFixed(0).padStart(6)} tokens/s`,
  );
}
if (options.json) {
  const machine = { node: process.version, cores: cpus().length, processor: cpus()[0]!.model, backend: "wasm" };
  const setting = {
    model: "mamba, 4 layers, d = 256, n = 16, vocabulary 1,024",
    batch: problem.batch,
    length: problem.length,
    rounds: Number(options.rounds),
  };
  const command =
    "cd packages/conformance && node --conditions=statespace-source bench/training.ts --python /usr/bin/python3 --json ../../docs/results/12-throughput.json";
  writeFileSync(
    options.json,
    `${JSON.stringify({ command, machine, setting, losses: reference, results: Object.fromEntries(rows.map(({ label, ...row }) => [label, row])) }, null, 1)}\n`,
  );
}
for (const { trainer } of trainers) trainer.close();
process.exit();
