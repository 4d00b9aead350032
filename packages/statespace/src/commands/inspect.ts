import { parseArgs } from "node:util";
import { packBytes } from "@statespace/core";
import { openCheckpoint, openSource } from "@statespace/files";
import { matchTensors, parseLanguageConfig, type LanguageConfig } from "@statespace/models";
import { bundledCheckpoint } from "../bundledCheckpoint.ts";
import type { Command } from "./command.ts";
import { megabytes } from "./terminal.ts";

const USAGE = `usage: statespace inspect [--model DIR|URL] [--json]

Reads a checkpoint's config and headers (no weights): what it holds, whether the two fit, and the memory it takes.`;

interface Summary {
  readonly modelType: string;
  readonly config: LanguageConfig;
  readonly parameters: number;
  readonly bytes: Readonly<Record<"f32" | "f16" | "q8" | "q4", number>>;
  readonly stateBytes: number | null;
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
}

/** Bytes of a matrix under a format; what does not pack stays float32. */
function stored(name: string, shape: readonly number[], format: "f32" | "f16" | "q8" | "q4"): number {
  const size = shape.reduce((a, b) => a * b, 1);
  const packs =
    format !== "f32" && shape.length === 2 && !/A_log$/.test(name) && (format === "f16" || shape[1]! % 32 === 0);
  return packs ? packBytes(shape, format) : 4 * size;
}

/** Bytes of one sequence's state: the convolution's window and the SSM's state of every layer. */
function stateBytes(config: LanguageConfig): number | null {
  // Attention's grows, and a hybrid's depends on its layers.
  if (
    config.attnLayers.length > 0 ||
    (config.modelType !== "mamba" && config.modelType !== "falcon_mamba" && config.modelType !== "mamba2")
  )
    return null;
  const { nLayer, dInner, dState, dConv } = config;
  const window = config.modelType === "mamba2" ? dInner + 2 * config.nGroups * dState : dInner;
  return 4 * nLayer * (dInner * dState + (dConv - 1) * window);
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { model: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const checkpoint = await openCheckpoint(openSource(values.model ?? bundledCheckpoint()), { signal });
  const config = parseLanguageConfig(checkpoint.config);
  const keys = matchTensors(checkpoint, config);
  const tensors = [...keys.values()].map((key) => ({ name: key, ...checkpoint.entries.get(key)! }));
  const total = (format: "f32" | "f16" | "q8" | "q4"): number =>
    tensors.reduce((sum, { name, shape }) => sum + stored(name, shape, format), 0);
  const summary: Summary = {
    modelType: config.modelType,
    config,
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    bytes: { f32: total("f32"), f16: total("f16"), q8: total("q8"), q4: total("q4") },
    stateBytes: stateBytes(config),
    tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
  };
  if (values.json) console.log(JSON.stringify(summary));
  else print(summary);
  return 0;
}

function print({ modelType, config, parameters, bytes, stateBytes: state, tensors }: Summary): void {
  const width = Math.max(...tensors.map(({ name }) => name.length));
  for (const { name, dtype, shape } of tensors)
    console.log(`${name.padEnd(width)}  ${dtype.padEnd(4)}  [${shape.join(", ")}]`);
  console.log(
    `\n${modelType}: ${config.nLayer} layers of ${config.dModel}, vocabulary ${config.vocabSize}, ${(parameters / 1e6).toFixed(2)} M parameters`,
  );
  console.log(
    `weights in memory: ${Object.entries(bytes)
      .map(([format, size]) => `${format} ${megabytes(size)}`)
      .join(", ")}`,
  );
  if (state !== null) console.log(`state of one sequence: ${megabytes(state)}, whatever its length`);
}

/** `statespace inspect`: what a checkpoint holds and the memory it needs. */
export const inspect: Command = { summary: "tells what a checkpoint holds and the memory it needs", usage: USAGE, run };
