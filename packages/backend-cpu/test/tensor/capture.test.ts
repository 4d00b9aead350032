import {
  add,
  BackendError,
  capture,
  linear,
  memory,
  mul,
  Rng,
  reshape,
  rmsNorm,
  setBackend,
  slice,
  softplus,
  stopBackend,
  sub,
  sum,
  tensor,
  tidy,
  valueAndGrads,
  writeInto,
  zeros,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { causalConv1dStep, copy, selectiveScanStep } from "@statespace/core/ops";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";

const second = { ...cpuBackend(), name: "cpu-second" };
beforeAll(() => setBackend(cpuBackend()));

const counts = (): number[] => [
  memory().tensors,
  currentBackend().memory().tensors,
  currentBackend().memory().heldBytes,
];
let before: number[] = [];
const made: Tensor[] = [];
const input = (values: readonly number[], shape?: readonly number[]): Tensor => {
  const t = tensor(values, shape);
  made.push(t);
  return t;
};
beforeEach(() => (before = counts()));
afterEach(() => {
  for (const t of made.splice(0)) t.dispose();
  expect(counts(), "everything was given back").toEqual(before);
});
const values = (t: Tensor): number[] => [...t.dataSync()];

describe("capture and replay", () => {
  it("replay computes on what the inputs hold now", () => {
    const x = input([1, 2]);
    const graph = capture(() => add(mul(x, x), 1));
    expect(values(graph.result)).toEqual([2, 5]);
    writeInto(x, Float32Array.of(3, 4));
    graph.replay();
    expect(values(graph.result)).toEqual([10, 17]);
    expect(graph.launches).toBe(3); // the product, the 1, the sum
    graph.dispose();
  });

  it("a decode step with state in place equals eager steps on fresh inputs", () => {
    const rng = new Rng(21);
    const [d, n, k] = [6, 4, 3];
    const make = (shape: readonly number[], low = -1, high = 1): Tensor =>
      input(
        [
          ...rng.uniforms(
            shape.reduce((a, b) => a * b, 1),
            low,
            high,
          ),
        ],
        shape,
      );
    const weights = {
      proj: make([d, d]),
      norm: make([d]),
      conv: make([d, k]),
      A: make([d, n], -1, -0.1),
      bc: make([2 * n, d]),
    };
    const step = (x: Tensor, conv: Tensor, state: Tensor): Tensor => {
      const normed = rmsNorm({ x, weight: weights.norm }).y;
      const u = causalConv1dStep(
        { x: linear({ x: normed, weight: weights.proj }).y, state: conv, weight: weights.conv },
        { silu: true },
      ).y;
      const bc = linear({ x: u, weight: weights.bc }).y;
      const y = selectiveScanStep({
        state,
        u,
        delta: softplus(u),
        A: weights.A,
        B: slice(bc, [0, 0], [1, n]),
        C: slice(bc, [0, n], [1, n]),
      }).y;
      return add(x, y);
    };
    const [xs, convA, stateA, convB, stateB] = [
      input(Array<number>(d).fill(0), [1, d]),
      make([1, k - 1, d], 0, 0),
      make([1, d, n], 0, 0),
      make([1, k - 1, d], 0, 0),
      make([1, d, n], 0, 0),
    ];
    const tokens = Array.from({ length: 5 }, () => Float32Array.from(rng.normals(d)));
    writeInto(xs, tokens[0]!);
    const graph = capture(() => step(xs, convA, stateA));
    tokens.forEach((token, i) => {
      if (i > 0) {
        writeInto(xs, token);
        graph.replay();
      }
      const eager = tidy(() => values(step(tensor(token, [1, d]), convB, stateB)));
      // The same loops on the same numbers: not one bit may differ.
      expect(values(graph.result)).toEqual(eager);
    });
    expect(values(stateA)).toEqual(values(stateB));
    expect(values(convA)).toEqual(values(convB));
    graph.dispose();
  });

  it("reuses its own memory, within the graph only", () => {
    const x = input(Array<number>(1000).fill(1));
    const chain = (length: number): number => {
      const graph = capture(() => {
        let y = x;
        for (let i = 0; i < length; i++) y = tidy(() => mul(y, x));
        return y;
      });
      expect(values(graph.result)[0]).toBe(1);
      const { bytes } = graph;
      graph.dispose();
      return bytes;
    };
    // Without a tidy inside, every intermediate lives until the end; with one, two buffers would do, plus the last.
    expect(chain(50)).toBe(50 * 4000);
    const reused = capture(() => {
      let y = mul(x, x);
      for (let i = 0; i < 50; i++) {
        const next = add(y, x);
        y.dispose();
        y = next;
      }
      return y;
    });
    expect(reused.bytes).toBe(2 * 4000);
    writeInto(x, new Float32Array(1000).fill(2));
    reused.replay();
    expect(values(reused.result)[999]).toBe(104);
    reused.dispose();
  });

  it("constants made inside survive replays, on memory that no launch writes", () => {
    const x = input([1, 2, 3]);
    const graph = capture(() => {
      const scratch = mul(x, x); // written by every replay, then free ...
      const doubled = add(scratch, scratch);
      scratch.dispose();
      const constant = tensor([10, 20, 30]); // ... and as large as this
      const y = add(doubled, constant);
      constant.dispose();
      const after = mul(y, y); // may not take the constant's place
      return { y, after };
    });
    for (let i = 0; i < 3; i++) {
      writeInto(x, Float32Array.of(i, 1, 0));
      graph.replay();
      expect(values(graph.result.y)).toEqual([10 + 2 * i * i, 22, 30]);
      expect(values(graph.result.after)).toEqual([(10 + 2 * i * i) ** 2, 484, 900]);
    }
    graph.dispose();
  });

  it("holds inputs that are disposed after the capture", () => {
    const x = input([1, 2]);
    const w = tensor([5, 7]);
    const graph = capture(() => mul(x, w));
    w.dispose();
    const others = Array.from({ length: 10 }, () => tensor([9, 9]));
    graph.replay();
    expect(values(graph.result)).toEqual([5, 14]);
    for (const t of others) t.dispose();
    graph.dispose();
  });

  it("inputs that the function itself disposes are held too", () => {
    const x = tensor([3]);
    const graph = capture(() => {
      const y = mul(x, x);
      x.dispose();
      return y;
    });
    graph.replay();
    expect(values(graph.result)).toEqual([9]);
    graph.dispose();
  });

  it("outputs outlive other captures and can be disposed before or after the graph", () => {
    const x = input([2]);
    const a = capture(() => mul(x, x));
    const b = capture(() => mul(a.result, x));
    writeInto(x, Float32Array.of(3));
    a.replay();
    b.replay();
    expect(values(b.result)).toEqual([27]);
    a.dispose();
    b.replay();
    expect(values(b.result)).toEqual([27]);
    b.result.dispose();
    b.dispose();
  });

  it("tensors from outside that the function hands back stay the caller's", () => {
    const [x, state] = [input([1]), input([0])];
    const graph = capture(() => {
      copy({ destination: state, source: mul(x, 4) });
      return [state];
    });
    writeInto(x, Float32Array.of(2));
    graph.replay();
    graph.dispose();
    expect(values(state)).toEqual([8]);
  });

  it("a whole training step can be captured", () => {
    const [w, x] = [input([1, 2]), input([0.5, -1])];
    const graph = capture(() => {
      const { value, grads } = valueAndGrads(() => sum(mul(mul(w, w), x)), [w]);
      copy({ destination: w, source: sub(w, mul(grads[0]!, 0.5)) });
      return value;
    });
    const expected = [1, 2];
    const eager = (): void =>
      [0.5, -1].forEach(
        (v, i) => (expected[i] = Math.fround(expected[i]! - Math.fround(Math.fround(2 * expected[i]! * v) * 0.5))),
      );
    eager();
    expect(values(w)).toEqual(expected);
    graph.replay();
    eager();
    expect(values(w)).toEqual(expected);
    graph.dispose();
  });

  it("replays where it was captured, whatever backend is set", async () => {
    const x = input([2]);
    const graph = capture(() => mul(x, x));
    await setBackend(second);
    writeInto(x, Float32Array.of(3));
    graph.replay();
    expect(values(graph.result)).toEqual([9]);
    const other = tidy(() => values(mul(tensor([3]), 2)));
    expect(other).toEqual([6]);
    await setBackend("cpu");
    writeInto(x, Float32Array.of(5));
    graph.replay();
    expect(values(graph.result)).toEqual([25]);
    graph.dispose();
    stopBackend("cpu-second");
  });
});

describe("errors", () => {
  const x = (): Tensor => made[0] ?? input([1, 2]);
  it("inside the function: memory comes back and the backend works on", () => {
    x();
    expect(() =>
      capture((): Tensor => {
        const y = mul(x(), x());
        tensor([1, 2, 3]);
        throw new Error(`inside ${y.size}`);
      }),
    ).toThrow("inside 2");
    expect(currentBackend().capturing).toBe(false);
    const graph = capture(() => add(x(), x()));
    expect(values(graph.result)).toEqual([2, 4]);
    graph.dispose();
  });
  it("replay and dispose after dispose", () => {
    const graph = capture(() => mul(x(), 2));
    graph.dispose();
    graph.dispose();
    expect(() => graph.replay()).toThrow(BackendError);
  });
  it("capture inside capture, and under a tape", () => {
    x();
    expect(() => capture(() => capture(() => mul(x(), 2)).result)).toThrow("cpu: capture inside capture");
    expect(() => valueAndGrads(() => capture(() => zeros([])).result, [])).toThrow(
      "capture: not while gradients are being recorded",
    );
  });
  it("writing a tensor that the capture made", () => {
    expect(() =>
      capture(() => {
        const state = zeros([2]);
        writeInto(state, Float32Array.of(1, 2));
        return state;
      }),
    ).toThrow("writeInto: a tensor made inside a capture cannot be written there");
  });
});

describe("views", () => {
  it("a slice of one run shares memory, outlives its source and counts once", () => {
    const held = currentBackend().memory().heldBytes;
    const x = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const row = slice(x, [1, 0], [1, 2]);
    expect(currentBackend().memory().heldBytes - held).toBe(24);
    x.dispose();
    const others = Array.from({ length: 5 }, () => tensor([0, 0, 0, 0, 0, 0]));
    expect(values(row)).toEqual([3, 4]);
    const flat = reshape(row, [2]);
    row.dispose();
    const part = slice(flat, [1], [1]);
    flat.dispose();
    expect(values(part)).toEqual([4]);
    for (const t of [part, ...others]) t.dispose();
    expect(currentBackend().memory().heldBytes).toBe(held);
  });
  it("a slice that is more than one run is a copy", () => {
    const held = currentBackend().memory().heldBytes;
    const x = input([1, 2, 3, 4], [2, 2]);
    const column = slice(x, [0, 1], [2, 1]);
    made.push(column);
    expect(values(column)).toEqual([2, 4]);
    expect(currentBackend().memory().heldBytes - held).toBe(16 + 8);
  });
});
