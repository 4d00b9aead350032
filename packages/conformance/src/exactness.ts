#!/usr/bin/env node
import { parseArgs } from "node:util";
import { registerByName } from "./backends.ts";
import { exactnessFamilies } from "./exactness/families.ts";
import { runExactness, type ExactnessResult } from "./exactness/run.ts";

const USAGE = `usage: exactness [--programs 2000] [--seed 1] [--backend cpu,wasm,webgpu] [--family NAME,...] [--json]
Random programs of read, say, save, restore, fork, rewind, move, abort and reuse: a session that all of it happens to must be, to the last bit,
one that nothing happened to. On cpu and wasm steps that are not captured must give the same bits, too; on WebGPU the ops of a captured step
run as one where they can, and round otherwise, so that every step of a session is a replay. Exit 1 if one is not. Families: the small golden checkpoints, and models of the other mixers.`;

const list = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} must be a whole number >= ${least}, got "${text}"`);
  return value;
}

function line({ family, backend, programs, differences, seconds }: ExactnessResult): string {
  return `${family} [${backend}]: ${programs} programs, ${differences.length} differences, ${seconds.toFixed(1)} s`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      programs: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      backend: { type: "string", default: "cpu,wasm,webgpu" },
      family: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const backends = list(values.backend);
  const asked = list(values.family ?? "");
  const all = exactnessFamilies();
  const unknown = asked.find((name) => !all.some((family) => family.name === name));
  if (unknown !== undefined)
    throw new Error(`no family "${unknown}" (there are ${all.map(({ name }) => name).join(", ")})`);
  await registerByName(backends);
  const options = {
    programs: whole("programs", values.programs, 1),
    seed: whole("seed", values.seed, 0),
    backends,
    families: asked.length === 0 ? all : all.filter(({ name }) => asked.includes(name)),
  };
  let [programs, differences] = [0, 0];
  for await (const result of runExactness(options)) {
    programs += result.programs;
    differences += result.differences.length;
    console.log(values.json ? JSON.stringify(result) : line(result));
    if (!values.json) for (const { seed, what } of result.differences) console.log(`  DIFFERS  seed ${seed}: ${what}`);
  }
  if (!values.json) console.log(`${programs} programs, ${differences} differences`);
  return differences > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`exactness: ${error.message}`);
  return 2;
});
