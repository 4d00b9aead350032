import {
  add,
  embedding,
  linear,
  memory,
  packWeight,
  reshape,
  Rng,
  setBackend,
  slice,
  tensor,
  tidy,
  writeInto,
  type PackedFormat,
} from "@statespace/core";
import { currentBackend, packedWeight, packFromF32, unpackToF32 } from "@statespace/core/backend";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const rng = new Rng(31);
const floats = (length: number): Float32Array => Float32Array.from(rng.normals(length));

describe.each(["f16", "bf16", "q8", "q4"] as const)("%s", (format: PackedFormat) => {
  const shape = [6, 64] as const;
  const values = floats(6 * 64);
  const exact = unpackToF32(packFromF32(values, shape, format), shape, format);

  it.each([1, 2, 5])("linear with %i rows is linear with the unpacked weight", (rows) => {
    const x = floats(rows * 64);
    tidy(() => {
      const got = linear({
        x: tensor(x, [rows, 64]),
        weight: packWeight(values, shape, format),
        bias: tensor([1, 2, 3, 4, 5, 6]),
      }).y;
      const want = linear({
        x: tensor(x, [rows, 64]),
        weight: tensor(exact, shape),
        bias: tensor([1, 2, 3, 4, 5, 6]),
      }).y;
      // The same numbers in the same order: equal to the last bit.
      expect([...got.dataSync()]).toEqual([...want.dataSync()]);
    });
  });
  it("embedding gives the unpacked rows", () => {
    tidy(() => {
      const got = embedding({ ids: tensor(Int32Array.of(5, 0, 5)), weight: packWeight(values, shape, format) }).y;
      expect([...got.dataSync()]).toEqual([5, 0, 5].flatMap((id) => [...exact.subarray(id * 64, id * 64 + 64)]));
    });
  });
  it("reads back unpacked, and holds only the packed bytes", async () => {
    const before = currentBackend().memory().heldBytes;
    const weight = packedWeight(packFromF32(values, shape, format), shape, format);
    expect(currentBackend().memory().heldBytes - before).toBe({ f16: 768, bf16: 768, q8: 408, q4: 216 }[format]);
    expect(await weight.data()).toEqual(exact);
    weight.dispose();
    expect(currentBackend().memory().heldBytes).toBe(before);
  });
});

describe("where packed weights may not go", () => {
  const weight = (): ReturnType<typeof packWeight> => packWeight(new Float32Array(64), [2, 32], "q8");
  it.each([
    ["another op", () => add(weight(), 1), "cpu: a weight packed as q8 can only be an operand of linear and embedding"],
    [
      "as the input of linear",
      () => linear({ x: weight(), weight: tensor(new Float32Array(32), [1, 32]) }).y,
      "cpu: a weight packed as q8 can only",
    ],
    ["a slice", () => slice(weight(), [0, 0], [1, 32]), "cpu: a weight packed as q8 has no views"],
    [
      "writeInto",
      () => {
        const w = weight();
        writeInto(w, new Float32Array(64));
        return w;
      },
      "writeInto: a weight packed as q8 cannot be overwritten",
    ],
    [
      "a wrong number of bytes",
      () => packedWeight(new Uint8Array(67), [2, 32], "q8"),
      "packedWeight: q8 of shape [2, 32] takes 68 bytes, got 67",
    ],
    [
      "a wrong number of values",
      () => packWeight(new Float32Array(63), [2, 32], "q8"),
      "packWeight: values must have 64 elements",
    ],
  ])("%s", (_, run, message) => {
    const before = memory().tensors;
    expect(() => tidy(run)).toThrow(message);
    expect(memory().tensors).toBe(before);
  });
  it("a reshaped handle is still the weight", () => {
    tidy(() => {
      const w = reshape(weight(), [2, 32]);
      expect(linear({ x: tensor(new Float32Array(32), [1, 32]), weight: w }).y.shape).toEqual([1, 2]);
    });
  });
});
