import * as core from "@statespace/core";
import * as makers from "@statespace/core/backend";
import * as ops from "@statespace/core/ops";
import { Rng, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import type { NdArray } from "@statespace/core/math";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { random } from "../opHarness.ts";
import { at, byIndex, expectCase } from "./f64.ts";

beforeAll(() => setBackend(cpuBackend()));

const rng = new Rng(11);
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
/** erf by Simpson's rule on 4000 intervals: its error is far below f64's rounding of the sum. */
function erfByQuadrature(x: number): number {
  const n = 4000;
  const h = x / n;
  let total = 0;
  for (let i = 0; i <= n; i++) total += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return ((2 / Math.sqrt(Math.PI)) * total * h) / 3;
}

type Unary = readonly [op: (x: Tensor) => Tensor, f: (x: number) => number, low: number, high: number];
/** Derivatives hold inside each range; kinks lie outside, or at numbers that the seed does not draw. */
const UNARY: Readonly<Record<string, Unary>> = {
  neg: [core.neg, (x) => -x, -2, 2],
  abs: [core.abs, Math.abs, -2, 2],
  exp: [core.exp, Math.exp, -3, 3],
  expm1: [ops.expm1, Math.expm1, -1, 1],
  log: [core.log, Math.log, 0.2, 4],
  log1p: [ops.log1p, Math.log1p, -0.5, 2],
  sqrt: [core.sqrt, Math.sqrt, 0.2, 4],
  rsqrt: [ops.rsqrt, (x) => x ** -0.5, 0.2, 4],
  square: [core.square, (x) => x * x, -2, 2],
  reciprocal: [ops.reciprocal, (x) => 1 / x, 0.3, 3],
  sigmoid: [core.sigmoid, logistic, -5, 5],
  tanh: [core.tanh, Math.tanh, -3, 3],
  softplus: [core.softplus, (x) => Math.log1p(Math.exp(x)), -5, 5],
  relu: [core.relu, (x) => Math.max(x, 0), -2, 2],
  silu: [core.silu, (x) => x * logistic(x), -5, 5],
  gelu: [core.gelu, (x) => 0.5 * x * (1 + erfByQuadrature(x / Math.SQRT2)), -4, 4],
  sin: [core.sin, Math.sin, -4, 4],
  cos: [core.cos, Math.cos, -4, 4],
  erf: [ops.erf, erfByQuadrature, -3, 3],
};

describe("unary ops: forward and gradient", () => {
  for (const [name, [op, f, low, high]] of Object.entries(UNARY)) {
    it(name, () =>
      expectCase({
        inputs: { x: random(rng, [3, 5], low, high) },
        run: ({ x }) => op(x!),
        f64: ({ x }) => byIndex(x!.shape, (i) => f(at(x!, i))),
      }),
    );
  }
  it("clip", () =>
    expectCase({
      inputs: { x: random(rng, [20], -2, 2) },
      run: ({ x }) => core.clip(x!, -0.5, 1),
      f64: ({ x }) => byIndex([20], (i) => Math.min(1, Math.max(-0.5, at(x!, i)))),
    }));
});

type Binary = readonly [op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => number];
const BINARY: Readonly<Record<string, Binary>> = {
  add: [core.add, (a, b) => a + b],
  sub: [core.sub, (a, b) => a - b],
  mul: [core.mul, (a, b) => a * b],
  div: [core.div, (a, b) => a / b],
  maximum: [core.maximum, Math.max],
  minimum: [core.minimum, Math.min],
  pow: [ops.pow, Math.pow],
};
const outShape = (a: NdArray, b: NdArray): number[] => makers.broadcastShape("test", a.shape, b.shape);

/** A random shape of rank 0 to 4, and two that broadcast to it. */
function randomPair(): [number[], number[]] {
  const shape = Array.from({ length: rng.integer(5) }, () => 1 + rng.integer(3));
  const part = (): number[] =>
    shape.map((extent) => (rng.uniform() < 0.4 ? 1 : extent)).slice(rng.integer(shape.length + 1));
  return rng.uniform() < 0.5 ? [shape, part()] : [part(), shape];
}

describe("binary ops: forward and gradient, random broadcasting shapes", () => {
  for (const [name, [op, f]] of Object.entries(BINARY)) {
    for (let round = 0; round < 6; round++) {
      const [a, b] = randomPair();
      it(`${name} [${a}] [${b}]`, () =>
        expectCase({
          inputs: { a: random(rng, a, 0.3, 2), b: random(rng, b, 0.3, 2) },
          run: (x) => op(x.a!, x.b!),
          f64: (x) => byIndex(outShape(x.a!, x.b!), (i) => f(at(x.a!, i), at(x.b!, i))),
        }));
    }
  }
  it("a number as either operand", () => {
    expectCase({
      inputs: { x: random(rng, [4], 0.5, 2) },
      run: ({ x }) => core.div(core.sub(3, x!), 1.5),
      f64: ({ x }) => byIndex([4], (i) => (3 - at(x!, i)) / 1.5),
      gradient: 2 ** -21,
    });
  });
  it("broadcasts both sides at once", () => {
    const f64 = (x: Readonly<Record<string, NdArray>>): NdArray => byIndex([4, 3], (i) => at(x.a!, i) * at(x.b!, i));
    expectCase({ inputs: { a: random(rng, [4, 1]), b: random(rng, [1, 3]) }, run: (x) => core.mul(x.a!, x.b!), f64 });
  });
  it("gives a tie's gradient to the first", () => {
    tidy(() => {
      const [a, b] = [tensor([1, 2]), tensor([1, 3])];
      for (const [op, first, second] of [
        [core.maximum, [1, 0], [0, 1]],
        [core.minimum, [1, 1], [0, 0]],
      ] as const) {
        const { grads } = core.valueAndGrads(() => core.sum(op(a, b)), [a, b]);
        expect([...grads[0]!.dataSync()]).toEqual(first);
        expect([...grads[1]!.dataSync()]).toEqual(second);
      }
    });
  });
});

describe("ops without a derivative", () => {
  const x = [-1.5, -0.5, 0, 0.5, 1.5, 2.5, 7];
  const values = (t: Tensor): number[] => [...t.dataSync()].map((v) => v + 0);
  it("sign, floor, round to even", () =>
    tidy(() => {
      expect(values(ops.sign(tensor(x)))).toEqual([-1, -1, 0, 1, 1, 1, 1]);
      expect(values(ops.floor(tensor(x)))).toEqual([-2, -1, 0, 0, 1, 2, 7]);
      expect(values(ops.round(tensor(x)))).toEqual([-2, 0, 0, 0, 2, 2, 7]);
    }));
  it("comparisons and logic", () =>
    tidy(() => {
      const [a, b] = [tensor([1, 2, 3]), tensor([[2]].flat(), [1])];
      const table = {
        equal: [0, 1, 0],
        notEqual: [1, 0, 1],
        less: [1, 0, 0],
        lessEqual: [1, 1, 0],
        greater: [0, 0, 1],
        greaterEqual: [0, 1, 1],
      } as const;
      for (const [name, want] of Object.entries(table)) {
        const got = ops[name as keyof typeof table](a, b);
        expect(got.dtype).toBe("bool");
        expect(values(got), name).toEqual(want);
      }
      expect(values(ops.logicalAnd(core.greater(a, 1), core.less(a, 3)))).toEqual([0, 1, 0]);
      expect(values(ops.logicalNot(core.greater(a, 1)))).toEqual([1, 0, 0]);
    }));
  it("cast cuts toward zero, and anything but 0 is true", () =>
    tidy(() => {
      expect(values(core.cast(tensor([-1.9, -0.2, 0.9, 2]), "int32"))).toEqual([-1, 0, 0, 2]);
      expect(values(core.cast(tensor([-1.9, 0, 0.2]), "bool"))).toEqual([1, 0, 1]);
      expect(values(core.cast(tensor(Int32Array.of(3, -4)), "float32"))).toEqual([3, -4]);
    }));
  it("integers stay integers", () =>
    tidy(() => {
      const a = tensor(Int32Array.of(7, -7));
      expect(core.mul(a, 2).dtype).toBe("int32");
      expect(values(core.div(a, 2))).toEqual([3, -3]);
      expect(values(core.neg(a))).toEqual([-7, 7]);
    }));
});

describe("errors", () => {
  it.each([
    ["broadcast", () => core.add(tensor([1, 2]), tensor([1, 2, 3])), "add: a [2] and b [3] do not broadcast"],
    [
      "dtypes differ",
      () => core.add(tensor([1]), tensor(Int32Array.of(1))),
      "add: a and b must have one dtype, got float32 and int32",
    ],
    [
      "fraction and int32",
      () => core.mul(tensor(Int32Array.of(1)), 0.5),
      "mul: b = 0.5 is no integer, and the other operand is int32",
    ],
    ["float op on int32", () => core.exp(tensor(Int32Array.of(1))), "exp: x must be float32, got int32"],
    ["logic on floats", () => ops.logicalNot(tensor([1])), "logicalNot: x must be bool, got float32"],
  ])("%s", (_, run, message) => expect(() => tidy(run)).toThrow(message));
});
