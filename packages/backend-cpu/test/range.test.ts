import { beforeAll, expect, it } from "vitest";
import { ArgumentError, OutOfMemoryError, range, setBackend, zeros } from "@statespace/core";
import { cpuBackend } from "../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

it("counts up, down and to both ends of int32", async () => {
  expect([...(await range(3, 4, -2).data())]).toEqual([3, 1, -1, -3]);
  expect([...(await range(2147483646, 2).data())]).toEqual([2147483646, 2147483647]);
  expect([...(await range(-2147483648, 1).data())]).toEqual([-2147483648]);
  expect(range(5, 0).shape).toEqual([0]);
});

it.each([
  [2147483647, 2, 1],
  [-2147483647, 3, -1],
  [2 ** 31, 1, 1],
  [0, 3, 2 ** 30],
  [0, 2 ** 33, 1],
])("numbers that int32 does not hold are refused: from %i, %i of them in steps of %i", (start, size, step) => {
  expect(() => range(start, size, step)).toThrow(ArgumentError);
});

it("more values than the engine has room for are refused with a typed error, and what follows works", async () => {
  expect(() => range(0, 2 ** 45, 0)).toThrow(OutOfMemoryError);
  expect(() => zeros([2 ** 27, 2 ** 27])).toThrow(OutOfMemoryError);
  expect([...(await range(0, 2).data())]).toEqual([0, 1]);
});
