import type { AnyBackend } from "../backend/registry.ts";
import { BackendError } from "../errors.ts";
import type { DataId, DType, TensorInfo, TensorValues } from "../backend/types.ts";

let lastId = 0;
let live = 0;
let liveBytes = 0;

/**
 * An n-dimensional array on the backend that made it; immutable except through ops that say "in place".
 * Made by creators (`tensor`, `zeros`) and ops; the scope it was made in (`tidy`) disposes it, or else its owner does.
 */
export class Tensor implements TensorInfo {
  /** Unique in this program; grows with time. */
  readonly id: number;
  readonly dataId: DataId;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Bytes that its values take: four an element, fewer of a packed weight. */
  readonly bytes: number;
  /** Where its values are, and where ops on it run. */
  readonly backend: AnyBackend;
  /** Outlives the scopes it is in; see `keep`. */
  kept = false;
  /** Serial number of the last tape that found it to depend on what is differentiated. */
  onTape = 0;
  #disposed = false;

  /** Takes over one reference to the storage. Kernels' results become tensors by `wrap`. */
  constructor({ dataId, shape, dtype }: TensorInfo, backend: AnyBackend, bytes?: number) {
    this.id = ++lastId;
    this.dataId = dataId;
    this.shape = shape;
    this.dtype = dtype;
    let size = 1;
    for (let i = 0; i < shape.length; i++) size *= shape[i]!;
    this.size = size;
    this.backend = backend;
    this.bytes = bytes ?? 4 * size;
    live++;
    liveBytes += this.bytes;
  }

  get rank(): number {
    return this.shape.length;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Reads the values back, after everything that was asked of the backend before. @throws BackendError when disposed. */
  async data(): Promise<TensorValues> {
    return this.backend.read(this.#storage());
  }

  /** As `data`, at once. @throws BackendError where the backend has no synchronous read. */
  dataSync(): TensorValues {
    return this.backend.readSync(this.#storage());
  }

  #storage(): DataId {
    if (this.#disposed) throw new BackendError(`${this.backend.name}: the tensor was disposed`);
    return this.dataId;
  }

  /** Gives its values up; a second time does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    live--;
    liveBytes -= this.bytes;
    this.backend.disposeData(this.dataId);
  }
}

/** Live tensors and their bytes, over all backends. */
export function memory(): { tensors: number; bytes: number } {
  return { tensors: live, bytes: liveBytes };
}

/** Id of the newest tensor: those made later have larger ones. */
export function newestId(): number {
  return lastId;
}

/** A second handle on a tensor's storage, in no scope and on no tape. */
export function hold(t: Tensor): Tensor {
  t.backend.incRef(t.dataId);
  return new Tensor(t, t.backend, t.bytes);
}
