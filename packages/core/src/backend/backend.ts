import { ArgumentError, BackendError, DeviceLostError } from "../errors.ts";
import { GraphMemory } from "./graph.ts";
import type { Kernel, KernelAttrs, KernelInputs, KernelTable } from "./kernel.ts";
import { packBytes, unpackToF32 } from "./packing.ts";
import { Storage, type Block, type BlockSource, type Entry } from "./storage.ts";
import type { DataId, DType, PackedFormat, StorageFormat, TensorInfo, TensorValues, WeightFormat } from "./types.ts";

/** Bytes of rows that are arranged at once: a large weight never needs a second copy of itself. */
const ARRANGED_BYTES = 1 << 20;

/** Of which weight rows are, and which of them come first. */
export interface PackedRows {
  readonly shape: readonly number[];
  readonly format: PackedFormat;
  readonly row: number;
}

/** Bytes, and at which byte of a weight they belong. */
export type PlacedBytes = readonly [byteOffset: number, bytes: Uint8Array];

/** What a backend tells of itself. */
export interface BackendMemory {
  /** Live tensor storages. */
  tensors: number;
  /** Bytes in live tensor storages. */
  tensorBytes: number;
  /** Bytes the backend holds from the system, free lists and captured graphs included. */
  heldBytes: number;
}

/** A recorded sequence of launches that can run again on the same buffers. */
export interface Recording {
  readonly launches: number;
  /** Bytes of the buffers that belong to the recording. */
  readonly bytes: number;
  replay(): void;
  dispose(): void;
}

/** What the registry does for a backend that it started. */
export interface BackendKeeper<Backend> {
  /** Its device is gone: it runs no longer. */
  forget(): void;
  /** Opens another in its place. @throws BackendError where none can be had */
  reopen(): Promise<Backend>;
  /** Waits for everything that comes back by itself. */
  bringBack(): Promise<void>;
}

function elements(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/**
 * Base of every backend: tensor storage with reference counts and views, packed weights, uploads, reads,
 * and capture. A new backend adds how a buffer of type `B` is made, filled and read, and how a launch `L` runs;
 * its kernels are functions over this class (see `Kernel`).
 *
 * Capture is what CUDA graphs are to `mamba_ssm`: `launch` runs a launch and, while recording, also appends it to a list.
 */
export abstract class StatespaceBackend<B, L> implements BlockSource<B> {
  /** The kind of backend: `cpu`, `wasm`, `webgpu`. */
  readonly label: string;
  #name: string;
  #kernels: KernelTable = {};
  #running = true;
  #lost: DeviceLostError | undefined;
  #successor: StatespaceBackend<B, L> | undefined;
  #keeper: BackendKeeper<StatespaceBackend<B, L>> | undefined;
  /** Made for a card that this machine has not, and run on its processor: far slower than the backends that are made for one. */
  readonly emulated: boolean = false;
  /** True where a read does not wait for a device or a worker. */
  readonly readsAtOnce: boolean = false;
  /** Byte alignment a view's offset must have; a slice that does not fit is copied. */
  readonly viewAlignment: number = 4;
  /** Rows up to which each row of a step has the same bits however many are beside it; 1 where that is not promised. */
  readonly rowsAlike: number = 1;
  /** Formats of packed weights for which its kernel `linearGrad` makes dx of dY and the weight alone, where both may be rounded to 8 bits. */
  readonly roundedGradients: readonly PackedFormat[] = [];
  protected readonly storage: Storage<B>;
  #recording: { launches: L[]; memory: GraphMemory<B>; previous: BlockSource<B> } | undefined;

  constructor(label: string) {
    this.label = label;
    this.#name = label;
    this.storage = new Storage<B>(label, this);
  }

  /** The name it is registered under, which is its label unless the definition says otherwise. */
  get name(): string {
    return this.#name;
  }

  /** Its kernels by name, as its definition gave them. */
  get kernels(): KernelTable {
    return this.#kernels;
  }

  /** False once it was stopped: its tensors are gone. */
  get running(): boolean {
    return this.#running;
  }

  /** Why its device is gone, and with it all its tensors; absent while it is there. Every call then throws this, but `dispose`. */
  get lost(): DeviceLostError | undefined {
    return this.#lost;
  }

  /** Itself, or what runs in its place since it was recovered. */
  get latest(): StatespaceBackend<B, L> {
    return this.#successor?.latest ?? this;
  }

  /**
   * The one call after a loss: opens a fresh device in this one's place, makes it the default where this one was, and waits for the models
   * that were loaded with `{ recover: true }`; one that cannot come back says why when it is used. A backend that runs stays as it is.
   * @returns the backend that runs now
   * @throws BackendError where no device can be had; it may be called again then.
   */
  async recover(): Promise<StatespaceBackend<B, L>> {
    const { latest } = this;
    const keeper = latest.#keeper;
    if (keeper === undefined) throw latest.#lost ?? new BackendError(`${this.name}: recover: it was never started`);
    const fresh = latest.running ? latest : await keeper.reopen();
    await keeper.bringBack();
    return fresh;
  }

  /** Called by a backend when its device goes away; the first reason stays. @returns what every call throws from now on */
  lose(reason: string): DeviceLostError {
    if (this.#lost !== undefined) return this.#lost;
    const error = new DeviceLostError(
      `${this.#name}: the device is gone (${reason}), and its tensors with it: await backend.recover() opens it anew`,
    );
    // One that was stopped loses nothing: it has given its device up.
    if (!this.#running) return error;
    this.#lost = error;
    if (this.#keeper === undefined) this.detach();
    else this.#keeper.forget();
    return error;
  }

  /** Called by the registry: another runs in its place from now on. */
  succeed(fresh: StatespaceBackend<B, L>): void {
    this.#successor = fresh;
  }

  #expectDevice(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Called by the registry before a backend is used. */
  attach(name: string, kernels: KernelTable, keeper?: BackendKeeper<StatespaceBackend<B, L>>): void {
    this.#name = name;
    this.#kernels = kernels;
    this.#keeper = keeper;
    this.#running = true;
  }

  /** Called by the registry when a backend is stopped. */
  detach(): void {
    this.#running = false;
    this.dispose();
  }

  /** Runs a kernel on tensors of this backend. When it throws, what it had allocated is given back. */
  runKernel(kernel: Kernel, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo | readonly TensorInfo[] {
    this.#expectDevice();
    const from = this.storage.begin();
    try {
      return kernel(this, inputs, attrs);
    } catch (error) {
      this.storage.takeBack(from);
      this.abandon();
      throw error;
    } finally {
      this.storage.end();
    }
  }

  /** Called after a kernel threw and its outputs were released: drops what else the backend had prepared for it. */
  protected abandon(): void {}

  /** Makes an uninitialised buffer of at least `bytes`. @throws OutOfMemoryError with nothing changed. */
  protected abstract allocate(bytes: number): B;
  /** Takes a buffer back; the backend may pool it. */
  protected abstract free(buffer: B, bytes: number): void;
  /** Copies bytes into a buffer, ordered after every launch so far. The source may be reused at once. */
  protected abstract upload(buffer: B, byteOffset: number, source: Uint8Array): void;
  /** Reads bytes back, after every launch so far. */
  protected abstract download(buffer: B, byteOffset: number, bytes: number): Promise<Uint8Array>;
  /** Runs one launch now (or enqueues it in order). */
  protected abstract execute(launch: L): void;
  /** Bytes held from the system. */
  protected abstract heldBytes(): number;

  /** Reads bytes back at once, where the backend can; the default says that it cannot. */
  protected downloadSync(_buffer: B, _byteOffset: number, _bytes: number): Uint8Array {
    throw new BackendError(`${this.label}: no synchronous read; await tensor.data()`);
  }

  /** Makes the fast form of a list of launches; the default runs them one by one. */
  protected compile(launches: readonly L[]): { replay(): void; dispose(): void } {
    return {
      replay: (): void => {
        for (const launch of launches) this.execute(launch);
      },
      dispose: (): void => {},
    };
  }

  /** Called once when it starts: nothing by default. */
  async ready(): Promise<void> {}

  take(bytes: number): Block<B> {
    this.#expectDevice();
    const rounded = Math.max(4, Math.ceil(bytes / 4) * 4);
    return { buffer: this.allocate(rounded), bytes: rounded, holders: 0 };
  }

  giveBack(block: Block<B>): void {
    this.free(block.buffer, block.bytes);
  }

  /** An uninitialised output of a kernel. */
  output(shape: readonly number[], dtype: DType = "float32"): TensorInfo {
    return this.storage.make(shape, dtype, 4 * elements(shape), dtype === "float32" ? "f32" : "i32");
  }

  /** The same storage under another shape (Reshape, Identity); counts as one more reference. */
  alias(x: TensorInfo, shape: readonly number[] = x.shape): TensorInfo {
    this.storage.get(x.dataId).refs++;
    return { dataId: x.dataId, shape, dtype: x.dtype };
  }

  /** A contiguous part of a tensor without a copy. `elementOffset` in elements. */
  view(x: TensorInfo, shape: readonly number[], elementOffset: number): TensorInfo {
    const { format } = this.storage.get(x.dataId);
    if (isPacked(format)) throw new BackendError(`${this.label}: a weight packed as ${format} has no views`);
    return this.storage.view(x, shape, 4 * elementOffset, 4 * elements(shape));
  }

  /** Where a tensor lies, for a kernel that is about to read or write it. @throws BackendError for a packed weight. */
  locate(x: TensorInfo): Entry<B> {
    const entry = this.locatePacked(x);
    if (isPacked(entry.format)) {
      throw new BackendError(
        `${this.label}: a weight packed as ${entry.format} can only be an operand of linear and embedding, and of expertLinear`,
      );
    }
    return entry;
  }

  /** As `locate`, packed weights allowed. */
  locatePacked(x: TensorInfo): Entry<B> {
    const entry = this.storage.get(x.dataId);
    this.#recording?.memory.touch(entry.block);
    return entry;
  }

  /** How a tensor's values are stored. */
  formatOf(x: TensorInfo): StorageFormat {
    return this.storage.get(x.dataId).format;
  }

  /** Runs a launch; records it while capturing. */
  launch(launch: L): void {
    this.execute(launch);
    this.#recording?.launches.push(launch);
  }

  get capturing(): boolean {
    return this.#recording !== undefined;
  }

  beginCapture(): void {
    if (this.#recording) throw new BackendError(`${this.label}: capture inside capture`);
    const memory = new GraphMemory<B>(this);
    this.#recording = { launches: [], memory, previous: this.storage.redirect(memory) };
  }

  /** Ends a capture. `keep: false` throws the recording away (after an error). */
  endCapture(keep: boolean): Recording | undefined {
    const recording = this.#recording;
    if (!recording) throw new BackendError(`${this.label}: no capture under way`);
    this.storage.redirect(recording.previous);
    this.#recording = undefined;
    const { memory, launches } = recording;
    if (!keep) {
      memory.dispose();
      return undefined;
    }
    memory.seal();
    const compiled = this.compile(launches);
    const bytes = memory.bytes;
    return {
      launches: launches.length,
      bytes,
      replay: (): void => {
        this.#expectDevice();
        compiled.replay();
      },
      dispose: (): void => {
        compiled.dispose();
        memory.dispose();
      },
    };
  }

  /** A packed weight from its canonical bytes (see `packing.ts`). */
  pack(canonical: Uint8Array, shape: readonly number[], format: PackedFormat): TensorInfo {
    const info = this.reserve(shape, format);
    try {
      this.writeRows(info, 0, canonical);
      return info;
    } catch (error) {
      this.storage.release(info.dataId, true);
      throw error;
    }
  }

  /** Room for a weight whose rows come later, by `writeRows`; inside a capture it outlives every replay. */
  reserve(shape: readonly number[], format: WeightFormat): TensorInfo {
    const bytes = format === "f32" ? 4 * elements(shape) : this.packedBytes(shape, format);
    const block = this.#recording?.memory.takePinned(bytes) ?? this.take(bytes);
    return this.storage.make(shape, "float32", bytes, format, block);
  }

  /**
   * Writes rows of a weight (see `rowLength`) where they are kept: float32 values, or the canonical bytes of its format.
   * Of a packed one they begin at a multiple of `packedRows`, and end at one or with the last row. `rows` may be reused at once.
   */
  writeRows(x: TensorInfo, row: number, rows: Uint8Array): void {
    this.#expectDevice();
    const { block, byteOffset, format, shape } = this.storage.get(x.dataId);
    const k = rowLength(shape, format);
    if (!isPacked(format)) {
      this.upload(block.buffer, byteOffset + 4 * k * row, rows);
      return;
    }
    const rowBytes = packBytes([k], format);
    const step = this.packedRows * Math.max(1, Math.floor(ARRANGED_BYTES / (this.packedRows * Math.max(1, rowBytes))));
    for (let done = 0; done * rowBytes < rows.byteLength; done += step) {
      const part = rows.subarray(done * rowBytes, (done + step) * rowBytes);
      for (const [at, bytes] of this.layoutPacked(part, { shape, format, row: row + done }))
        this.upload(block.buffer, byteOffset + at, bytes);
    }
  }

  /** Rows of a packed weight that this backend arranges together. */
  readonly packedRows: number = 1;

  /** Bytes of a packed weight in this backend's arrangement: by default those of the canonical form. */
  protected packedBytes(shape: readonly number[], format: PackedFormat): number {
    return packBytes(shape, format);
  }

  /**
   * Where rows in canonical form go in this backend's own arrangement: bytes and their offsets, which are used before the next are
   * asked for. Backends lay the same numbers out differently, they never quantise differently. By default as they are.
   */
  protected layoutPacked(canonical: Uint8Array, { shape, format, row }: PackedRows): Iterable<PlacedBytes> {
    return [[row * packBytes([shape.at(-1)!], format), canonical]];
  }

  /** Inverse of `layoutPacked`, of a whole weight. */
  protected unlayoutPacked(bytes: Uint8Array, _shape: readonly number[], _format: PackedFormat): Uint8Array {
    return bytes;
  }

  /** The canonical bytes of a packed weight. @throws BackendError for a tensor that is not packed. */
  async readPacked(x: TensorInfo): Promise<Uint8Array> {
    this.#expectDevice();
    const { block, byteOffset, bytes, shape, format } = this.storage.get(x.dataId);
    if (!isPacked(format)) throw new BackendError(`readPacked: the tensor is not packed, but ${format}`);
    return this.unlayoutPacked(await this.download(block.buffer, byteOffset, bytes), shape, format);
  }

  /** Bytes that a tensor takes where it is kept. */
  bytesOf(x: TensorInfo): number {
    return this.storage.get(x.dataId).bytes;
  }

  /** Waits until everything enqueued so far is done, uploads too, whose copies are then gone. At once where nothing is enqueued. */
  async finish(): Promise<void> {}

  /** A tensor of values from JavaScript; inside a capture they outlive every replay. */
  #constant(shape: readonly number[], dtype: DType, format: StorageFormat, bytes: Uint8Array): TensorInfo {
    const block = this.#recording?.memory.takePinned(bytes.byteLength) ?? this.take(bytes.byteLength);
    const info = this.storage.make(shape, dtype, bytes.byteLength, format, block);
    try {
      this.upload(block.buffer, 0, bytes);
    } catch (error) {
      this.storage.release(info.dataId, true);
      throw error;
    }
    return info;
  }

  /**
   * Overwrites a tensor's values in place: how one feeds a captured graph.
   * @throws BackendError for a wrong number of values, a packed weight, or a tensor made inside a capture that is under way.
   */
  writeInto(x: TensorInfo, values: TensorValues): void {
    this.#expectDevice();
    const entry = this.storage.get(x.dataId);
    if (this.#recording?.memory.owns(entry.block))
      throw new BackendError(
        "writeInto: a tensor made inside a capture cannot be written there, since a replay would not write it again",
      );
    if (isPacked(entry.format))
      throw new BackendError(
        `writeInto: a weight packed as ${entry.format} cannot be overwritten; make a new one with packWeight`,
      );
    const stored = toStored(values, x.dtype);
    if (stored.byteLength !== entry.bytes) {
      throw new BackendError(`writeInto: values must have ${entry.bytes / 4} elements, got ${stored.byteLength / 4}`);
    }
    this.upload(
      entry.block.buffer,
      entry.byteOffset,
      new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength),
    );
  }

  /** A tensor's storage filled with values from JavaScript, which are copied. */
  write(values: TensorValues | readonly number[], shape: readonly number[], dtype: DType): DataId {
    const stored = toStored(values, dtype);
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    return this.#constant(shape, dtype, dtype === "float32" ? "f32" : "i32", bytes).dataId;
  }

  /** Values of a tensor, after every launch so far; a packed weight is unpacked. */
  async read(dataId: DataId): Promise<TensorValues> {
    this.#expectDevice();
    const entry = this.storage.get(dataId);
    const bytes = await this.download(entry.block.buffer, entry.byteOffset, entry.bytes);
    return this.#decode(entry, bytes);
  }

  /** As `read`, at once. @throws BackendError where the backend has no synchronous read. */
  readSync(dataId: DataId): TensorValues {
    this.#expectDevice();
    const entry = this.storage.get(dataId);
    return this.#decode(entry, this.downloadSync(entry.block.buffer, entry.byteOffset, entry.bytes));
  }

  #decode(entry: Entry<B>, bytes: Uint8Array): TensorValues {
    if (isPacked(entry.format)) {
      return unpackToF32(this.unlayoutPacked(bytes, entry.shape, entry.format), entry.shape, entry.format);
    }
    return fromStored(bytes, entry.dtype);
  }

  /** One more handle on a tensor's storage. */
  incRef(dataId: DataId): void {
    this.storage.get(dataId).refs++;
  }

  /** One handle less; true when the storage is free. `force` drops all of them. */
  disposeData(dataId: DataId, force = false): boolean {
    return this.storage.release(dataId, force);
  }

  memory(): BackendMemory {
    return { tensors: this.storage.count, tensorBytes: this.storage.bytes, heldBytes: this.heldBytes() };
  }

  /** Frees what the backend holds of the machine: nothing by default. */
  dispose(): void {}
}

/** Elements of a row: all along the last axis, but of a plain vector each is one. */
export function rowLength(shape: readonly number[], format: StorageFormat): number {
  return shape.length > 1 || isPacked(format) ? (shape.at(-1) ?? 1) : 1;
}

function isPacked(format: StorageFormat): format is PackedFormat {
  return format !== "f32" && format !== "i32";
}

/** Four bytes an element: bool travels as int32. @throws ArgumentError for what is no whole number of 32 bits */
function toStored(values: TensorValues | readonly number[], dtype: DType): Float32Array | Int32Array {
  if (dtype === "float32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (values instanceof Int32Array) return values;
  const stored = Int32Array.from(values);
  for (let i = 0; i < stored.length; i++) {
    if (stored[i] !== values[i])
      throw new ArgumentError(`tensor: ${dtype} values must be whole numbers of 32 bits, got ${values[i]}`);
  }
  return stored;
}

function fromStored(bytes: Uint8Array, dtype: DType): TensorValues {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dtype === "float32") return new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
  const ints = new Int32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
  return dtype === "bool" ? Uint8Array.from(ints) : ints;
}
