import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "../sources/abort.ts";
import { CONFIG_FILE, GENERATION_CONFIG_FILE } from "./openCheckpoint.ts";
import { PYTORCH_FILE, WEIGHTS_FILE } from "./openWeights.ts";
import { ArgumentError } from "@statespace/core";
import { layoutPytorch } from "../pytorch/pytorchWriter.ts";
import { nodeFiles, writeFileAtomically } from "../sources/nodeFiles.ts";
import { type ResumableOptions, writeFileResumably } from "../sources/resumableFile.ts";
import {
  layoutSafetensors,
  type SafetensorsWriteOptions,
  type WritableTensor,
} from "../safetensors/safetensorsWriter.ts";
import { quote } from "../strictJson.ts";
import { assertFlatName } from "../sources/source.ts";
import type { LazyTensor } from "../tensors/lazyTensor.ts";

/** What `saveCheckpoint` writes: one file each for config, weights and generation config, and any others. */
export interface CheckpointContent<T = WritableTensor> {
  /** `config.json`, as an object or as its text. */
  readonly config: object | string;
  readonly tensors: ReadonlyMap<string, T>;
  readonly generationConfig?: object;
  /** Further files, such as `tokenizer.json`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** What the file of weights is: `model.safetensors`, or `pytorch_model.bin` as `torch.save` writes it. */
export type WeightsFormat = "safetensors" | "pytorch";

/** Options of `saveCheckpoint`: those of the weights' file, and a signal that stops it with `AbortedError`. */
export interface SaveOptions extends SafetensorsWriteOptions {
  readonly signal?: AbortSignal;
  /** Weights are written as `writeFileResumably` does it, with its identity and progress. */
  readonly resumable?: Omit<ResumableOptions, "signal" | "whole">;
  /** "safetensors" unless told. */
  readonly format?: WeightsFormat;
  /** Further names of tensors; only PyTorch's files have them. */
  readonly shared?: Readonly<Record<string, string>>;
}

/**
 * Writes a checkpoint folder (Node), making it if need be. Weights are converted one tensor at a time, and each file appears under its name only when it is whole;
 * `config.json` comes last, so that a folder that has one has everything.
 * @returns bytes of the weights that an earlier call had left, where it is resumable
 * Errors: {@link ShapeError} for a tensor that lies about its shape; {@link AbortedError}; what the file system throws.
 */
export async function saveCheckpoint(
  folder: string | URL,
  content: CheckpointContent<WritableTensor | LazyTensor>,
  options: SaveOptions = {},
): Promise<number> {
  refuseUnknown("saveCheckpoint", options, ["dtype", "metadata", "signal", "resumable", "format", "shared"]);
  const { signal, resumable, format = "safetensors", shared, ...writing } = options;
  const weights = FILES[format];
  if (weights === undefined)
    throw new ArgumentError(
      `saveCheckpoint: format must be one of ${Object.keys(FILES).join(", ")}, got ${quote(String(format))}`,
    );
  const layout =
    format === "pytorch"
      ? layoutPytorch(content.tensors, { ...pick(writing), ...(shared === undefined ? {} : { shared }) })
      : layoutSafetensors(content.tensors, writing);
  const files = checkpointFiles(content, () => layout.chunks(), weights);
  const { fs, path, url } = nodeFiles();
  const target = folder instanceof URL || folder.startsWith("file:") ? url.fileURLToPath(folder) : folder;
  throwIfAborted(signal, target);
  await fs.mkdir(target, { recursive: true });
  if (format === "pytorch") await refuseSafetensors(target);
  let kept = 0;
  for (const [name, chunks] of files) {
    const file = path.join(target, name);
    if (name === weights && resumable !== undefined)
      kept = await writeFileResumably(file, layout.sections, { ...resumable, signal });
    else await writeFileAtomically(file, chunks(), signal);
  }
  return kept;
}

const FILES: Readonly<Record<WeightsFormat, string>> = { safetensors: WEIGHTS_FILE, pytorch: PYTORCH_FILE };

/** What of the options is for any file of weights. */
const pick = ({ dtype }: SafetensorsWriteOptions): SafetensorsWriteOptions => (dtype === undefined ? {} : { dtype });

/** Safetensors are read first, here and by others: weights beside them would never be seen. */
async function refuseSafetensors(folder: string): Promise<void> {
  const names = await nodeFiles().fs.readdir(folder);
  const found = names.find((name) => name === WEIGHTS_FILE || name === `${WEIGHTS_FILE}.index.json`);
  if (found !== undefined)
    throw new ArgumentError(
      `${folder}: has a ${found} already, which would be read in place of ${PYTORCH_FILE}; give another folder, or remove it`,
    );
}

/** The same checkpoint as Blobs, for a browser to store or offer as downloads. Errors: {@link ShapeError}. */
export function checkpointBlobs(content: CheckpointContent, options: SafetensorsWriteOptions = {}): Map<string, Blob> {
  const layout = layoutSafetensors(content.tensors, options);
  return new Map(
    checkpointFiles(content, () => layout.chunks()).map(([name, chunks]) => [
      name,
      new Blob([...chunks()] as Uint8Array<ArrayBuffer>[]),
    ]),
  );
}

function checkpointFiles<Chunk>(
  content: CheckpointContent<unknown>,
  weights: () => Iterable<Chunk>,
  file: string = WEIGHTS_FILE,
): [name: string, chunks: () => Iterable<Chunk | Uint8Array>][] {
  const files: [string, () => Iterable<Chunk | Uint8Array>][] = [[file, weights]];
  for (const [name, data] of Object.entries(content.files ?? {})) {
    assertFlatName(name, "saveCheckpoint");
    files.push([name, () => [typeof data === "string" ? new TextEncoder().encode(data) : data]]);
  }
  if (content.generationConfig !== undefined)
    files.push([GENERATION_CONFIG_FILE, () => [encodeJson(content.generationConfig)]]);
  files.push([CONFIG_FILE, () => [encodeJson(content.config)]]);
  return files;
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : `${JSON.stringify(value, null, 2)}\n`);
}
