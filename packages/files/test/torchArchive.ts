/** Writes what `torch.save` writes, byte by byte from the formats' descriptions: protocol 2, stored files, each storage at a multiple of 64 bytes. */
import type { ElementType } from "../src/index.ts";

/** A view of a storage, as a state dict holds it. */
export interface TorchTensor {
  readonly storage: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
  /** Wrapped in a `Parameter`. */
  readonly parameter?: boolean;
}

export interface TorchStorage {
  readonly dtype: ElementType;
  readonly bytes: Uint8Array;
  /** Elements that the pickle claims; those there are unless told. */
  readonly claimed?: number;
}

export interface TorchFile {
  readonly tensors: Readonly<Record<string, TorchTensor>>;
  readonly storages: Readonly<Record<string, TorchStorage>>;
  readonly byteOrder?: string;
  /** Instead of the pickle of `tensors`. */
  readonly pickle?: Uint8Array;
  /** Beside the tensors. */
  readonly extra?: Readonly<Record<string, number>>;
}

const STORAGE_NAMES: Partial<Record<ElementType, string>> = {
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
export const WIDTHS: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const u16 = (value: number): number[] => [value & 255, value >>> 8];
const u32 = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

const join = (...parts: readonly (readonly number[])[]): number[] => parts.flat();

/** Pieces of a pickle. */
export const op = {
  global: (module: string, name: string): number[] => [0x63, ...ascii(`${module}\n${name}\n`)],
  text: (value: string): number[] => [0x58, ...u32(ascii(value).length), ...ascii(value)],
  int: (value: number): number[] =>
    value < 256 ? [0x4b, value] : value < 65536 ? [0x4d, ...u16(value)] : [0x4a, ...u32(value)],
  tuple: (items: readonly number[][]): number[] =>
    items.length === 0
      ? [0x29]
      : items.length <= 3
        ? [...items.flat(), 0x84 + items.length]
        : [0x28, ...items.flat(), 0x74],
  put: (key: number): number[] => [0x71, key],
};

function pickleTensor(tensor: TorchTensor, { dtype, bytes, claimed }: TorchStorage): number[] {
  const length = claimed ?? bytes.length / (WIDTHS[dtype] as number);
  const id = op.tuple([
    op.text("storage"),
    op.global("torch", STORAGE_NAMES[dtype] as string),
    op.text(tensor.storage),
    op.text("cpu"),
    op.int(length),
  ]);
  const args = [
    [...id, 0x51],
    op.int(tensor.offset ?? 0),
    op.tuple(tensor.shape.map(op.int)),
    op.tuple(tensor.strides.map(op.int)),
    [0x89],
    [...op.global("collections", "OrderedDict"), 0x29, 0x52],
  ];
  const built = [...op.global("torch._utils", "_rebuild_tensor_v2"), ...op.tuple(args), 0x52];
  if (tensor.parameter !== true) return built;
  const hooks = [...op.global("collections", "OrderedDict"), 0x29, 0x52];
  return [...op.global("torch._utils", "_rebuild_parameter"), ...op.tuple([built, [0x88], hooks]), 0x52];
}

/** An OrderedDict of tensors with its `_metadata`, as `state_dict()` makes it. */
export function pickleStateDict({ tensors, storages, extra = {} }: TorchFile): Uint8Array {
  const items = [
    ...Object.entries(tensors).flatMap(([name, tensor]) => [
      ...op.text(name),
      ...pickleTensor(tensor, storages[tensor.storage] as TorchStorage),
    ]),
    ...Object.entries(extra).flatMap(([name, value]) => [...op.text(name), ...op.int(value)]),
  ];
  const metadata = [
    0x7d,
    ...op.put(2),
    ...op.text("_metadata"),
    ...op.global("collections", "OrderedDict"),
    0x29,
    0x52,
    0x73,
  ];
  return Uint8Array.from(
    join(
      [0x80, 2, ...op.global("collections", "OrderedDict"), ...op.put(0), 0x29, 0x52, ...op.put(1)],
      [0x28, ...items, 0x75],
      metadata,
      [0x62, 0x2e],
    ),
  );
}

export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A zip archive of stored files; `wide` writes sizes and places in the 64-bit fields, as for archives beyond 4 GiB. */
export function writeZip(files: readonly ZipFile[], { wide = false } = {}): Uint8Array {
  const parts: number[][] = [];
  const directory: number[][] = [];
  let at = 0;
  const add = (to: number[][], bytes: number[]): void => void to.push(bytes);
  for (const { name, bytes: contents } of files) {
    const label = ascii(name);
    // As torch does: an extra field "FB" pads the local header so that the data begins at a multiple of 64.
    const unpadded = at + 30 + label.length + 4;
    const padding = (64 - (unpadded % 64)) % 64;
    const extra = [...ascii("FB"), ...u16(padding), ...new Array<number>(padding).fill(0x5a)];
    const sum = u32(crc32(contents));
    const sizes = [...u32(contents.length), ...u32(contents.length)];
    const local = [...u32(0x04034b50), ...u16(20), ...u16(0), ...u16(0), ...u16(0), ...u16(0), ...sum, ...sizes];
    add(parts, [...local, ...u16(label.length), ...u16(extra.length), ...label, ...extra, ...contents]);
    const all = [0xff, 0xff, 0xff, 0xff];
    const field = wide
      ? [
          ...u16(1),
          ...u16(24),
          ...u32(contents.length),
          ...u32(0),
          ...u32(contents.length),
          ...u32(0),
          ...u32(at),
          ...u32(0),
        ]
      : [];
    add(
      directory,
      join(
        [...u32(0x02014b50), ...u16(20), ...u16(20), ...u16(0), ...u16(0), ...u16(0), ...u16(0), ...sum],
        wide ? [...all, ...all] : sizes,
        [...u16(label.length), ...u16(field.length), ...u16(0), ...u16(0), ...u16(0), ...u32(0)],
        wide ? all : u32(at),
        label,
        field,
      ),
    );
    at += 30 + label.length + extra.length + contents.length;
  }
  const length = directory.flat().length;
  const count = files.length;
  const end64 = join(
    [...u32(0x06064b50), ...u32(44), ...u32(0), ...u16(45), ...u16(45), ...u32(0), ...u32(0)],
    [...u32(count), ...u32(0), ...u32(count), ...u32(0), ...u32(length), ...u32(0), ...u32(at), ...u32(0)],
    [...u32(0x07064b50), ...u32(0), ...u32(at + length), ...u32(0), ...u32(1)],
  );
  const end = join(
    [...u32(0x06054b50), ...u16(0), ...u16(0), ...u16(count), ...u16(count)],
    wide ? [...u32(0xffffffff), ...u32(0xffffffff)] : [...u32(length), ...u32(at)],
    u16(0),
  );
  return Uint8Array.from([parts, directory, wide ? [end64] : [], [end]].flat(2));
}

/** A whole file of `torch.save`. */
export function writeTorchFile(file: TorchFile, options: { wide?: boolean } = {}): Uint8Array {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  return writeZip(
    [
      { name: "archive/data.pkl", bytes: file.pickle ?? pickleStateDict(file) },
      { name: "archive/byteorder", bytes: encode(file.byteOrder ?? "little") },
      ...Object.entries(file.storages).map(([key, { bytes }]) => ({ name: `archive/data/${key}`, bytes })),
      { name: "archive/version", bytes: encode("3\n") },
    ],
    options,
  );
}

function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}
