import * as core from "@statespace/core";
import * as ops from "@statespace/core/ops";
import { Rng, setBackend, tensor, tidy, valueAndGrads } from "@statespace/core";
import type { NdArray } from "@statespace/core/math";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { random } from "../opHarness.ts";
import { at, byIndex, expectCase } from "./f64.ts";

beforeAll(() => setBackend(cpuBackend()));

const rng = new Rng(12);
const x234 = (): NdArray => random(rng, [2, 3, 4]);
const total = (x: NdArray): number => x.data.reduce((a, b) => a + b, 0);

describe("reductions", () => {
  const kept = (axes: readonly number[], keepDims: boolean): number[] =>
    [2, 3, 4].flatMap((extent, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [extent]));
  /** Folds x over axes; `out` indexes only the axes that are left. */
  const fold = (x: NdArray, axes: readonly number[], keepDims: boolean, f: (values: number[]) => number): NdArray => {
    const groups = new Map<string, number[]>();
    byIndex(x.shape, (index) => {
      const key = index.flatMap((at, i) => (axes.includes(i) ? (keepDims ? [0] : []) : [at])).join();
      groups.set(key, [...(groups.get(key) ?? []), at(x, index)]);
      return 0;
    });
    return byIndex(kept(axes, keepDims), (index) => f(groups.get(index.join())!));
  };
  for (const axes of [[0], [1], [2], [0, 2], [0, 1, 2]]) {
    for (const keepDims of [false, true]) {
      const name = `[${axes}]${keepDims ? " kept" : ""}`;
      it(`sum ${name}`, () =>
        expectCase({
          inputs: { x: x234() },
          run: ({ x }) => core.sum(x!, axes, keepDims),
          f64: ({ x }) => fold(x!, axes, keepDims, (v) => v.reduce((a, b) => a + b)),
        }));
      it(`mean ${name}`, () =>
        expectCase({
          inputs: { x: x234() },
          run: ({ x }) => core.mean(x!, axes, keepDims),
          f64: ({ x }) => fold(x!, axes, keepDims, (v) => v.reduce((a, b) => a + b) / v.length),
        }));
      it(`max ${name}`, () =>
        expectCase({
          inputs: { x: x234() },
          run: ({ x }) => core.max(x!, axes, keepDims),
          f64: ({ x }) => fold(x!, axes, keepDims, (v) => Math.max(...v)),
        }));
      it(`min ${name}`, () =>
        expectCase({
          inputs: { x: x234() },
          run: ({ x }) => core.min(x!, axes, keepDims),
          f64: ({ x }) => fold(x!, axes, keepDims, (v) => Math.min(...v)),
        }));
    }
  }
  it("sum of a scalar, negative axes, an empty axis", () =>
    tidy(() => {
      expect(core.sum(core.scalar(3)).dataSync()[0]).toBe(3);
      expect([...core.sum(tensor([1, 2, 3, 4], [2, 2]), -1).dataSync()]).toEqual([3, 7]);
      expect([...core.sum(tensor([], [2, 0]), 1).dataSync()]).toEqual([0, 0]);
    }));
  it("ties share the gradient of max", () =>
    tidy(() => {
      const x = tensor([2, 5, 5, 1]);
      expect([...valueAndGrads(() => core.max(x), [x]).grads[0]!.dataSync()]).toEqual([0, 0.5, 0.5, 0]);
    }));
  it("argMax: the lowest index wins ties, along any axis", () =>
    tidy(() => {
      const x = tensor([1, 7, 7, 9, 0, 9], [2, 3]);
      expect([...core.argMax(x).dataSync()]).toEqual([1, 0]);
      expect([...core.argMax(x, 0).dataSync()]).toEqual([1, 0, 1]);
      expect(core.argMax(x).dtype).toBe("int32");
    }));
  const softmax = (x: NdArray): NdArray =>
    byIndex(
      x.shape,
      (i) => Math.exp(at(x, i)) / total(byIndex([x.shape.at(-1)!], ([j]) => Math.exp(at(x, [...i.slice(0, -1), j!])))),
    );
  it("softmax", () =>
    expectCase({
      inputs: { x: random(rng, [3, 5], -3, 3) },
      run: ({ x }) => core.softmax(x!),
      f64: ({ x }) => softmax(x!),
    }));
  it("softmax of large values", () => {
    const y = tidy(() => [...core.softmax(tensor([1000, 1000, -1000])).dataSync()]);
    expect(y).toEqual([0.5, 0.5, 0]);
  });
  for (const axis of [0, 1, -1]) {
    for (const exclusive of [false, true]) {
      for (const reverse of [false, true]) {
        const along = (axis + 3) % 3;
        it(`cumsum axis ${axis}${exclusive ? " exclusive" : ""}${reverse ? " reverse" : ""}`, () =>
          expectCase({
            inputs: { x: x234() },
            run: ({ x }) => core.cumsum(x!, axis, { exclusive, reverse }),
            f64: ({ x }) =>
              byIndex([2, 3, 4], (i) => {
                const terms = byIndex([x!.shape[along]!], ([k]) => {
                  const before = reverse ? k! > i[along]! : k! < i[along]!;
                  return before || (!exclusive && k === i[along]) ? at(x!, i.with(along, k!)) : 0;
                });
                return total(terms);
              }),
          }));
      }
    }
  }
});

describe("movement", () => {
  it("reshape, one extent free", () =>
    expectCase({
      inputs: { x: x234() },
      run: ({ x }) => core.reshape(x!, [4, -1]),
      f64: ({ x }) => ({ shape: [4, 6], data: x!.data }),
    }));
  it.each([[[2, 0, 1]], [[0, 2, 1]], [[2, 1, 0]], [[0, 1, 2]]])("transpose [%s]", (perm) =>
    expectCase({
      inputs: { x: x234() },
      run: ({ x }) => core.transpose(x!, perm),
      f64: ({ x }) =>
        byIndex(
          perm.map((axis) => [2, 3, 4][axis]!),
          (i) =>
            at(
              x!,
              [0, 1, 2].map((axis) => i[perm.indexOf(axis)]!),
            ),
        ),
    }),
  );
  it.each([
    [
      [0, 0, 0],
      [2, 3, 4],
    ],
    [
      [1, 0, 2],
      [1, 2, 2],
    ],
    [
      [1, 1, 0],
      [1, 1, 4],
    ],
    [
      [0, 2, 3],
      [2, 1, 1],
    ],
  ])("slice from [%s] of [%s]", (begin, size) =>
    expectCase({
      inputs: { x: x234() },
      run: ({ x }) => core.slice(x!, begin, size),
      f64: ({ x }) =>
        byIndex(size, (i) =>
          at(
            x!,
            i.map((v, axis) => v + begin[axis]!),
          ),
        ),
    }),
  );
  it("slice to the end, and an empty one", () =>
    tidy(() => {
      expect([...core.slice(tensor([1, 2, 3]), [1], [-1]).dataSync()]).toEqual([2, 3]);
      expect(core.slice(tensor([1, 2, 3]), [1], [0]).shape).toEqual([0]);
    }));
  it.each([[0], [1], [2]])("split and concat along %i", (axis) => {
    const extents = [
      [1, 1],
      [2, 1],
      [1, 3],
    ][axis]!;
    expectCase({
      inputs: { x: x234() },
      // Scaling one part makes each part's gradient differ; the parts come back in the other order.
      run: ({ x }) => {
        const [a, b] = core.split(x!, extents, axis);
        return core.concat([core.mul(b!, 2), a!], axis);
      },
      f64: ({ x }) =>
        byIndex([2, 3, 4], (i) =>
          i[axis]! < extents[1]!
            ? 2 * at(x!, i.with(axis, i[axis]! + extents[0]!))
            : at(x!, i.with(axis, i[axis]! - extents[1]!)),
        ),
    });
  });
  it("a part of a split that does not reach the loss gets zeros", () =>
    tidy(() => {
      const x = tensor([1, 2, 3]);
      const { grads } = valueAndGrads(() => core.sum(core.split(x, [1, 2])[1]!), [x]);
      expect([...grads[0]!.dataSync()]).toEqual([0, 1, 1]);
    }));
  it("stack", () =>
    expectCase({
      inputs: { a: random(rng, [2, 3]), b: random(rng, [2, 3]) },
      run: ({ a, b }) => core.stack([a!, b!], 1),
      f64: ({ a, b }) => byIndex([2, 2, 3], ([i, j, k]) => at(j === 0 ? a! : b!, [i!, k!])),
    }));
  it.each([[[0]], [[1, 2]], [[-1]], [[0, 1, 2]]])("reverse [%s]", (axes) =>
    expectCase({
      inputs: { x: x234() },
      run: ({ x }) => ops.reverse(x!, axes),
      f64: ({ x }) =>
        byIndex([2, 3, 4], (i) =>
          at(
            x!,
            i.map((v, axis) => (axes.includes(axis) || axes.includes(axis - 3) ? [2, 3, 4][axis]! - 1 - v : v)),
          ),
        ),
    }),
  );
  it("pad", () =>
    expectCase({
      inputs: { x: random(rng, [2, 3]) },
      run: ({ x }) =>
        core.pad(
          x!,
          [
            [1, 0],
            [2, 1],
          ],
          7,
        ),
      f64: ({ x }) => byIndex([3, 6], ([i, j]) => (i! >= 1 && j! >= 2 && j! < 5 ? at(x!, [i! - 1, j! - 2]) : 7)),
    }));
  it("tile", () =>
    expectCase({
      inputs: { x: random(rng, [2, 1, 3]) },
      run: ({ x }) => ops.tile(x!, [2, 3, 2]),
      f64: ({ x }) => byIndex([4, 3, 6], ([i, , k]) => at(x!, [i! % 2, 0, k! % 3])),
    }));
  it("broadcastTo", () =>
    expectCase({
      inputs: { x: random(rng, [3, 1]) },
      run: ({ x }) => core.broadcastTo(x!, [2, 3, 4]),
      f64: ({ x }) => byIndex([2, 3, 4], (i) => at(x!, i)),
    }));
  it("where", () => {
    const mask = [1, 0, 0, 1, 1, 0];
    expectCase({
      inputs: { t: random(rng, [2, 3]), e: random(rng, [3]) },
      run: ({ t, e }) => core.where(core.cast(tensor(mask, [2, 3]), "bool"), t!, e!),
      f64: ({ t, e }) => byIndex([2, 3], (i) => (mask[i[0]! * 3 + i[1]!] ? at(t!, i) : at(e!, i))),
    });
  });
});

describe("indices", () => {
  const ids = [2, 0, 2, 1];
  it.each([0, 1, 2])("gather along %i, repeated indices", (axis) => {
    expectCase({
      inputs: { x: random(rng, [3, 3, 3]) },
      run: ({ x }) => core.gather(x!, tensor(Int32Array.from(ids), [2, 2]), axis),
      f64: ({ x }) =>
        byIndex([3, 3, 3].toSpliced(axis, 1, 2, 2), (i) =>
          at(x!, i.toSpliced(axis, 2, ids[2 * i[axis]! + i[axis + 1]!]!)),
        ),
    });
  });
  it("segmentSum, one id unused", () =>
    expectCase({
      inputs: { x: random(rng, [4, 3]) },
      run: ({ x }) => ops.segmentSum(x!, tensor(Int32Array.from(ids)), 4),
      f64: ({ x }) =>
        byIndex([4, 3], ([row, j]) => ids.reduce((acc, id, i) => acc + (id === row ? at(x!, [i, j!]) : 0), 0)),
    }));
  it("oneHot", () => {
    const y = tidy(() => [...ops.oneHot(tensor(Int32Array.of(1, 0)), 3).dataSync()]);
    expect(y).toEqual([0, 1, 0, 1, 0, 0]);
  });
});

describe("matMul", () => {
  const product = (a: NdArray, b: NdArray, ta: boolean, tb: boolean, shape: number[], k: number): NdArray =>
    byIndex(shape, (i) => {
      const lead = i.slice(0, -2);
      const [row, column] = i.slice(-2) as [number, number];
      let dot = 0;
      for (let s = 0; s < k; s++)
        dot += at(a, [...lead, ...(ta ? [s, row] : [row, s])]) * at(b, [...lead, ...(tb ? [column, s] : [s, column])]);
      return dot;
    });
  for (const ta of [false, true]) {
    for (const tb of [false, true]) {
      for (const [m, k, n] of [
        [1, 1, 1],
        [5, 3, 2],
        [4, 8, 4],
        [9, 5, 7],
        [1, 6, 9],
      ] as const) {
        it(`[${m}, ${k}] x [${k}, ${n}]${ta ? " a^T" : ""}${tb ? " b^T" : ""}`, () => {
          const inputs = { a: random(rng, ta ? [k, m] : [m, k]), b: random(rng, tb ? [n, k] : [k, n]) };
          expectCase({
            inputs,
            run: (x) => core.matMul(x.a!, x.b!, ta, tb),
            f64: (x) => product(x.a!, x.b!, ta, tb, [m, n], k),
          });
        });
      }
      it(`batches, either side alone${ta ? " a^T" : ""}${tb ? " b^T" : ""}`, () => {
        for (const [leadA, leadB] of [
          [
            [2, 2],
            [2, 2],
          ],
          [[], [3]],
          [[3], []],
          [[3], [1]],
        ]) {
          const inputs = {
            a: random(rng, [...leadA!, ...(ta ? [3, 2] : [2, 3])]),
            b: random(rng, [...leadB!, ...(tb ? [4, 3] : [3, 4])]),
          };
          const lead = leadA!.length >= leadB!.length ? leadA! : leadB!;
          expectCase({
            inputs,
            run: (x) => core.matMul(x.a!, x.b!, ta, tb),
            f64: (x) => product(x.a!, x.b!, ta, tb, [...lead, 2, 4], 3),
          });
        }
      });
    }
  }
});

describe("errors", () => {
  const x = (): core.Tensor => core.zeros([2, 3]);
  it.each([
    ["axis", () => core.sum(x(), 2), "sum: axis 2 is not an axis of a tensor of rank 2"],
    ["axes twice", () => core.sum(x(), [0, -2]), "sum: axes must differ, got [0, -2]"],
    ["reshape", () => core.reshape(x(), [4]), "reshape: [2, 3] has 6 elements and does not fit [4]"],
    ["transpose", () => core.transpose(x(), [0, 0]), "transpose: perm [0, 0] is not an order of the axes of [2, 3]"],
    ["slice", () => core.slice(x(), [1, 0], [2, 3]), "slice: begin [1, 0], size [2, 3] is not inside [2, 3]"],
    ["split", () => core.split(x(), [1, 1])[0]!, "split: extents [1, 1] do not add up to 3 of [2, 3]"],
    ["concat", () => core.concat([x(), core.zeros([2, 2])], 0), "concat: [2, 2] does not fit [2, 3] along axis 0"],
    ["matMul", () => core.matMul(x(), x()), "matMul: inner extents differ: a [2, 3], b [2, 3]"],
    ["gather", () => core.gather(x(), x()), "gather: indices must be int32, got float32"],
    [
      "segmentSum",
      () => ops.segmentSum(x(), tensor(Int32Array.of(0)), 2),
      "segmentSum: ids must be int32 [n] = [2], got int32 [1]",
    ],
    ["tensor", () => tensor([1, 2], [3]), "tensor: values must have 3 elements for shape [3], got 2"],
    ["broadcastTo", () => core.broadcastTo(x(), [3, 3]), "broadcastTo"],
  ])("%s", (_, run, message) => expect(() => tidy(run)).toThrow(message));
});
