import { packBytes } from "@statespace/core/backend";
import { matchWeights, Model, openModelFiles, type CacheType, type ModelConfig } from "@statespace/models";
import { bundledCheckpoint } from "../bundledCheckpoint.ts";
import { chooseBackend } from "./backendOption.ts";
import { readArguments, UsageError, type Command } from "./command.ts";
import { inspectText } from "./inspectText.ts";
import { megabytes } from "./terminal.ts";

const USAGE = `usage: statespace inspect [--model DIR|URL] [--text TEXT [--tokenizer DIR|URL] [--weights F] [--backend B]] [--json]

Reads a checkpoint's config and headers (no weights): what it holds, whether the two fit, and the memory it takes.
With --text it loads the model, and tells of that text how surprised the model is, and of each layer how large its
residual stream is and how long each token is looked at (delta, the mean over channels), where a layer has it.`;

interface Summary {
  readonly modelType: string;
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly bytes: Readonly<Record<Stored, number>>;
  readonly stateBytes: number | null;
  /** Bytes that a token adds to the state, by how keys and values are kept; null where it does not grow. */
  readonly tokenBytes: Readonly<Record<CacheType, number>> | null;
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
}

type Stored = "f32" | "f16" | "q8" | "q4";

/** Bytes of all weights under a format; what does not pack stays float32. */
function stored(model: Model, format: Stored): number {
  return model.parameters.reduce((sum, parameter) => {
    const packs = format !== "f32" && model.packs(parameter, format);
    return sum + (packs ? packBytes(parameter.shape, format) : 4 * parameter.size);
  }, 0);
}

/** Bytes of one sequence's state, where it does not grow. */
function stateBytes(model: Model): number | null {
  if (!model.constantState) return null;
  const state = model.initialState(1);
  const { bytes } = state;
  state.dispose();
  return bytes;
}

/** Bytes that a state grows by with each token. */
function tokenBytes(model: Model): Record<CacheType, number> | null {
  if (model.constantState) return null;
  const bytesOf = (type: CacheType, capacity: number): number => {
    model.cacheType = type;
    const state = model.initialState(1);
    model.reserve(state, 1, capacity);
    const { bytes } = state;
    state.dispose();
    return bytes;
  };
  const [f16, f32] = (["f16", "f32"] as const).map((type) => bytesOf(type, 2) - bytesOf(type, 1)) as [number, number];
  return { f32, f16 };
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, {
    model: { type: "string" },
    tokenizer: { type: "string" },
    text: { type: "string" },
    weights: { type: "string" },
    backend: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (values.text !== undefined) return inspectText(values.text, values, signal);
  for (const option of ["tokenizer", "weights", "backend"] as const)
    if (values[option] !== undefined) throw new UsageError(`--${option} is for --text, which loads the model`);
  const { family, fields, tensors } = await openModelFiles(values.model ?? bundledCheckpoint(), { signal });
  await chooseBackend("cpu");
  const model = new Model(family.read(fields, {}), "empty");
  const keys = [...matchWeights(model, family, tensors.entries, () => {}).keys()];
  const summary: Summary = {
    modelType: family.name,
    config: model.config,
    parameters: model.size,
    bytes: {
      f32: stored(model, "f32"),
      f16: stored(model, "f16"),
      q8: stored(model, "q8"),
      q4: stored(model, "q4"),
    },
    stateBytes: stateBytes(model),
    tokenBytes: tokenBytes(model),
    tensors: keys.map((name) => {
      const { dtype, shape } = tensors.entries.get(name)!;
      return { name, dtype, shape };
    }),
  };
  if (values.json) console.log(JSON.stringify(summary));
  else print(summary);
  return 0;
}

function print({ modelType, config, parameters, bytes, stateBytes: state, tokenBytes: grown, tensors }: Summary): void {
  const width = Math.max(...tensors.map(({ name }) => name.length));
  for (const { name, dtype, shape } of tensors)
    console.log(`${name.padEnd(width)}  ${dtype.padEnd(4)}  [${shape.join(", ")}]`);
  const vocabulary = config.encoder.kind === "embedding" ? `, vocabulary ${config.encoder.vocabSize}` : "";
  console.log(
    `\n${modelType}: ${config.layers.length} layers of ${config.dModel}${vocabulary}, ${(parameters / 1e6).toFixed(2)} M parameters`,
  );
  console.log(
    `weights in memory: ${Object.entries(bytes)
      .map(([format, size]) => `${format} ${megabytes(size)}`)
      .join(", ")}`,
  );
  if (state !== null) console.log(`state of one sequence: ${megabytes(state)}, whatever its length`);
  if (grown !== null)
    console.log(`each token adds to the state ${grown.f32} bytes, ${grown.f16} with --cache-type f16`);
}

/** `statespace inspect`: what a checkpoint holds and the memory it needs. */
export const inspect: Command = { summary: "tells what a checkpoint holds and the memory it needs", usage: USAGE, run };
