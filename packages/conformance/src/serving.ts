#!/usr/bin/env node
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { registerBackend, setBackend } from "@statespace/core";
import { readWeightFormat } from "@statespace/models";
import { registerByName } from "./backends.ts";
import { MAMBA2_130M, MAMBA_130M, MAMBA_SMALL } from "./bench/modelBench.ts";
import { SERVING_BENCHES, type ServingRow } from "./bench/servingBench.ts";

const SHAPES = { "130m": MAMBA_130M, "mamba2-130m": MAMBA2_130M, small: MAMBA_SMALL } as const;

const USAGE = `usage: serving [NAME ...] [--backend wasm] [--shape 130m] [--weights f32] [--tokens 4000] [--texts 16] [--chunk N] [--threads N] [--json]
Measures what many conversations feel, beside its bars: ${Object.keys(SERVING_BENCHES).join(", ")}; all unless told. Weights are random.
Shapes: ${Object.keys(SHAPES).join(", ")}. Exit 1 where a bar is not held.`;

function line({ name, value, unit, bar, holds, of }: ServingRow): string {
  const figures = Object.entries(of).map(([key, x]) => `${key} ${x.toPrecision(4)}`);
  return `${holds ? "ok      " : "NOT OK  "} ${name}: ${value.toPrecision(3)} ${unit} (${bar}); ${figures.join(", ")}`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: "string", default: "wasm" },
      shape: { type: "string", default: "130m" },
      weights: { type: "string", default: "f32" },
      tokens: { type: "string", default: "4000" },
      texts: { type: "string", default: "16" },
      chunk: { type: "string" },
      threads: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const shape = SHAPES[values.shape as keyof typeof SHAPES];
  if (shape === undefined) throw new Error(`--shape must be one of ${Object.keys(SHAPES).join(", ")}`);
  const weights = readWeightFormat("--weights", values.weights) ?? "f32";
  const [tokens, texts] = [Number(values.tokens), Number(values.texts)];
  const chunk = values.chunk === undefined ? {} : { chunk: Number(values.chunk) };
  const names = positionals.length === 0 ? Object.keys(SERVING_BENCHES) : positionals;
  const unknown = names.find((name) => SERVING_BENCHES[name] === undefined);
  if (unknown !== undefined) throw new Error(`there is no ${unknown}\n${USAGE}`);
  if (values.backend === "wasm" && values.threads !== undefined)
    registerBackend(wasmBackend({ threads: Number(values.threads) }));
  await registerByName([values.backend]);
  await setBackend(values.backend);
  let held = true;
  for (const name of names)
    for await (const row of SERVING_BENCHES[name]!({ shape, weights, tokens, texts, ...chunk })) {
      held &&= row.holds;
      console.log(values.json ? JSON.stringify({ bench: name, backend: values.backend, weights, ...row }) : line(row));
    }
  return held ? 0 : 1;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`serving: ${error.message}`);
  return 2;
});
