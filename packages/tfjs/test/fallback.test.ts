import { wasmBackend } from "@statespace/backend-wasm";
import { selectiveScan, stopBackend } from "@statespace/core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { registerTfBackend, tfOp } from "../src/index.ts";
import { distance, tf, valuesOf } from "./tf.ts";

// A program of tfjs that was there before goes on after `tf.setBackend` of one of ours.
const old = tf.tensor2d([3, 1, 2, 9, 7, 8], [2, 3]);
const image = tf.tensor4d(
  Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)),
  [1, 4, 4, 3],
);
const filter = tf.tensor4d(
  Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)),
  [2, 2, 3, 2],
);

const programs: Readonly<Record<string, () => tf.Tensor>> = {
  "topk's values": () => tf.topk(old, 2).values,
  "topk's indices, and a kernel of ours after it": () => tf.mul(tf.topk(old, 2).indices, 10),
  "a convolution": () => tf.conv2d(image, filter, 1, "same"),
  "the gradient of a convolution": () =>
    tf.grad((x) => tf.square(tf.conv2d(x as tf.Tensor4D, filter, 1, "same")))(image),
  "a mean over windows, and its gradient": () =>
    tf.grad((x) => tf.square(tf.avgPool(x as tf.Tensor4D, 2, 2, "valid")))(image),
  einsum: () => tf.einsum("ij,kj->ik", old, old),
  unique: () => tf.unique(tf.tensor1d([1, 1, 2, 4, 4])).values,
  "complex numbers": () => tf.abs(tf.spectral.fft(tf.complex(tf.tensor1d([1, 2, 3, 4]), tf.zeros([4])))),
  scatter: () => tf.scatterND(tf.tensor2d([[1], [3]], [2, 1], "int32"), tf.tensor1d([5, 6]), [5]),
  "old tensors": () => tf.add(old, 1),
};
const want: Record<string, number[]> = {};

beforeAll(async () => {
  await tf.setBackend("cpu");
  for (const [name, run] of Object.entries(programs)) want[name] = valuesOf(tf.tidy(run));
});
afterAll(async () => {
  await tf.setBackend("cpu");
  stopBackend("wasm");
});

it("kernels that ours lack are those of tfjs's cpu backend, each told once; nothing is left behind", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await tf.setBackend(registerTfBackend(wasmBackend({ threads: 1 })));
  for (const [name, run] of Object.entries(programs)) {
    tf.tidy(() => void run());
    const before = [tf.memory().numTensors, tf.memory().numDataBuffers];
    const got = tf.tidy(() => valuesOf(run()));
    expect(distance(got, want[name]!), name).toBeLessThan(1e-5);
    expect([tf.memory().numTensors, tf.memory().numDataBuffers], name).toEqual(before);
  }
  const told = warn.mock.calls.map(([text]) => String(text));
  expect(told.filter((text) => /no kernel TopK for/.test(text))).toHaveLength(1);
  expect(new Set(told).size).toBe(told.length);
  warn.mockRestore();
});

it("a backend that was removed may come again, without a word", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const name = registerTfBackend(wasmBackend({ threads: 1 }));
  await tf.setBackend(name);
  const x = tf.tensor1d([1, 4]);
  expect(valuesOf(tf.sqrt(x))).toEqual([1, 2]);
  await tf.setBackend("cpu");
  x.dispose();
  tf.removeBackend(name);
  await tf.setBackend(registerTfBackend(wasmBackend({ threads: 1 })));
  expect(valuesOf(tf.tidy(() => tf.sqrt(tf.tensor1d([9, 16]))))).toEqual([3, 4]);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

it("the gradient of a scan while tfjs is on its own backend, with no default of ours", async () => {
  await tf.setBackend(registerTfBackend(wasmBackend({ threads: 1 })));
  await tf.setBackend("cpu");
  const scan = tfOp(selectiveScan);
  const du = tf.tidy(() =>
    valuesOf(
      tf.grad((u) =>
        tf.sum(
          scan({
            u,
            delta: tf.ones([1, 2, 1]),
            A: tf.zeros([1, 1]),
            B: tf.ones([1, 2, 1]),
            C: tf.ones([1, 2, 1]),
          }).y!,
        ),
      )(tf.ones([1, 2, 1])),
    ),
  );
  expect(du).toEqual([2, 1]);
});
