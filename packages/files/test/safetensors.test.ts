import { ArgumentError, FormatError, ShapeError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  DTYPE_BYTES,
  layoutSafetensors,
  parseSafetensors,
  type RawTensor,
  type ElementType,
  safetensorsBlob,
  serializeSafetensors,
  tensorF32,
  toFloat32Array,
  toFloat64Array,
  toInt32Array,
  type WritableTensor,
} from "../src/index.ts";
import { fileOf, info } from "./hostileFiles.ts";

const dtypes = Object.keys(DTYPE_BYTES) as ElementType[];

/** Two elements of each type: 1 and 2, or true and false. */
const onesAndTwos: Record<ElementType, Uint8Array> = {
  F64: bytesOf(Float64Array.of(1, 2)),
  F32: bytesOf(Float32Array.of(1, 2)),
  F16: bytesOf(Uint16Array.of(0x3c00, 0x4000)),
  BF16: bytesOf(Uint16Array.of(0x3f80, 0x4000)),
  I64: bytesOf(BigInt64Array.of(1n, 2n)),
  I32: bytesOf(Int32Array.of(1, 2)),
  I16: bytesOf(Int16Array.of(1, 2)),
  I8: bytesOf(Int8Array.of(1, 2)),
  U64: bytesOf(BigUint64Array.of(1n, 2n)),
  U32: bytesOf(Uint32Array.of(1, 2)),
  U16: bytesOf(Uint16Array.of(1, 2)),
  U8: Uint8Array.of(1, 2),
  BOOL: Uint8Array.of(1, 0),
  F8_E4M3: Uint8Array.of(0x38, 0x40),
  F8_E5M2: Uint8Array.of(0x3c, 0x40),
};

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

describe("round trip", () => {
  const tensors = new Map<string, WritableTensor>(
    dtypes.map((dtype) => [`t.${dtype}`, { dtype, shape: [2], bytes: onesAndTwos[dtype] }]),
  );
  tensors.set("scalar", { shape: [], values: Float32Array.of(0.5) });
  tensors.set("empty", { shape: [3, 0], values: new Float32Array(0) });
  tensors.set("__proto__", { shape: [1], values: Float32Array.of(7) });
  tensors.set("7", { shape: [1], values: Float32Array.of(8) });
  const file = serializeSafetensors(tensors, { metadata: { note: "ünïcode \u2028" } });
  const parsed = parseSafetensors(file);

  test.each(dtypes)("%s", (dtype) => {
    const tensor = parsed.tensors.get(`t.${dtype}`) as RawTensor;
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.bytes).toEqual(onesAndTwos[dtype]);
    const expected = dtype === "BOOL" ? [1, 0] : [1, 2];
    expect([...toFloat32Array(tensor)]).toEqual(expected);
    expect([...toFloat64Array(tensor)]).toEqual(expected);
    if (!dtype.includes("F")) expect([...toInt32Array(tensor)]).toEqual(expected);
    else expect(() => toInt32Array(tensor)).toThrow(FormatError);
  });

  test("scalars, empty tensors and names that objects treat specially", () => {
    expect([...parsed.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    expect([...tensorF32(parsed, "__proto__")]).toEqual([7]);
    expect([...tensorF32(parsed, "7")]).toEqual([8]);
    expect(parsed.tensors.get("scalar")?.shape).toEqual([]);
    expect(parsed.tensors.get("empty")?.shape).toEqual([3, 0]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
    expect(() => tensorF32(parsed, "toString")).toThrow(/"toString" is missing/);
  });

  test("metadata, with the format entry that Hugging Face asks for", () => {
    expect([...parsed.metadata]).toEqual([
      ["format", "pt"],
      ["note", "ünïcode \u2028"],
    ]);
  });

  test("the header ends, and every tensor begins, at a multiple of its element size", () => {
    const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    for (const { dtype, bytes } of parsed.tensors.values())
      expect(bytes.byteOffset % DTYPE_BYTES[dtype as ElementType]).toBe(0);
  });

  test("a file that begins at an odd address reads the same", () => {
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    for (const [name, tensor] of parseSafetensors(shifted).tensors) {
      expect(toFloat64Array(tensor), name).toEqual(toFloat64Array(parsed.tensors.get(name) as RawTensor));
    }
  });

  test("layout knows its length, and a Blob holds the same bytes", async () => {
    expect(layoutSafetensors(tensors, { metadata: { note: "ünïcode \u2028" } }).byteLength).toBe(file.length);
    const blob = safetensorsBlob(tensors, { metadata: { note: "ünïcode \u2028" } });
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(file);
  });

  test.each(["F32", "F16", "BF16"] as const)("weights stored as %s", (dtype) => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** ((i % 9) - 4));
    const stored = parseSafetensors(serializeSafetensors(new Map([["w", { shape: [10, 100], values }]]), { dtype }));
    expect(stored.tensors.get("w")?.dtype).toBe(dtype);
    const back = tensorF32(stored, "w");
    // Half a unit in the last place: 2^-11 and 2^-8 relative; F16 is subnormal below 2^-14, where the unit is 2^-24.
    const [relative, absolute] = { F32: [0, 0], F16: [2 ** -11, 2 ** -25], BF16: [2 ** -8, 0] }[dtype] as [
      number,
      number,
    ];
    for (let i = 0; i < values.length; i++)
      expect(Math.abs(back[i] - values[i])).toBeLessThanOrEqual(Math.max(relative * Math.abs(values[i]), absolute));
  });

  test("integers beyond 32 bits are refused as int32, and exact as float64 up to 2^53", () => {
    const big = { dtype: "I64", shape: [2], bytes: bytesOf(BigInt64Array.of(-(2n ** 31n), 2n ** 53n)) } as const;
    expect(() => toInt32Array(big)).toThrow(/element 1 .* 9007199254740992/);
    expect([...toFloat64Array(big)]).toEqual([-(2 ** 31), 2 ** 53]);
  });

  test("the writer refuses a shape that lies and the reserved name", () => {
    expect(() => serializeSafetensors(new Map([["w", { shape: [3], values: new Float32Array(2) }]]))).toThrow(
      ShapeError,
    );
    expect(() =>
      serializeSafetensors(new Map([["__metadata__", { shape: [2], values: new Float32Array(2) }]])),
    ).toThrow(ArgumentError);
  });
});

const good = `{"a":${info([2], [0, 8])},"b":${info([1], [8, 12])}}`;

test("control: the file that each hostile one differs from in one point is accepted", () => {
  expect([...parseSafetensors(fileOf(good, 12)).tensors.keys()]).toEqual(["a", "b"]);
  expect(parseSafetensors(fileOf("{}", 0)).tensors.size).toBe(0);
  expect(parseSafetensors(fileOf(`${good}     `, 12)).tensors.size).toBe(2);
  const unordered = `{"b":${info([1], [8, 12])},"a":${info([2], [0, 8])}}`;
  expect([...parseSafetensors(fileOf(unordered, 12)).tensors.keys()]).toEqual(["a", "b"]);
});

test.each<[fault: string, file: Uint8Array, message: RegExp]>([
  ["empty file", new Uint8Array(0), /at least 8 bytes, got 0/],
  ["seven bytes", new Uint8Array(7), /at least 8 bytes, got 7/],
  ["header length 0", fileOf("", 0), /header length must be in 2/],
  ["header length past the end", fileOf(good, 12, 5000n), /truncated: the header is 5000/],
  ["header length of 2^63", fileOf(good, 12, 2n ** 63n), /header length must be/],
  ["header length of 100 MB + 1", fileOf(good, 12, 100_000_001n), /header length must be/],
  ["not UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /UTF-8/],
  ["leading space", fileOf(` ${good}`, 12), /begin with "\{"/],
  ["byte order mark", fileOf(`\ufeff${good}`, 12), /begin with "\{"/],
  ["an array", fileOf("[]"), /begin with "\{"/],
  ["cut JSON", fileOf(good.slice(0, -1), 12), /not valid JSON/],
  ["text after the JSON", fileOf(`${good}x`, 12), /text after the value/],
  ["duplicate key", fileOf(`{"a":${info([2], [0, 8])},"a":${info([1], [8, 12])}}`, 12), /"a" appears twice/],
  [
    "duplicate __proto__",
    fileOf(`{"__proto__":${info([2], [0, 8])},"__proto__":${info([1], [8, 12])}}`, 12),
    /"__proto__" appears twice/,
  ],
  [
    "duplicate field",
    fileOf(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8),
    /"dtype" appears twice/,
  ],
  ["deep nesting", fileOf(`{"a":${"[".repeat(100_000)}`), /nesting/],
  ["tensor is not an object", fileOf(`{"a":[]}`), /"a": must be an object/],
  ["dtype missing", fileOf(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8), /"a": dtype must be a string/],
  ["dtype unknown", fileOf(`{"a":${info([2], [0, 8], "F31")}}`, 8), /"F31" is not one of/],
  ["dtype of an object's prototype", fileOf(`{"a":${info([2], [0, 8], "toString")}}`, 8), /"toString" is not one of/],
  ["shape missing", fileOf(`{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8), /"a": shape must be a list/],
  ["shape negative", fileOf(`{"a":${info([-2], [0, 8])}}`, 8), /shape must hold whole numbers/],
  ["shape fractional", fileOf(`{"a":${info([0.5], [0, 2])}}`, 2), /shape must hold whole numbers/],
  ["shape a string", fileOf(`{"a":${info(["2"], [0, 8])}}`, 8), /shape must hold whole numbers/],
  ["shape overflows", fileOf(`{"a":${info([2 ** 40, 2 ** 40], [0, 8])}}`, 8), /too many elements/],
  ["shape overflows only in bytes", fileOf(`{"a":${info([2 ** 52], [0, 8], "F64")}}`, 8), /too many elements/],
  [
    "shape overflows to a matching product",
    fileOf(`{"a":${info([2 ** 32, 2 ** 32, 2], [0, 0])}}`),
    /too many elements/,
  ],
  ["seventeen axes", fileOf(`{"a":${info(Array(17).fill(1), [0, 4])}}`, 4), /at most 16 axes/],
  ["offsets missing", fileOf(`{"a":{"dtype":"F32","shape":[2]}}`, 8), /data_offsets must be a list/],
  ["three offsets", fileOf(`{"a":${info([2], [0, 8, 8])}}`, 8), /\[begin, end\]/],
  ["offsets negative", fileOf(`{"a":${info([2], [-8, 0])}}`, 8), /data_offsets must hold whole numbers/],
  ["offsets backwards", fileOf(`{"a":${info([2], [8, 0])}}`, 8), /run backwards/],
  [
    "offsets beyond exact integers",
    fileOf(`{"a":${info([2], [2 ** 53, 2 ** 53 + 8])}}`, 8),
    /data_offsets must hold whole numbers/,
  ],
  ["span does not fit shape", fileOf(`{"a":${info([2], [0, 4])}}`, 4), /takes 8 bytes, .* span 4/],
  ["overlap", fileOf(`{"a":${info([2], [0, 8])},"b":${info([1], [4, 8])}}`, 8), /"b" overlaps/],
  ["same bytes twice", fileOf(`{"a":${info([2], [0, 8])},"b":${info([2], [0, 8])}}`, 8), /overlaps/],
  ["hole at the start", fileOf(`{"a":${info([2], [4, 12])}}`, 12), /hole of 4 bytes before tensor "a"/],
  [
    "hole in the middle",
    fileOf(`{"a":${info([2], [0, 8])},"b":${info([1], [12, 16])}}`, 16),
    /hole of 4 bytes before tensor "b"/,
  ],
  ["past the end of the file", fileOf(good, 11), /truncated/],
  ["bytes after the last tensor", fileOf(good, 13), /bytes after the last tensor/],
  ["bytes and no tensor", fileOf("{}", 1), /bytes after the last tensor/],
  ["metadata is a list", fileOf(`{"__metadata__":[]}`), /__metadata__ must be an object/],
  ["metadata holds a number", fileOf(`{"__metadata__":{"n":1}}`), /entry "n" must be a string/],
  ["metadata holds null", fileOf(`{"__metadata__":{"n":null}}`), /entry "n" must be a string/],
])("hostile header: %s", (_fault, file, message) => {
  expect(() => parseSafetensors(file)).toThrow(FormatError);
  expect(() => parseSafetensors(file)).toThrow(message);
});
