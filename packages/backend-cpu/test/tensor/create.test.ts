import {
  ArgumentError,
  BackendError,
  full,
  keep,
  memory,
  mul,
  ones,
  OutOfMemoryError,
  range,
  readFloats,
  readInts,
  scalar,
  setBackend,
  ShapeError,
  tensor,
  tidy,
  writeInto,
  zeros,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { sliceAxis } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

describe("making and reading tensors", () => {
  it("values, shapes and dtypes", async () => {
    const made = [
      tensor([1.5, 2]),
      tensor(Int32Array.of(1, 2)),
      tensor([1, 0], [2], "bool"),
      full([2], 3),
      zeros([2]),
      ones([2]),
      range(4, 2, -3),
      scalar(7),
    ];
    const read = await Promise.all(made.map((t) => t.data()));
    expect(read.map((values) => [...values])).toEqual([[1.5, 2], [1, 2], [1, 0], [3, 3], [0, 0], [1, 1], [4, 1], [7]]);
    expect(made.map((t) => t.dtype)).toEqual([
      "float32",
      "int32",
      "bool",
      "float32",
      "float32",
      "float32",
      "int32",
      "float32",
    ]);
    expect(await readFloats(made[0]!)).toEqual(Float32Array.of(1.5, 2));
    expect(await readInts(made[6]!)).toEqual(Int32Array.of(4, 1));
    for (const t of made) t.dispose();
  });
  it("copies its values, on the way in and out", () => {
    tidy(() => {
      const values = Float32Array.of(1, 2);
      const t = tensor(values);
      values[0] = 9;
      const read = t.dataSync();
      read[1] = 9;
      expect([...t.dataSync()]).toEqual([1, 2]);
    });
  });
  it("writeInto overwrites in place, and refuses another size", () => {
    tidy(() => {
      const t = tensor([1, 2]);
      const view = sliceAxis(t, 0, 1, 1);
      writeInto(t, Float32Array.of(3, 4));
      expect([[...t.dataSync()], [...view.dataSync()]]).toEqual([[3, 4], [4]]);
      expect(() => writeInto(t, Float32Array.of(1))).toThrow(
        new BackendError("writeInto: values must have 2 elements, got 1"),
      );
    });
  });
  it("tidy keeps what it returns and what is kept", () => {
    const before = memory().tensors;
    let kept = zeros([1]);
    const result = tidy(() => {
      zeros([5]);
      kept.dispose();
      kept = keep(ones([1]));
      return { a: [mul(kept, 2)] };
    });
    expect(memory().tensors - before).toBe(2);
    expect(result.a[0]!.dataSync()[0]).toBe(2);
    for (const t of [kept, result.a[0]!]) t.dispose();
    expect(memory().tensors).toBe(before);
  });
  it("tidy refuses a function that goes on after it, and disposes what it had made", async () => {
    const before = memory().tensors;
    let later: Promise<unknown> | undefined;
    expect(() =>
      tidy(() => {
        zeros([5]);
        later = Promise.reject(new Error("nobody waits for this"));
        return later;
      }),
    ).toThrow(ArgumentError);
    await expect(later).rejects.toThrow("nobody waits");
    expect(memory().tensors).toBe(before);
  });
  it("tidy finds what it returns in maps, sets and objects that know each other", () => {
    const before = memory().tensors;
    const result = tidy(() => {
      const node: { self?: unknown; t: Tensor } = { t: ones([1]) };
      node.self = node;
      return { map: new Map([["a", ones([1])]]), set: new Set([ones([1])]), node, numbers: new Float32Array(3) };
    });
    const returned = [result.map.get("a")!, ...result.set, result.node.t];
    expect(returned.map((t) => [t.isDisposed, t.dataSync()[0]])).toEqual([
      [false, 1],
      [false, 1],
      [false, 1],
    ]);
    for (const t of returned) t.dispose();
    expect(memory().tensors).toBe(before);
  });
  it("a disposed tensor cannot be read or written, and disposing it again does nothing", async () => {
    const t = ones([2]);
    t.dispose();
    t.dispose();
    expect(t.isDisposed).toBe(true);
    expect(() => t.dataSync()).toThrow(BackendError);
    await expect(readFloats(t)).rejects.toThrow(BackendError);
    expect(() => writeInto(t, Float32Array.of(1, 2))).toThrow("writeInto: the tensor was disposed");
  });
  it("shapes must be whole and not negative", () => {
    expect(() => zeros([2, -1])).toThrow(new ShapeError("shape: extents must be integers >= 0, got [2, -1]"));
    expect(() => zeros([1.5])).toThrow(ShapeError);
  });
});

it("what does not fit is a named error, and the backend works on", () => {
  const before = [memory().tensors, currentBackend().memory().heldBytes];
  expect(() => zeros([2 ** 21, 2 ** 21])).toThrow(OutOfMemoryError);
  expect([memory().tensors, currentBackend().memory().heldBytes]).toEqual(before);
  expect(tidy(() => mul(ones([2]), 2).dataSync()[1])).toBe(2);
});
