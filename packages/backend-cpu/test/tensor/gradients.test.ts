import {
  add,
  concat,
  exp,
  linear,
  memory,
  mul,
  neg,
  noGrad,
  Rng,
  reshape,
  selectiveScan,
  setBackend,
  slice,
  sub,
  sum,
  tensor,
  tidy,
  transpose,
  valueAndGrads,
  zeros,
  packWeight,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { copy } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const values = (t: Tensor | null): number[] | null => t && [...t.dataSync()];
/** Runs a test and checks that it left no tensor behind, neither in the engine nor on the backend. */
function withoutLeak(run: () => void): void {
  const before = [
    memory().tensors,
    memory().bytes,
    currentBackend().memory().tensors,
    currentBackend().memory().heldBytes,
  ];
  tidy(() => {
    run();
  });
  expect([
    memory().tensors,
    memory().bytes,
    currentBackend().memory().tensors,
    currentBackend().memory().heldBytes,
  ]).toEqual(before);
}

describe("valueAndGrads", () => {
  it("adds up over every use of an input", () =>
    withoutLeak(() => {
      const x = tensor([1, 2, 3]);
      const { value, grads } = valueAndGrads(() => sum(add(mul(x, x), mul(x, 3))), [x]);
      expect(value.dataSync()[0]).toBe(14 + 18);
      expect(values(grads[0]!)).toEqual([5, 7, 9]);
    }));
  it("goes through a diamond once a path", () =>
    withoutLeak(() => {
      const x = tensor([0.5]);
      // y = e^x e^-x x = x: paths cancel but for the last.
      const { grads } = valueAndGrads(() => {
        const e = exp(x);
        return sum(mul(mul(e, exp(neg(x))), x));
      }, [x]);
      expect(grads[0]!.dataSync()[0]).toBeCloseTo(1, 6);
    }));
  it("gives null for what the value does not depend on", () =>
    withoutLeak(() => {
      const [x, y] = [tensor([1]), tensor([2])];
      expect(valueAndGrads(() => sum(mul(x, 2)), [x, y]).grads[1]).toBeNull();
      // Used, but not by the value.
      expect(
        valueAndGrads(() => {
          mul(y, 2);
          return sum(x);
        }, [x, y]).grads[1],
      ).toBeNull();
    }));
  it("passes one gradient through aliases twice, and both stay usable", () =>
    withoutLeak(() => {
      const [x, y] = [tensor([1, 2, 3, 4], [2, 2]), tensor([5, 6, 7, 8])];
      const { grads } = valueAndGrads(() => sum(add(reshape(reshape(x, [1, 4]), [4]), y)), [x, y]);
      grads[0]!.dispose();
      expect(values(grads[1]!)).toEqual([1, 1, 1, 1]);
      const both = valueAndGrads(() => sum(add(reshape(x, [4]), reshape(x, [4]))), [x]);
      expect(values(both.grads[0]!)).toEqual([2, 2, 2, 2]);
    }));
  it("an input that is the value itself gets the upstream gradient, as a handle of its own", () =>
    withoutLeak(() => {
      const [x, dy] = [tensor([1, 2]), tensor([3, 4])];
      const { grads } = valueAndGrads(() => x, [x], dy);
      grads[0]!.dispose();
      expect(values(dy)).toEqual([3, 4]);
    }));
  it("gradients of inputs in the middle of the graph", () =>
    withoutLeak(() => {
      const x = tensor([2]);
      const y = mul(x, 3);
      const { grads } = valueAndGrads(() => sum(mul(y, y)), [x, y]);
      expect([grads[0], values(grads[1]!)]).toEqual([null, [12]]);
    }));
  it("only one output of an op reaches the loss", () =>
    withoutLeak(() => {
      const inputs = {
        u: tensor([1, 2], [1, 2, 1]),
        delta: tensor([0.5, 0.5], [1, 2, 1]),
        A: tensor([-1], [1, 1]),
        B: tensor([1, 1], [1, 2, 1]),
        C: tensor([1, 1], [1, 2, 1]),
      };
      const { grads } = valueAndGrads(
        () => sum(selectiveScan(inputs, { returnLastState: true }).lastState!),
        [inputs.u, inputs.C],
      );
      expect(grads[0]!.dataSync()[1]).toBe(0.5);
      expect(values(grads[1]!)).toEqual([0, 0]);
    }));
  it("saved values are those of the forward pass, whatever is disposed later", () =>
    withoutLeak(() => {
      const x = tensor([2, 3]);
      const { grads } = valueAndGrads(() => {
        const square = mul(x, x);
        const out = sum(mul(square, x));
        square.dispose();
        return out;
      }, [x]);
      expect(values(grads[0]!)).toEqual([12, 27]);
    }));
  it("slices, concatenation and transposition together", () =>
    withoutLeak(() => {
      const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
      const w = tensor([1, 10, 100, 1000, 10000, 100000], [3, 2]);
      const { grads } = valueAndGrads(
        () => sum(mul(transpose(concat([slice(x, [0, 1], [2, 2]), slice(x, [0, 0], [2, 1])], 1)), w)),
        [x],
      );
      expect(values(grads[0]!)).toEqual([10000, 1, 100, 100000, 10, 1000]);
    }));
  it("leaves nothing behind over 100 training steps", () => {
    const rng = new Rng(3);
    const weight = tensor(Float32Array.from(rng.normals(12)), [3, 4]);
    const x = tensor(Float32Array.from(rng.normals(8)), [2, 4]);
    const counts = (): number[] => [
      memory().tensors,
      memory().bytes,
      currentBackend().memory().tensors,
      currentBackend().memory().heldBytes,
    ];
    const step = (): void => {
      const { value, grads } = valueAndGrads(() => {
        const { y } = linear({ x, weight });
        return sum(mul(sub(y, 1), sub(y, 1)));
      }, [weight]);
      tidy(() => copy({ destination: weight, source: sub(weight, mul(grads[0]!, 0.01)) }));
      for (const t of [value, grads[0]!]) t.dispose();
    };
    step();
    const before = counts();
    const first = valueOf();
    for (let i = 0; i < 100; i++) step();
    expect(counts()).toEqual(before);
    expect(valueOf()).toBeLessThan(first / 2);
    weight.dispose();
    x.dispose();
    function valueOf(): number {
      return tidy(() => sum(mul(sub(linear({ x, weight }).y, 1), sub(linear({ x, weight }).y, 1))).dataSync()[0]!);
    }
  });
});

describe("noGrad", () => {
  it("cuts the graph", () =>
    withoutLeak(() => {
      const x = tensor([2]);
      const { grads } = valueAndGrads(
        () =>
          sum(
            mul(
              x,
              noGrad(() => mul(x, 5)),
            ),
          ),
        [x],
      );
      expect(values(grads[0]!)).toEqual([10]);
    }));
  it("turns the tape on again, also after an error", () =>
    withoutLeak(() => {
      const x = tensor([2]);
      const { grads } = valueAndGrads(() => {
        expect(() =>
          noGrad(() => {
            throw new Error("inside");
          }),
        ).toThrow("inside");
        return sum(mul(x, x));
      }, [x]);
      expect(values(grads[0]!)).toEqual([4]);
    }));
});

describe("errors leave the engine usable and nothing behind", () => {
  it.each([
    [
      "in the function",
      () =>
        valueAndGrads(() => {
          mul(tensor([1]), 2);
          throw new Error("inside");
        }, []),
      "inside",
    ],
    [
      "no scalar",
      () => valueAndGrads(() => mul(tensor([1, 2]), 2), []),
      "valueAndGrads: the function must return a scalar, got [2]; or pass dy",
    ],
    [
      "nested",
      () => valueAndGrads(() => valueAndGrads(() => zeros([]), []).value, []),
      "valueAndGrads: no gradients inside gradients",
    ],
    [
      "nested under noGrad",
      () => valueAndGrads(() => noGrad(() => valueAndGrads(() => zeros([]), []).value), []),
      "valueAndGrads: no gradients inside gradients",
    ],
    [
      "in place",
      () =>
        valueAndGrads(() => {
          copy({ destination: zeros([1]), source: zeros([1]) });
          return zeros([]);
        }, []),
      "copy: changes destination in place and has no gradient",
    ],
    [
      "packed weight",
      () =>
        valueAndGrads(
          () => sum(linear({ x: zeros([1, 32]), weight: packWeight(new Float32Array(32), [1, 32], "q8") }).y),
          [],
        ),
      "linear: weight is packed as q8 and cannot be trained through",
    ],
  ])("%s", (_, run, message) => {
    withoutLeak(() => {
      expect(run).toThrow(message);
    });
    withoutLeak(() => {
      const x = tensor([3]);
      expect(values(valueAndGrads(() => sum(mul(x, x)), [x]).grads[0]!)).toEqual([6]);
    });
  });
});

describe("composed ops clean up after themselves", () => {
  it("no scope around them", async () => {
    const core = await import("@statespace/core");
    const x = tensor([1, 2, 3, 4], [2, 2]);
    const before = memory().tensors;
    const made = [
      core.mul(x, 2),
      core.sub(1, x),
      core.greater(x, 0),
      core.mean(x),
      core.matMul(x, x),
      core.stack([x, x]),
      core.broadcastTo(x, [3, 2, 2]),
      core.where(core.less(x, 2), x, core.zeros([2, 2])),
      core.concat([x]),
      core.broadcastTo(x, [2, 2]),
      core.meanCrossEntropy(x, tensor(Int32Array.of(0, 1))),
      ...core.split(x, [1, 1], 1),
    ];
    // Beside the results: the condition and the zeros of `where`, the targets of the loss.
    expect(memory().tensors - before).toBe(made.length + 3);
    for (const t of made) t.dispose();
    expect([...x.dataSync()]).toEqual([1, 2, 3, 4]);
    x.dispose();
  });
});
