import { ArgumentError, FormatError, Rng, ShapeError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  BLOCK_TYPES,
  GgufStrings,
  layoutGguf,
  memorySource,
  openGguf,
  quantize,
  toFloat32Array,
  type GgufFile,
  type GgufValue,
  type LazyTensor,
  type QuantizedType,
} from "../src/index.ts";

async function written(
  metadata: Record<string, GgufValue>,
  tensors: Record<string, LazyTensor>,
  alignment?: number,
): Promise<{ bytes: Uint8Array; file: GgufFile; byteLength: number }> {
  const options = alignment === undefined ? {} : { alignment };
  const layout = layoutGguf(new Map(Object.entries(metadata)), new Map(Object.entries(tensors)), options);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (const chunk of layout.chunks()) chunks.push(await chunk);
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const file = (await openGguf(memorySource({ "x.gguf": bytes }), "x.gguf"))!;
  return { bytes, file, byteLength: layout.byteLength };
}

const normal = (count: number, seed: number, scale = 1): Float32Array => {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count }, () => scale * rng.normal());
};
const lazy = (dtype: QuantizedType, shape: readonly number[], values: Float32Array): LazyTensor => ({
  dtype,
  shape,
  read: () => Promise.resolve(quantize(dtype, values)),
});

describe("a file that is written", () => {
  const metadata: Record<string, GgufValue> = {
    "general.architecture": { type: "string", value: "tést" },
    u8: { type: "uint8", value: 200 },
    i8: { type: "int8", value: -3 },
    u16: { type: "uint16", value: 65535 },
    i16: { type: "int16", value: -300 },
    u32: { type: "uint32", value: 2 ** 32 - 1 },
    i32: { type: "int32", value: -5 },
    f32: { type: "float32", value: 0.5 },
    yes: { type: "bool", value: true },
    u64: { type: "uint64", value: 2n ** 63n },
    i64: { type: "int64", value: -7 },
    f64: { type: "float64", value: 0.1 },
    texts: { type: "array", items: "string", value: GgufStrings.of(["", "日本", "x"]) },
    numbers: { type: "array", items: "float32", value: Float32Array.of(1, -2) },
    flags: { type: "array", items: "bool", value: Uint8Array.of(1, 0) },
  };
  const tensors = {
    odd: lazy("F32", [3], Float32Array.of(1, 2, 3)),
    q: lazy("Q8_0", [2, 64], normal(128, 1)),
    none: lazy("F16", [0, 4], new Float32Array(0)),
  };

  test.each([32, 8, 4096])("reads back as it is, at multiples of %i", async (alignment) => {
    const { file, bytes, byteLength } = await written(metadata, tensors, alignment);
    expect(bytes.byteLength).toBe(byteLength);
    expect(byteLength % alignment).toBe(0);
    const plain = (value: GgufValue): unknown =>
      value.value instanceof GgufStrings ? value.value.toArray() : value.value;
    for (const [key, value] of Object.entries(metadata)) {
      expect(file.values.get(key)!.type, key).toBe(value.type);
      expect(plain(file.values.get(key)!), key).toEqual(plain(value));
    }
    expect(file.values.has("general.alignment")).toBe(alignment !== 32);
    expect([...file.entries.keys()].sort()).toEqual(["none", "odd", "q"]);
    expect(await file.read("q")).toEqual({ dtype: "Q8_0", shape: [2, 64], bytes: await tensors.q.read(0) });
    expect([...toFloat32Array(await file.read("odd"))]).toEqual([1, 2, 3]);
  });

  test("tensors that come in parts are the same; too few bytes are told", async () => {
    const values = normal(256, 3);
    const parts: LazyTensor = {
      dtype: "F16",
      shape: [4, 64],
      parts: 4,
      read: (part) => Promise.resolve(quantize("F16", values.subarray(64 * part, 64 * part + 64))),
    };
    const whole = await written({}, { a: lazy("F16", [4, 64], values) });
    expect((await written({}, { a: parts })).bytes).toEqual(whole.bytes);
    await expect(written({}, { a: { ...parts, parts: 3 } })).rejects.toThrow(ShapeError);
    await expect(written({}, { a: { ...parts, shape: [3, 64] } })).rejects.toThrow('tensor "a": shape [3, 64] takes');
  });

  test("what the format has not", () => {
    const of = (name: string, tensor: LazyTensor) => () => layoutGguf(new Map(), new Map([[name, tensor]]));
    const tensor = lazy("F32", [1], Float32Array.of(1));
    expect(of("", tensor)).toThrow(ArgumentError);
    expect(of("x".repeat(64), tensor)).toThrow("1 to 63 bytes");
    expect(of("a", { ...tensor, dtype: "U8" })).toThrow("the format has no type U8");
    expect(of("a", { ...tensor, shape: [1, 1, 1, 1, 1] })).toThrow("at most 4 axes");
    expect(of("a", { ...tensor, dtype: "Q8_0", shape: [33] })).toThrow(FormatError);
    expect(() => layoutGguf(new Map([["k", { type: "uint32", value: 0.5 }]]), new Map())).toThrow(
      '"k" must be a whole',
    );
    expect(() => layoutGguf(new Map(), new Map(), { alignment: 24 })).toThrow("power of two");
  });
});

describe("quantize", () => {
  /** The root of the mean square of what is lost, by that of the values. */
  const loss = (type: QuantizedType, values: Float32Array): number => {
    const bytes = quantize(type, values);
    const back = toFloat32Array({ dtype: type, shape: [values.length], bytes });
    const lost = values.reduce((sum, x, i) => sum + (x - back[i]!) ** 2, 0);
    return Math.sqrt(lost / values.reduce((sum, x) => sum + x * x, 0));
  };

  // Of normal values a step is the span over 2^bits, and the root of the mean square of its rounding step / sqrt(12): spans of 2 * 2.1 sigma in 32
  // values (with a minimum, for Q4_K), 2 * 1.8 in 16. A search for scales gains some of it again.
  test.each([
    ["F16", 3e-4],
    ["BF16", 3e-3],
    ["Q8_0", 0.006],
    ["Q6_K", 0.021],
    ["Q4_K", 0.085],
    ["Q4_0", 0.1],
  ] as const)("%s loses at most %d of normal values, whatever their size", (type, bound) => {
    for (const scale of [1, 1e-3, 100]) {
      expect(loss(type, normal(4096, 5, scale))).toBeLessThan(bound);
      expect(loss(type, normal(4096, 5, scale))).toBeGreaterThan(bound / 4);
    }
  });

  test.each(["Q4_K", "Q6_K", "Q8_0", "Q4_0"] as const)(
    "%s: zeros, one value, all of one sign, what is on its own grid",
    (type) => {
      const { elements } = BLOCK_TYPES[type];
      const through = (values: Float32Array): Float32Array =>
        toFloat32Array({ dtype: type, shape: [values.length], bytes: quantize(type, values) });
      expect(through(new Float32Array(elements)).every((x) => x === 0)).toBe(true);
      const one = new Float32Array(elements);
      one[5] = 1;
      expect(Math.abs(through(one)[5]! - 1)).toBeLessThan(0.02);
      for (const sign of [1, -1]) {
        const values = normal(elements, 9).map((x) => sign * (1 + Math.abs(x)));
        // Q4_0 has no minimum: half of its sixteen values stay unused.
        expect(loss(type, values)).toBeLessThan(type === "Q4_0" ? 0.1 : 0.06);
      }
      const once = through(normal(2 * elements, 11));
      expect(loss(type, once)).toBeLessThan(type.endsWith("K") ? 0.03 : 1e-3);
    },
  );

  test("values that no scale takes, and parts of blocks", () => {
    for (const type of ["Q4_K", "Q6_K", "Q8_0", "Q4_0"] as const) {
      const values = new Float32Array(BLOCK_TYPES[type].elements);
      expect(() => quantize(type, values.subarray(1))).toThrow(ArgumentError);
      values[3] = Infinity;
      expect(() => quantize(type, values), type).toThrow(ArgumentError);
      values[3] = NaN;
      expect(() => quantize(type, values), type).toThrow(ArgumentError);
    }
  });
});
