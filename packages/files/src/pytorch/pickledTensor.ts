import { FormatError } from "@statespace/core";
import { DTYPE_BYTES, type ElementType, elementCount } from "../tensors/dtype.ts";
import { PickleDict, PickleGlobal, PickleList, PickleObject, PickleTuple, type PickleValue } from "./pickleValue.ts";
import { describe, unpickle } from "./unpickle.ts";

/** A run of elements in a file of the archive, which tensors are views of. */
export class PickledStorage extends PickleObject {
  readonly kind: string = "a storage";
  readonly key: string;
  readonly dtype: ElementType;
  /** Elements. */
  readonly length: number;

  constructor(key: string, dtype: ElementType, length: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

/** A strided view of a storage; offset and strides count elements. */
export class PickledTensor extends PickleObject {
  readonly kind: string = "a tensor";
  readonly storage: PickledStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: PickledStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: Readonly<Record<string, ElementType>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** PyTorch allows 64 axes. */
const MAX_AXES = 64;

/** Reads `data.pkl` of an archive that `torch.save` wrote. Errors: {@link FormatError} naming what is not a matter of tensors. */
export function unpickleTensors(pickle: Uint8Array, what: string): PickleValue {
  const storages = new Map<string, PickledStorage>();
  return unpickle(pickle, {
    what,
    globals: torchGlobals(what),
    persistent: (id) => storageOf(id, storages, what),
  });
}

/** All names that may occur. Each is built here; none is looked up. */
function torchGlobals(what: string): ReadonlyMap<string, PickleGlobal> {
  const globals: PickleGlobal[] = Object.keys(STORAGES).map((name) => new PickleGlobal(`torch.${name}`));
  globals.push(
    new PickleGlobal("collections.OrderedDict", (args) => {
      if (args.length > 0) throw new FormatError(`${what}: pickle: OrderedDict must be made empty`);
      return new PickleDict();
    }),
    new PickleGlobal("torch._utils._rebuild_tensor_v2", (args) => rebuildTensor(args, what)),
    new PickleGlobal("torch._utils._rebuild_parameter", ([tensor]) => {
      if (tensor instanceof PickledTensor) return tensor;
      throw new FormatError(`${what}: pickle: a parameter must hold a tensor, got ${describe(tensor)}`);
    }),
  );
  return new Map(globals.map((global) => [global.name, global]));
}

/** `("storage", torch.FloatStorage, "0", "cpu", 12)`. */
function storageOf(id: PickleValue, storages: Map<string, PickledStorage>, what: string): PickledStorage {
  const parts = id instanceof PickleTuple ? id.items : [];
  const [tag, type, key, , length] = parts;
  const dtype = type instanceof PickleGlobal ? STORAGES[type.name.replace(/^torch\./, "")] : undefined;
  if (tag !== "storage" || dtype === undefined || typeof key !== "string" || !isCount(length))
    throw new FormatError(
      `${what}: pickle: a persistent id must name a storage, got (${parts.map(describe).join(", ")})`,
    );
  const known = storages.get(key);
  if (known === undefined) {
    const storage = new PickledStorage(key, dtype, length);
    storages.set(key, storage);
    return storage;
  }
  if (known.dtype !== dtype || known.length !== length)
    throw new FormatError(`${what}: pickle: storage ${describe(key)} is described in two ways`);
  return known;
}

/** `(storage, offset, size, stride, requires_grad, hooks)`, checked so that every element lies inside its storage. */
function rebuildTensor([storage, offset, size, stride]: readonly PickleValue[], what: string): PickledTensor {
  const [shape, strides] = [counts(size), counts(stride)];
  if (!(storage instanceof PickledStorage) || !isCount(offset) || shape === undefined || strides === undefined)
    throw new FormatError(
      `${what}: pickle: a tensor must be (storage, offset, size, stride), got (${[storage, offset, size, stride].map(describe).join(", ")})`,
    );
  const text = `[${shape.join(", ")}] with strides [${strides.join(", ")}]`;
  if (shape.length !== strides.length || shape.length > MAX_AXES)
    throw new FormatError(`${what}: pickle: a tensor of shape ${text} is none`);
  if (elementCount(shape, `${what}: pickle`) > 0) {
    const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis], offset);
    if (!(last < storage.length))
      throw new FormatError(
        `${what}: pickle: a tensor of shape ${text} from element ${offset} reaches past its storage of ${storage.length}`,
      );
  }
  return new PickledTensor(storage, offset, shape, strides);
}

function counts(value: PickleValue | undefined): readonly number[] | undefined {
  if (!(value instanceof PickleTuple || value instanceof PickleList)) return undefined;
  const { items }: { items: readonly PickleValue[] } = value;
  return items.every(isCount) ? items : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Bytes of a tensor when its elements lie side by side. */
export function byteLengthOf({ shape, storage }: PickledTensor, what: string): number {
  return elementCount(shape, what) * DTYPE_BYTES[storage.dtype];
}
