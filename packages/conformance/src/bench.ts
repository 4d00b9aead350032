#!/usr/bin/env node
import { parseArgs } from "node:util";
import { registerByName } from "./backends.ts";
import { benches } from "./bench/benches.ts";
import { measure, type Measurement } from "./bench/measure.ts";

const USAGE = `usage: bench [NAME] [--backend cpu,wasm,webgpu] [--rounds N] [--json]
Runs the benches whose name contains NAME. Each subject is validated, warmed up, and timed in turn with the others.
  --list   names only`;

function line({ bench, subject, ms, rates, ratio }: Measurement): string {
  const speed = Object.entries(rates)
    .map(([unit, rate]) => `${rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3)} ${unit}`)
    .join(", ");
  return `${bench.padEnd(36)} ${subject.padEnd(8)} ${ms.min.toFixed(2).padStart(9)} ${ms.median.toFixed(2).padStart(9)} ${ms.max.toFixed(2).padStart(9)} ms   x${ratio.toFixed(2)}   ${speed}`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: "string", default: "wasm" },
      rounds: { type: "string", default: "7" },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const chosen = benches.filter(({ name }) => positionals.every((word) => name.includes(word)));
  if (values.list) {
    for (const { name } of chosen) console.log(name);
    return 0;
  }
  if (chosen.length === 0) throw new Error(`no bench named "${positionals.join(" ")}"; --list tells them`);
  const backends = values.backend.split(",");
  await registerByName(backends);
  if (!values.json)
    console.log(
      `${"bench".padEnd(36)} ${"subject".padEnd(8)} ${"min".padStart(9)} ${"median".padStart(9)} ${"max".padStart(9)}      ratio to the first subject`,
    );
  for (const bench of chosen) {
    for (const row of await measure(bench, backends, Number(values.rounds)))
      console.log(values.json ? JSON.stringify(row) : line(row));
  }
  return 0;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  return 1;
});
