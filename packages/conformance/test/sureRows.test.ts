import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { readFloats, setBackend, sum, tensor, valueAndGrads } from "@statespace/core";
import { crossEntropy } from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";
import { minimalBackend } from "./minimal/definition.ts";

/** Units of 2^-24 that a loss and a gradient may be off, of their own value: exponentials of differences up to 80. */
const UNITS = 128;

/** A row whose class 2 is so far ahead of the rest, of which one is ruled out. */
const row = (gap: number, v: number): number[] =>
  Array.from({ length: v }, (_, c) => (c === 2 ? 3 : c === 4 ? Number.NEGATIVE_INFINITY : 3 - gap - (c % 3) / 4));

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend(), minimalBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it.each([5, 300])(
      "a row that is sure of its target keeps the digits of its loss and gradient, %i classes",
      async (v) => {
        const gaps = [0, 1, 9, 17, 30, 60, 80];
        const logits = tensor(
          gaps.flatMap((gap) => row(gap, v)),
          [gaps.length, v],
        );
        const targets = tensor(new Int32Array(gaps.length).fill(2), [gaps.length]);
        const losses = await readFloats(crossEntropy({ logits, targets }).losses);
        const { grads } = valueAndGrads(() => sum(crossEntropy({ logits, targets }).losses), [logits]);
        const slopes = await readFloats(grads[0]!);
        gaps.forEach((gap, i) => {
          const shares = Float32Array.from(row(gap, v)).map((x) => x - 3);
          const others = shares.reduce((total, x, c) => (c === 2 ? total : total + Math.exp(x)), 0);
          const near = (actual: number, expected: number): void =>
            expect(Math.abs(actual - expected) / expected).toBeLessThan(UNITS * 2 ** -24);
          near(losses[i]!, Math.log1p(others));
          near(-slopes[i * v + 2]!, others / (1 + others));
          near(slopes[i * v]!, Math.exp(shares[0]!) / (1 + others));
        });
      },
    );
  });
