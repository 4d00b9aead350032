#!/usr/bin/env node
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setBackend } from "@statespace/core";
import { registerByName } from "./backends.ts";
import { agreementOf, FORMATS, type Agreement } from "./packed/agreement.ts";
import { checkpointsOf } from "./roundTrip/cases.ts";

const USAGE = `usage: agreement [--checkpoints DIR] [--name WORD] [--backend wasm] [--json]
How much each checkpoint of a folder (the golden ones unless told) answers in f16, q8 and q4 as it does in float32, over 128 tokens: the share whose
most probable next token is the same, and the mean divergence of the distributions in nats.`;

const cell = ({ same, divergence }: Agreement): string =>
  `${(100 * same).toFixed(0)} %, ${divergence.toExponential(1)}`;
const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      checkpoints: { type: "string" },
      name: { type: "string", default: "" },
      backend: { type: "string", default: "wasm" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const folder = values.checkpoints ? resolve(values.checkpoints) : new URL("../golden/hf", import.meta.url).pathname;
  await registerByName([values.backend]);
  await setBackend(values.backend);
  const names = checkpointsOf(folder).filter((name) => name.includes(values.name));
  if (names.length === 0) throw new Error(`${folder} has no checkpoint of that name`);
  if (!values.json)
    console.log([line(["checkpoint", ...FORMATS]), line(["---", ...FORMATS.map(() => "---")])].join("\n"));
  for (const name of names) {
    const found = await agreementOf(join(folder, name));
    console.log(values.json ? JSON.stringify({ checkpoint: name, found }) : line([name, ...found.map(cell)]));
  }
}

process.exitCode = await main().then(
  () => 0,
  (error: Error) => {
    console.error(`agreement: ${error.message}`);
    return 2;
  },
);
