import { FormatError } from "@statespace/core";
import { impostor, IMPOSTOR_BYTES } from "../impostor.ts";
import { throwIfAborted } from "../sources/abort.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import type { RawTensor } from "../tensors/convert.ts";
import { DTYPE_BYTES } from "../tensors/dtype.ts";
import type { TensorEntry, TensorFile, TensorPiece } from "../tensors/tensorFile.ts";
import { gatherStrided, isContiguous, spanOf } from "./gatherStrided.ts";
import { byteLengthOf, PickledTensor, unpickleTensors } from "./pickledTensor.ts";
import { PickleDict, type PickleValue } from "./pickleValue.ts";
import { describe } from "./unpickle.ts";
import {
  dataStart,
  looksLikeZip,
  readExactly,
  readZipDirectory,
  type ZipDirectory,
  type ZipEntry,
} from "./zipDirectory.ts";

/** The pickle only lists tensors; one of a hundred thousand has 30 MB. */
const MAX_PICKLE_BYTES = 64 << 20;

/** A tensor, and the file of the archive that its storage is. */
interface PlacedTensor {
  readonly tensor: PickledTensor;
  readonly storage: ZipEntry;
  readonly byteLength: number;
}

/**
 * A state dict that PyTorch's `torch.save` wrote (version 1.6 and later), read as data: no code of the file runs. `undefined` if the source has no such file.
 * Views and shared storages are handled; each tensor's bytes are read when it is asked for. The sums in the archive are not checked, since PyTorch may leave
 * them out.
 * Errors: {@link FormatError} for anything but a dict of tensors; {@link SourceError}; {@link AbortedError}.
 */
export async function openPytorch(
  source: Source,
  file: string,
  options: ReadOptions = {},
): Promise<TensorFile | undefined> {
  const prefix = await source.read(file, { ...options, start: 0, end: IMPOSTOR_BYTES });
  if (prefix === undefined) return undefined;
  if (!looksLikeZip(prefix)) throw new FormatError(`${file}: ${notAnArchive(prefix)}`);
  const size = await source.size(file, options);
  if (typeof size !== "number") throw new FormatError(`${file}: ${source.name} does not tell its size`);
  const directory = await readZipDirectory(source, file, size, options);
  const pickle = [...directory.entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined) throw new FormatError(`${file}: has no data.pkl; torch.save did not write it`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const contents = async (name: string): Promise<Uint8Array | undefined> => {
    const entry = directory.entries.get(folder + name);
    if (entry === undefined) return undefined;
    if (entry.byteLength > MAX_PICKLE_BYTES)
      throw new FormatError(`${file}: ${name} must be at most ${MAX_PICKLE_BYTES} bytes, got ${entry.byteLength}`);
    const start = await dataStart(source, file, { entry, size }, options);
    return readExactly(source, file, start, start + entry.byteLength, options);
  };
  const order = new TextDecoder().decode(await contents("byteorder"));
  if (order !== "" && order !== "little") throw new FormatError(`${file}: byte order ${quote(order)} is not read`);
  const root = unpickleTensors((await contents("data.pkl")) as Uint8Array, `${file}: data.pkl`);
  const { tensors, metadata } = stateDict(root, file);
  return new PytorchFile(source, file, directory, placeTensors(tensors, directory, `${folder}data/`, file), metadata);
}

function notAnArchive(prefix: Uint8Array): string {
  const pickled = prefix[0] === 0x80;
  const fault = impostor(prefix);
  if (fault !== undefined) return fault;
  return pickled
    ? "was written by PyTorch before 1.6 as a bare pickle, which is not read; save it again with a later version, or convert it to safetensors"
    : "is not an archive of torch.save";
}

/** The tensors of a state dict, or of the one under `state_dict` in a training checkpoint; numbers and texts beside them are metadata. */
function stateDict(
  root: PickleValue,
  file: string,
): { tensors: Map<string, PickledTensor>; metadata: Map<string, string> } {
  if (!(root instanceof PickleDict))
    throw new FormatError(`${file}: must hold a dict of tensors, got ${describe(root)}`);
  const inner = root.items.get("state_dict");
  const dict = inner instanceof PickleDict ? inner : root;
  const tensors = new Map<string, PickledTensor>();
  const metadata = new Map<string, string>();
  for (const [name, value] of dict.items) {
    if (typeof name !== "string") throw new FormatError(`${file}: names must be texts, got ${describe(name)}`);
    if (value instanceof PickledTensor) tensors.set(name, value);
    else if (value === null || typeof value !== "object") metadata.set(name, String(value));
    else throw new FormatError(`${file}: ${quote(name)} must be a tensor, got ${describe(value)}`);
  }
  return { tensors, metadata };
}

/** In the order of the archive. Every storage must be there and as large as the pickle says. */
function placeTensors(
  tensors: ReadonlyMap<string, PickledTensor>,
  { entries, size }: ZipDirectory,
  folder: string,
  file: string,
): ReadonlyMap<string, PlacedTensor> {
  const placed: [string, PlacedTensor][] = [];
  for (const [name, tensor] of tensors) {
    const { key, dtype, length } = tensor.storage;
    const storage = entries.get(folder + key);
    if (storage === undefined) throw new FormatError(`${file}: storage ${quote(key)} of ${quote(name)} is missing`);
    if (storage.byteLength !== length * DTYPE_BYTES[dtype])
      throw new FormatError(
        `${file}: storage ${quote(key)} of ${quote(name)} must be ${length} elements of ${dtype}, got ${storage.byteLength} bytes`,
      );
    const byteLength = byteLengthOf(tensor, `${file}: ${quote(name)}`);
    // Strides of 0 repeat elements without end: a few bytes must not ask for gigabytes.
    if (byteLength > size)
      throw new FormatError(`${file}: ${quote(name)} takes ${byteLength} bytes, more than the whole file has`);
    placed.push([name, { tensor, storage, byteLength }]);
  }
  placed.sort(([, a], [, b]) => a.storage.headerStart - b.storage.headerStart || a.tensor.offset - b.tensor.offset);
  return new Map(placed);
}

class PytorchFile implements TensorFile {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: Source;
  readonly #file: string;
  readonly #directory: ZipDirectory;
  readonly #tensors: ReadonlyMap<string, PlacedTensor>;
  /** Where the bytes of a storage begin, once its own header has been read. */
  readonly #starts = new Map<ZipEntry, number>();

  constructor(
    source: Source,
    file: string,
    directory: ZipDirectory,
    tensors: ReadonlyMap<string, PlacedTensor>,
    metadata: ReadonlyMap<string, string>,
  ) {
    this.#source = source;
    this.#file = file;
    this.#directory = directory;
    this.#tensors = tensors;
    this.metadata = metadata;
    this.entries = new Map(
      Array.from(tensors, ([name, { tensor, byteLength }]) => [
        name,
        { dtype: tensor.storage.dtype, shape: tensor.shape, byteLength, file },
      ]),
    );
  }

  async read(name: string, options: ReadOptions = {}): Promise<RawTensor> {
    const placed = this.#tensors.get(name);
    if (placed === undefined) throw new FormatError(`${this.#file}: tensor ${quote(name)} is missing`);
    const { shape, strides, offset, storage } = placed.tensor;
    const width = DTYPE_BYTES[storage.dtype];
    const start = (await this.#start(placed.storage, options)) + offset * width;
    const span = isContiguous(shape, strides) ? placed.byteLength : spanOf(shape, strides) * width;
    const bytes = await readExactly(this.#source, this.#file, start, start + span, options);
    return {
      dtype: storage.dtype,
      shape,
      bytes: isContiguous(shape, strides) ? bytes : gatherStrided(bytes, shape, strides, width),
    };
  }

  async slice(name: string, begin: number, end: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const placed = this.#tensors.get(name);
    const whole = placed === undefined || !isContiguous(placed.tensor.shape, placed.tensor.strides);
    if (whole) return (await this.read(name, options)).bytes.slice(begin, end);
    const { offset, storage } = placed.tensor;
    const start = (await this.#start(placed.storage, options)) + offset * DTYPE_BYTES[storage.dtype];
    return readExactly(this.#source, this.#file, start + begin, start + end, options);
  }

  async *pieces(options: ReadOptions = {}): AsyncGenerator<TensorPiece, void, undefined> {
    for await (const [name, { bytes }] of this.stream(options)) yield { name, begin: 0, bytes };
  }

  async *stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    for (const name of this.#tensors.keys()) {
      throwIfAborted(options.signal, this.#file);
      yield [name, await this.read(name, options)];
    }
  }

  async #start(storage: ZipEntry, options: ReadOptions): Promise<number> {
    const known = this.#starts.get(storage);
    if (known !== undefined) return known;
    const { size } = this.#directory;
    const start = await dataStart(this.#source, this.#file, { entry: storage, size }, options);
    this.#starts.set(storage, start);
    return start;
  }
}
