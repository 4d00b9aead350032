#!/usr/bin/env node
import { parseArgs } from "node:util";
import { registerByName } from "./backends.ts";
import { soak, type SoakResult } from "./soak/run.ts";

const USAGE = `usage: soak [--backend cpu,wasm,webgpu] [--tokens 20000] [--steps 2000] [--aborts 300] [--seed 1] [--json]
Says so many tokens of one text, takes so many steps of the optimiser, and stops work at so many random moments. From the middle of
each on, counts of tensors and storages must stay the same, and what the backend and JavaScript's heap hold within 1 %. Exit 1 if something grew.`;

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} must be a whole number >= ${least}, got "${text}"`);
  return value;
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);

function line({ backend, part, done, before, after, faults, seconds }: SoakResult): string {
  const sizes = `heap ${mib(before.heapBytes)} -> ${mib(after.heapBytes)} MiB, backend ${mib(before.backendBytes)} -> ${mib(after.backendBytes)} MiB, resident ${mib(before.residentBytes)} -> ${mib(after.residentBytes)} MiB`;
  const counts = `${after.handles} tensors, ${after.storages} storages`;
  const verdict = faults.length === 0 ? "flat" : `NOT FLAT: ${faults.join("; ")}`;
  return `${backend}, ${done} ${part}: ${verdict} (${counts}; ${sizes}; ${seconds.toFixed(1)} s)`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      backend: { type: "string", default: "cpu,wasm" },
      tokens: { type: "string", default: "20000" },
      steps: { type: "string", default: "2000" },
      aborts: { type: "string", default: "300" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const backends = values.backend.split(",").map((name) => name.trim());
  const options = {
    tokens: whole("tokens", values.tokens, 10),
    steps: whole("steps", values.steps, 10),
    aborts: whole("aborts", values.aborts, 10),
    seed: whole("seed", values.seed, 0),
  };
  await registerByName(backends);
  let bad = 0;
  for (const backend of backends)
    for await (const result of soak(backend, options)) {
      bad += result.faults.length;
      console.log(values.json ? JSON.stringify(result) : line(result));
    }
  return bad > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`soak: ${error.message}`);
  return 2;
});
