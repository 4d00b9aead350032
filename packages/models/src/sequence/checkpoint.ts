import { FormatError } from "@statespace/core";
import {
  openCheckpoint,
  openSource,
  saveCheckpoint,
  toFloat32Array,
  type OpenSourceOptions,
  type ReadOptions,
  type SaveOptions,
  type SourceLike,
} from "@statespace/files";
import { formatTransformersJson } from "../checkpoint/transformersJson.ts";
import type { SequenceConfig } from "./config.ts";
import { SequenceModel } from "./model.ts";

/** Writes `config.json` and `model.safetensors` into a folder (Node). Errors: AbortedError; what the file system throws. */
export async function saveSequenceModel(
  model: SequenceModel,
  folder: string | URL,
  options: SaveOptions & { files?: Readonly<Record<string, string | Uint8Array>> } = {},
): Promise<void> {
  const { files, ...save } = options;
  await saveCheckpoint(
    folder,
    {
      config: formatTransformersJson({ ...model.config, modelType: "sequence" }),
      tensors: await model.weights(),
      ...(files ? { files } : {}),
    },
    save,
  );
}

/**
 * Loads what `saveSequenceModel` wrote, on the backend that is set.
 * @throws FormatError naming the file, key or tensor that is wrong; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function loadSequenceModel(
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions = {},
): Promise<SequenceModel> {
  const checkpoint = await openCheckpoint(openSource(from, options), options);
  const model = new SequenceModel(checkpoint.config as unknown as SequenceConfig, "empty");
  try {
    const missing = new Map(model.parameters.map((parameter) => [parameter.name, parameter]));
    for (const [name, { shape }] of checkpoint.entries) {
      const parameter = missing.get(name);
      if (parameter === undefined)
        throw new FormatError(`${checkpoint.source.name}: tensor "${name}" is not part of this model`);
      if (shape.join() !== parameter.shape.join())
        throw new FormatError(
          `${checkpoint.source.name}: tensor "${name}" must be [${parameter.shape.join(", ")}], got [${shape.join(", ")}]`,
        );
    }
    for await (const [name, raw] of checkpoint.stream(options)) {
      missing.get(name)!.assign(toFloat32Array(raw));
      missing.delete(name);
    }
    if (missing.size > 0)
      throw new FormatError(`${checkpoint.source.name}: tensor "${[...missing.keys()][0]}" is missing`);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
