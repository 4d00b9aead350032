import { ArgumentError } from "@statespace/core";
import { quote } from "../strictJson.ts";
import type { StoredType } from "../tensors/blockTypes.ts";
import type { OwnBytes } from "../tensors/lazyTensor.ts";

/** A tensor that is the whole of a storage. */
export interface PickledName {
  readonly name: string;
  /** The file of the archive that its storage is. */
  readonly storage: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
}

/** Classes of storages by what is in them. */
const STORAGES: Readonly<Partial<Record<StoredType, string>>> = {
  F64: "DoubleStorage",
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  I64: "LongStorage",
  I32: "IntStorage",
  I16: "ShortStorage",
  I8: "CharStorage",
  U8: "ByteStorage",
  BOOL: "BoolStorage",
};

const [EMPTY_TUPLE, REDUCE, MARK, TUPLE, PERSISTENT, FALSE, SET_ITEMS, STOP] = [0x29, 0x52, 0x28, 0x74, 0x51, 0x89, 0x75, 0x2e]; // prettier-ignore

/**
 * `data.pkl` of a state dict: an OrderedDict of tensors, each a view of a storage that the archive has.
 * Errors: {@link ArgumentError} for a type that PyTorch has no storage of.
 * Source: the opcodes of Python's pickletools, protocol 2; what `torch.save` writes.
 */
export function pickleStateDict(tensors: readonly PickledName[]): OwnBytes {
  const out: number[] = [0x80, 2];
  const put = (...parts: readonly (number | readonly number[])[]): void => {
    for (const part of parts) out.push(...(typeof part === "number" ? [part] : part));
  };
  const orderedDict = [...global("collections", "OrderedDict"), EMPTY_TUPLE, REDUCE];
  put(orderedDict, MARK);
  for (const { name, storage, dtype, shape } of tensors) {
    const kind = STORAGES[dtype];
    if (kind === undefined) throw new ArgumentError(`pytorch: tensor ${quote(name)}: torch has no storage of ${dtype}`);
    const size = shape.reduce((a, b) => a * b, 1);
    put(text(name), global("torch._utils", "_rebuild_tensor_v2"), MARK);
    put(MARK, text("storage"), global("torch", kind), text(storage), text("cpu"), whole(size), TUPLE, PERSISTENT);
    put(whole(0), tuple(shape), tuple(stridesOf(shape)), FALSE, orderedDict, TUPLE, REDUCE);
  }
  put(SET_ITEMS, STOP);
  return Uint8Array.from(out);
}

/** Elements from one place of each axis to the next, where all lie side by side. */
function stridesOf(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * Math.max(1, b), 1));
}

const global = (module: string, name: string): readonly number[] => [0x63, ...new TextEncoder().encode(`${module}\n${name}\n`)]; // prettier-ignore

const tuple = (values: readonly number[]): readonly number[] => [MARK!, ...values.flatMap(whole), TUPLE!];

function text(value: string): readonly number[] {
  const bytes = new TextEncoder().encode(value);
  return [0x58, ...little(bytes.byteLength, 4), ...bytes];
}

/** Four bytes, or a long of eight where that is too few. */
function whole(value: number): readonly number[] {
  return value < 2 ** 31 ? [0x4a, ...little(value, 4)] : [0x8a, 8, ...little(value, 8)];
}

const little = (value: number, width: number): readonly number[] =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
