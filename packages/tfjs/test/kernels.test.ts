import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, stopBackend } from "@statespace/core";
import { startBackend } from "@statespace/core/backend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerTfBackend } from "../src/index.ts";
import { distance, tf, valuesOf } from "./tf.ts";

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
interface Case {
  readonly name: string;
  readonly inputs: readonly (() => tf.Tensor)[];
  readonly run: Run;
  /** Gradients of the sum of squares are compared too. */
  readonly gradient: boolean;
}

let seed = 1;
const noise = (size: number, low = -2, high = 2): Float32Array =>
  Float32Array.from({ length: size }, () => low + (high - low) * ((seed = (seed * 16807) % 2147483647) / 2147483647));
/** Values are drawn once, so that every backend gets the same. */
const floats = (shape: number[], low?: number, high?: number): (() => tf.Tensor) => {
  const values = noise(
    shape.reduce((a, b) => a * b, 1),
    low,
    high,
  );
  return () => tf.tensor(values, shape);
};
const ints = (shape: number[], low: number, high: number): (() => tf.Tensor) => {
  const values = Int32Array.from(
    noise(
      shape.reduce((a, b) => a * b, 1),
      low,
      high,
    ),
    Math.floor,
  );
  return () => tf.tensor(values, shape, "int32");
};
const bools = (shape: number[]): (() => tf.Tensor) => {
  const values = Array.from(noise(shape.reduce((a, b) => a * b, 1)), (x) => x > 0);
  return () => tf.tensor(values, shape, "bool");
};

const cases: Case[] = [];
const check = (name: string, inputs: Case["inputs"], run: Run): void =>
  void cases.push({ name, inputs, run, gradient: true });
const forward = (name: string, inputs: Case["inputs"], run: Run): void =>
  void cases.push({ name, inputs, run, gradient: false });

const x = floats([3, 4]);
const pattern = Array.from({ length: 12 }, (_, i) => i % 3 === 0);
const positive = floats([3, 4], 0.1, 3);
for (const name of [
  "neg",
  "abs",
  "exp",
  "expm1",
  "sigmoid",
  "tanh",
  "softplus",
  "relu",
  "relu6",
  "elu",
  "selu",
  "square",
  "sin",
  "cos",
  "tan",
  "erf",
  "reciprocal",
] as const)
  check(name, [name === "tan" ? floats([3, 4], -1, 1) : x], (t) => tf[name](t!));
for (const name of ["log", "log1p", "sqrt", "rsqrt"] as const) check(name, [positive], (t) => tf[name](t!));
for (const name of ["floor", "ceil", "round", "sign", "zerosLike", "onesLike"] as const)
  forward(name, [x], (t) => tf[name](t!));
check("leakyRelu", [x], (t) => tf.leakyRelu(t!, 0.3));
check("prelu", [x, floats([4], 0.1, 0.5)], (t, alpha) => tf.prelu(t!, alpha!));
check("step", [x], (t) => tf.step(t!, 0.25));
check("clipByValue", [x], (t) => tf.clipByValue(t!, -0.5, 0.7));
for (const name of ["add", "sub", "mul", "maximum", "minimum", "squaredDifference"] as const) {
  check(name, [x, floats([3, 4])], (a, b) => tf[name](a!, b!));
  // The gradients of the last three do not undo a broadcast in tfjs.
  const known = name === "add" || name === "sub" || name === "mul";
  (known ? check : forward)(`${name} broadcast`, [x, floats([3, 1])], (a, b) => tf[name](a!, b!));
  forward(`${name} int32`, [ints([5], -9, 9), ints([5], -9, 9)], (a, b) => tf[name](a!, b!));
}
check("div", [x, positive], (a, b) => tf.div(a!, b!));
check("div of a number", [positive], (a) => tf.div(1, a!));
check("pow", [positive, floats([4], -1, 2)], (a, b) => tf.pow(a!, b!));
forward("pow int32", [ints([6], 1, 5), ints([6], 0, 4)], (a, b) => tf.pow(a!, b!));
forward("floorDiv", [ints([8], -20, 20), ints([8], 1, 6)], (a, b) => tf.floorDiv(a!, b!));
forward("mod", [ints([8], -20, 20), ints([8], 1, 6)], (a, b) => tf.mod(a!, b!));
for (const name of ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"] as const) {
  forward(name, [ints([3, 4], 0, 3), ints([4], 0, 3)], (a, b) => tf[name](a!, b!));
  forward(`${name} of floats`, [x, x], (a, b) => tf[name](a!, b!));
}
forward("equal of bools", [bools([6]), bools([6])], (a, b) => tf.equal(a!, b!));
forward("logicalAnd", [bools([6]), bools([6])], (a, b) => tf.logicalAnd(a!, b!));
forward("logicalOr", [bools([6]), bools([6])], (a, b) => tf.logicalOr(a!, b!));
forward("logicalNot", [bools([6])], (a) => tf.logicalNot(a!));
check("where", [x, floats([3, 4])], (a, b) => tf.where(tf.tensor2d(pattern, [3, 4], "bool"), a!, b!));
check("addN", [x, floats([3, 4]), floats([3, 4])], (...all) => tf.addN(all));

const { fill: filled } = tf;
const cube = floats([2, 3, 4]);
for (const name of ["sum", "mean", "max", "min"] as const)
  for (const [axis, keep] of [
    [undefined, false],
    [0, true],
    [[0, 2], false],
    [-1, true],
  ] as const)
    check(`${name} ${JSON.stringify(axis)} ${keep}`, [cube], (t) => tf[name](t!, axis as number[] | undefined, keep));
forward("sum of int32", [ints([3, 4], -9, 9)], (t) => tf.sum(t!, 1));
forward("sum of bool", [bools([3, 4])], (t) => tf.sum(t!, 1));
forward("max of int32", [ints([3, 4], -9, 9)], (t) => tf.max(t!, 1));
forward("mean of int32", [ints([3, 4], -9, 9)], (t) => tf.mean(t!, 1));
forward("any", [bools([3, 4])], (t) => tf.any(t!, 1));
forward("all", [bools([3, 4])], (t) => tf.all(t!, 1));
forward("argMax", [cube], (t) => tf.argMax(t!, 1));
forward("argMin", [cube], (t) => tf.argMin(t!, -1));
check("softmax", [x], (t) => tf.softmax(t!));
check("logSoftmax", [x], (t) => tf.logSoftmax(t!));
check("logSumExp", [cube], (t) => tf.logSumExp(t!, 1));
check("cumsum", [cube], (t) => tf.cumsum(t!, 2));
forward("cumsum along 1", [cube], (t) => tf.cumsum(t!, 1)); // its gradient turns the axes the wrong way in tfjs
check("cumsum reversed", [x], (t) => tf.cumsum(t!, 1, true, true));
check("norm", [cube], (t) => tf.norm(t!, "euclidean", 1));

check(
  "batchNorm",
  [x, floats([4]), floats([4], 0.2, 2), floats([4]), floats([4])],
  (t, mean, variance, offset, scale) =>
    tf.batchNorm(t!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3),
);

const [left, right] = [floats([3, 5]), floats([5, 2])];
check("matMul", [left, right], (a, b) => tf.matMul(a!, b!));
check("matMul transposed", [floats([5, 3]), floats([2, 5])], (a, b) => tf.matMul(a!, b!, true, true));
check("matMul batched", [floats([4, 3, 5]), floats([4, 5, 2])], (a, b) => tf.matMul(a!, b!));
forward("matMul broadcast", [floats([4, 3, 5]), floats([1, 5, 2])], (a, b) => tf.matMul(a!, b!));
check("dot", [floats([5]), floats([5])], (a, b) => tf.dot(a!, b!));
for (const activation of ["linear", "relu", "relu6", "elu", "sigmoid"] as const)
  forward(`fused matMul ${activation}`, [left, right, floats([2])], (a, b, bias) =>
    tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation }),
  );

check("reshape", [cube], (t) => tf.reshape(t!, [6, -1]));
check("transpose", [cube], (t) => tf.transpose(t!, [2, 0, 1]));
check("expandDims", [x], (t) => tf.expandDims(t!, 1));
check("squeeze", [floats([3, 1, 4])], (t) => tf.squeeze(t!));
check("broadcastTo", [floats([3, 1])], (t) => tf.broadcastTo(t!, [2, 3, 4]));
check("tile", [x], (t) => tf.tile(t!, [2, 3]));
check("pad", [x], (t) =>
  tf.pad(
    t!,
    [
      [1, 0],
      [0, 2],
    ],
    0.5,
  ),
);
check("slice", [cube], (t) => tf.slice(t!, [0, 1, 1], [2, -1, 2]));
forward("stridedSlice", [cube], (t) => tf.stridedSlice(t!, [0, 2, 3], [2, 0, 0], [1, -1, -2]));
check("concat", [x, floats([2, 4])], (a, b) => tf.concat([a!, b!], 0));
forward("concat with an empty one", [x], (a) => tf.concat([a!, tf.zeros([0, 4])], 0));
check("stack", [x, floats([3, 4])], (a, b) => tf.stack([a!, b!], 1));
check("unstack", [cube], (t) => tf.unstack(t!, 1));
forward("unstack to one", [floats([1, 3])], (t) => tf.unstack(t!));
check("split", [cube], (t) => tf.split(t!, [1, 3], 2));
check("reverse", [cube], (t) => tf.reverse(t!, [0, 2]));
check("gather", [x], (t) => tf.gather(t!, tf.tensor1d([2, 0, 2], "int32")));
check("gather along 1", [x], (t) =>
  tf.gather(
    t!,
    tf.tensor2d(
      [
        [1, 3],
        [0, 1],
      ],
      [2, 2],
      "int32",
    ),
    1,
  ),
);
check("unsortedSegmentSum", [x], (t) => tf.unsortedSegmentSum(t!, tf.tensor1d([1, 0, 1], "int32"), 3));
forward("oneHot", [ints([5], 0, 3)], (t) => tf.oneHot(t as tf.Tensor1D, 3, 2, -1));
forward("cast", [x], (t) => [tf.cast(t!, "int32"), tf.cast(t!, "bool")]);
forward("values from nothing", [], () => [filled([2, 2], 3), tf.range(5, 0, -2), tf.range(0, 3, 1, "int32")]);
check("clone", [x], (t) => tf.mul(tf.clone(t!), t!));
check("losses", [floats([4, 3], 0.05, 0.95), floats([4, 3], 0.05, 0.95)], (a, b) => [
  tf.losses.softmaxCrossEntropy(tf.softmax(a!), b!),
  tf.losses.meanSquaredError(a!, b!),
  tf.losses.logLoss(tf.clipByValue(a!, 0, 1), b!),
]);

const list = (result: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(result) ? result : [result]);

interface Outcome {
  readonly shapes: readonly (readonly number[])[];
  readonly dtypes: readonly string[];
  readonly values: readonly (readonly number[])[];
  readonly grads: readonly (readonly number[])[];
}

function outcomeOf({ inputs, run, gradient }: Case): Outcome {
  return tf.tidy(() => {
    const made = inputs.map((make) => make());
    const outputs = list(run(...made));
    const loss = (...all: tf.Tensor[]): tf.Tensor =>
      list(run(...all))
        .map((y) => tf.sum(tf.square(y)))
        .reduce((a, b) => tf.add(a, b));
    return {
      shapes: outputs.map(({ shape }) => [...shape]),
      dtypes: outputs.map(({ dtype }) => dtype),
      values: outputs.map(valuesOf),
      grads: gradient ? tf.grads(loss)(made).map(valuesOf) : [],
    };
  });
}

const backends = [cpuBackend(), wasmBackend({ threads: 2 })];
beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterAll(async () => {
  await tf.setBackend("cpu");
  for (const backend of backends) stopBackend(backend);
});

describe.each(backends)("kernels of tfjs on $name", (definition) => {
  it.each(cases)("$name", async (one) => {
    await tf.setBackend("cpu");
    const want = outcomeOf(one);
    await tf.setBackend(registerTfBackend(definition));
    const before = [tf.memory().numTensors, memory(), (await startBackend(definition.name)).memory()];
    const got = outcomeOf(one);
    expect([got.shapes, got.dtypes]).toEqual([want.shapes, want.dtypes]);
    // Both compute in float32, in another order: a few dozen roundings of 2^-24, of the largest value.
    got.values.forEach((values, i) => expect(distance(values, want.values[i]!), `output ${i}`).toBeLessThan(4e-6));
    got.grads.forEach((values, i) => expect(distance(values, want.grads[i]!), `gradient ${i}`).toBeLessThan(1e-5));
    expect([tf.memory().numTensors, memory(), (await startBackend(definition.name)).memory()]).toEqual(before);
  });
});

it("what does not exist here, nor in tfjs's cpu backend, is told by tfjs, by its kernel's name", async () => {
  await tf.setBackend(registerTfBackend(cpuBackend()));
  expect(() => tf.tidy(() => tf.engine().runKernel("NoSuchKernel", { x: tf.ones([2]) }))).toThrow(/NoSuchKernel/);
});
