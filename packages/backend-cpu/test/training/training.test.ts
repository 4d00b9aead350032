import {
  AdamW,
  ArgumentError,
  clipScale,
  linear,
  meanCrossEntropy,
  memory,
  parameter,
  Parameter,
  Rng,
  setBackend,
  ShapeError,
  tensor,
  tidy,
  valueAndGrads,
  zeros,
  type Tensor,
} from "@statespace/core";
import { opTable, type NdArrays } from "@statespace/core/backend";
import { crossEntropy } from "@statespace/core/ops";
import { ndarray } from "@statespace/core/math";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { relativeError } from "../opHarness.ts";

beforeAll(() => setBackend(cpuBackend()));

const values = (t: Tensor): number[] => [...t.dataSync()];

describe("Parameter", () => {
  it("keeps its address through assign, outlives scopes, and counts its versions", () => {
    const before = memory().tensors;
    const weight = tidy(() => parameter("w", Float32Array.of(1, 2), [2]));
    const address = weight.value.dataId;
    weight.assign(Float32Array.of(3, 4));
    expect([values(weight.value), weight.value.dataId === address, weight.version]).toEqual([[3, 4], true, 1]);
    tidy(() => weight.replace(tensor([5, 6])));
    expect([values(weight.value), weight.version, weight.size]).toEqual([[5, 6], 2, 2]);
    weight.dispose();
    expect(memory().tensors).toBe(before);
  });
  it("refuses other sizes", () => {
    tidy(() => {
      const weight = new Parameter("w", zeros([2, 3]));
      expect(() => weight.assign(new Float32Array(5))).toThrow(
        new ShapeError("w: values must have 6 elements for [2, 3], got 5"),
      );
      expect(() => weight.replace(zeros([3, 2]))).toThrow(new ShapeError("w: must be [2, 3], got [3, 2]"));
      weight.dispose();
    });
  });
});

describe("AdamW", () => {
  it("20 steps with decay, groups and clipping equal the f64 reference", () => {
    const before = memory().tensors;
    const rng = new Rng(41);
    const params = [
      parameter("w", Float32Array.from(rng.normals(6)), [2, 3]),
      parameter("bias", Float32Array.from(rng.normals(3)), [3], { decay: false }),
      parameter("A", Float32Array.from(rng.normals(4)), [4], { decay: false, learningRate: 1e-4 }),
    ];
    const optimiser = new AdamW(params, { learningRate: 1e-2, weightDecay: 0.1 });
    const reference = params.map(({ value, shape }) => ({
      param: ndarray(shape, value.dataSync()),
      m: ndarray(shape, new Float32Array(value.size)),
      v: ndarray(shape, new Float32Array(value.size)),
    }));
    for (let step = 1; step <= 20; step++) {
      const gradients = params.map(({ size }) => Float32Array.from(rng.normals(size)));
      const rate = 1e-2 / step; // a schedule scales every group alike
      const norm = Math.sqrt(gradients.flatMap((g) => [...g]).reduce((a, b) => a + b * b, 0));
      tidy(() => {
        const grads = gradients.map((g, i) => tensor(g, params[i]!.shape));
        const clip = clipScale(grads, 1);
        expect(Math.abs(values(clip.norm)[0]! - norm)).toBeLessThan(1e-6 * norm);
        optimiser.step(grads, rate, clip.scale);
      });
      reference.forEach((state, i) => {
        const lr = (i === 2 ? 1e-4 / 1e-2 : 1) * rate;
        const hyper = ndarray([8], [lr, 0.9, 0.999, 1e-8, i === 0 ? 0.1 : 0, 1 - 0.9 ** step, 1 - 0.999 ** step, 0]);
        const inputs: NdArrays = {
          ...state,
          grad: ndarray(params[i]!.shape, gradients[i]!),
          hyper,
          gradScale: ndarray([], [Math.min(1, 1 / (norm + 1e-6))]),
        };
        Object.assign(state, opTable["adamW"]!.spec.reference(inputs, {}));
      });
    }
    // Each step rounds the parameter once (2^-24) and its betas in float32 (2^-24 of an update); 20 steps of both.
    params.forEach(({ value }, i) =>
      expect(relativeError(value.dataSync(), reference[i]!.param.data)).toBeLessThan(40 * 2 ** -24),
    );
    expect(params.map(({ version }) => version)).toEqual([20, 20, 20]);
    optimiser.dispose();
    for (const p of params) p.dispose();
    expect(memory().tensors).toBe(before);
  });
  it("goes on from a saved state as if it had not stopped, and refuses one that does not fit", async () => {
    const make = (): Parameter => parameter("w", Float32Array.of(1, -1), [2]);
    const [a, b] = [make(), make()];
    const first = new AdamW([a], { learningRate: 0.1 });
    const gradient = tensor([0.3, -0.7]);
    for (let i = 0; i < 3; i++) first.step([gradient]);
    const saved = await first.save();
    const second = new AdamW([b], { learningRate: 0.1 });
    b.assign(await a.read());
    second.restore(saved);
    for (const optimiser of [first, second]) optimiser.step([gradient]);
    expect(values(b.value)).toEqual(values(a.value));
    expect(() => second.restore({ steps: 1, moments: new Map() })).toThrow(
      new ArgumentError("AdamW: moments of w are missing or of another size"),
    );
    for (const x of [first, second, a, b, gradient]) x.dispose();
  });
  it("leaves parameters without a gradient, or not trainable, as they are", () => {
    const [used, unused, frozen] = [
      parameter("a", Float32Array.of(1), [1]),
      parameter("b", Float32Array.of(1), [1]),
      parameter("c", Float32Array.of(1), [1], { trainable: false }),
    ];
    const optimiser = new AdamW([used, unused, frozen]);
    const gradient = tensor([1]);
    optimiser.step([gradient, null]);
    expect([used, unused, frozen].map(({ value }) => values(value)[0] === 1)).toEqual([false, true, true]);
    expect(() => optimiser.step([gradient])).toThrow(new ArgumentError("AdamW: needs 2 gradients, got 1"));
    for (const x of [optimiser, used, unused, frozen, gradient]) x.dispose();
  });
});

describe("loss", () => {
  it("meanCrossEntropy counts only what is not ignored, and is 0 without gradient where all is", () => {
    tidy(() => {
      const logits = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
      const targets = tensor(Int32Array.of(0, -100, 1));
      const each = values(crossEntropy({ logits, targets }).losses);
      const { value, grads } = valueAndGrads(() => meanCrossEntropy(logits, targets), [logits]);
      expect(values(value)[0]).toBeCloseTo((each[0]! + each[2]!) / 2, 6);
      expect(values(grads[0]!).slice(2, 4)).toEqual([0, 0]);
      const none = valueAndGrads(() => meanCrossEntropy(logits, tensor(Int32Array.of(-100, -100, -100))), [logits]);
      expect([values(none.value), values(none.grads[0]!)]).toEqual([[0], [0, 0, 0, 0, 0, 0]]);
    });
  });
  it("a linear classifier learns a separable set", () => {
    const rng = new Rng(5);
    const xs = Float32Array.from(rng.normals(128));
    const labels = Int32Array.from({ length: 64 }, (_, i) => (xs[2 * i]! + 0.5 * xs[2 * i + 1]! > 0 ? 1 : 0));
    const [x, targets] = [tensor(xs, [64, 2]), tensor(labels)];
    const [weight, bias] = [
      parameter("weight", new Float32Array(4), [2, 2]),
      parameter("bias", new Float32Array(2), [2]),
    ];
    const optimiser = new AdamW([weight, bias], { learningRate: 0.1, weightDecay: 0 });
    const before = memory().tensors;
    const losses = Array.from({ length: 60 }, () =>
      tidy(() => {
        const { value, grads } = valueAndGrads(
          () => meanCrossEntropy(linear({ x, weight: weight.value, bias: bias.value }).y, targets),
          [weight.value, bias.value],
        );
        optimiser.step(grads);
        return values(value)[0]!;
      }),
    );
    expect(memory().tensors).toBe(before);
    expect(losses[0]).toBeCloseTo(Math.LN2, 6);
    // The set is separable, so the loss may fall to 0; a quarter of guessing shows that gradients and steps point the right way.
    expect(losses.at(-1)).toBeLessThan(Math.LN2 / 4);
    for (const t of [x, targets, weight, bias, optimiser]) t.dispose();
  });
});
