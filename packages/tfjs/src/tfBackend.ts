import { BackendError, keep, noGrad, Tensor, tidy, type DType } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import {
  DataStorage,
  engine,
  KernelBackend,
  type BackendValues,
  type DataId,
  type DataType,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";

/** What tfjs knows as one piece of data: a tensor of ours, and how many tensors of tfjs look at it. */
interface Held {
  readonly tensor: Tensor;
  refs: number;
}

/** A tfjs kernel on our tensors: inputs by name, or as a list under one name; outputs in tfjs's order. */
export type TfKernel = (
  inputs: Readonly<Record<string, Tensor>> & { readonly list: readonly Tensor[] },
  attrs: NamedAttrMap,
  own: AnyBackend,
) => Tensor | readonly Tensor[];

/**
 * One of our backends as a backend of tfjs. Its tensors are ours under tfjs's handles, so that our ops take them without a copy.
 * Data of other tfjs backends comes over when it is first used here, as it does between tfjs's own.
 */
export class TfBackend extends KernelBackend {
  /** The backend that computes. */
  readonly own: AnyBackend;
  readonly #data: DataStorage<Held>;

  constructor(own: AnyBackend) {
    super();
    this.own = own;
    this.#data = new DataStorage<Held>(this, engine());
  }

  /** A handle of ours on a tensor of tfjs; the caller disposes it. */
  tensor({ dataId, shape, dtype }: TensorInfo): Tensor {
    const { tensor } = this.#data.get(dataId);
    this.own.incRef(tensor.dataId);
    return new Tensor({ dataId: tensor.dataId, shape, dtype: toOwn(dtype) }, this.own);
  }

  /** Hands a tensor of ours over to tfjs. */
  adopt(tensor: Tensor): TensorInfo {
    const dataId = {};
    this.#data.set(dataId, { tensor: keep(tensor), refs: 1 });
    return { dataId, shape: [...tensor.shape], dtype: tensor.dtype };
  }

  /** Runs a kernel on tensors of tfjs. What it made is freed when it throws. */
  compute(kernel: TfKernel, inputs: NamedTensorInfoMap | TensorInfo[], attrs: NamedAttrMap): TensorInfo[] {
    const outputs = tidy(() =>
      noGrad(() => {
        const named: Record<string, Tensor> = {};
        const list: Tensor[] = [];
        const held: Tensor[] = [];
        try {
          for (const [name, info] of Object.entries(inputs)) {
            const infos: readonly (TensorInfo | undefined)[] = Array.isArray(info) ? info : [info];
            for (const one of infos) if (one) held.push((named[name] = this.tensor(one)));
          }
          list.push(...held);
          const result = kernel(Object.assign(named, { list }), attrs, this.own);
          const all = isList(result) ? result : [result];
          for (const t of all) if (held.includes(t)) held.splice(held.indexOf(t), 1);
          return all;
        } finally {
          for (const t of held) t.dispose();
        }
      }),
    );
    return outputs.map((t) => this.adopt(t));
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.#put(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.#put(dataId, values, shape, dtype, refCount);
  }

  #put(dataId: DataId, values: BackendValues, shape: readonly number[], dtype: DataType, refs: number): void {
    const type = toOwn(dtype);
    // tfjs checks no sizes here, and an empty tensor may come without values.
    const given = (values ?? new Float32Array(shape.reduce((a, b) => a * b, 1))) as
      | Float32Array
      | Int32Array
      | Uint8Array;
    const tensor = new Tensor({ dataId: this.own.write(given, shape, type), shape, dtype: type }, this.own);
    this.#data.set(dataId, { tensor: keep(tensor), refs });
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.#data.get(dataId).tensor.data();
  }

  /** @throws BackendError where the backend has no synchronous read. */
  override readSync(dataId: DataId): BackendValues {
    return this.#data.get(dataId).tensor.dataSync();
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const held = this.#data.get(dataId);
    held.refs = force ? 0 : held.refs - 1;
    if (held.refs > 0) return false;
    held.tensor.dispose();
    this.#data.delete(dataId);
    return true;
  }

  override refCount(dataId: DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refs : 0;
  }

  override incRef(dataId: DataId): void {
    this.#data.get(dataId).refs++;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  /** The backend itself goes on: it may have other users. `stopBackend` stops it. */
  override dispose(): void {}
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** Whether backends of ours hold such values. */
export function isOwnType(dtype: DataType): dtype is DType {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}

/** @throws BackendError for what no backend of ours holds. */
export function toOwn(dtype: DataType): DType {
  if (isOwnType(dtype)) return dtype;
  throw new BackendError(`tfjs: tensors of dtype ${dtype} are not supported (float32, int32 and bool are)`);
}
