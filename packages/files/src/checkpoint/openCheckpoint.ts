import { FormatError } from "@statespace/core";
import type { ReadOptions, Source } from "../sources/source.ts";
import type { JsonObject } from "../strictJson.ts";
import type { TensorFile } from "../tensors/tensorFile.ts";
import { openWeights } from "./openWeights.ts";
import { readJson } from "./readJson.ts";

/** The file of a checkpoint folder that says what the model is. */
export const CONFIG_FILE = "config.json";
/** The file of a checkpoint folder with its defaults for sampling. */
export const GENERATION_CONFIG_FILE = "generation_config.json";

/** An opened checkpoint folder: its configs, and its weights, of which only names, types and shapes are read. */
export interface Checkpoint extends TensorFile {
  readonly source: Source;
  /** `config.json` as it stands. */
  readonly config: JsonObject;
  /** `generation_config.json`, where there is one. */
  readonly generationConfig: JsonObject | undefined;
}

/**
 * Opens a checkpoint folder: reads `config.json`, `generation_config.json` and the headers of the weights, and checks them against each other.
 * Errors: {@link FormatError} if a file is missing or corrupt; {@link SourceError}; {@link AbortedError}.
 */
export async function openCheckpoint(source: Source, options: ReadOptions = {}): Promise<Checkpoint> {
  const notes: string[] = [];
  const notice = (line: string): void => void notes.push(line);
  const config = await readJson(source, CONFIG_FILE, { ...options, notice });
  if (config === undefined) throw new FormatError(`${source.name}: ${CONFIG_FILE} is missing`);
  const generationConfig = await readJson(source, GENERATION_CONFIG_FILE, { ...options, notice });
  const weights = await openWeights(source, options);
  return Object.assign(weights, { source, config, generationConfig, notes: [...notes, ...(weights.notes ?? [])] });
}
