import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { OutOfMemoryError, setBackend, zeros, type Tensor } from "@statespace/core";
import { currentBackend, opTable } from "@statespace/core/backend";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

/** Two extents of this size are more together than any memory has, or 32 bits count. */
const LONG = 2 ** 22;
const HUGE = 2 ** 44;

interface Case {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly ints?: readonly string[];
  readonly attrs?: Readonly<Record<string, unknown>>;
}

/** Small arguments whose results are too large for any device. */
const cases: Readonly<Record<string, Case>> = {
  full: { inputs: {}, attrs: { shape: [LONG, LONG], value: 1, dtype: "float32" } },
  add: { inputs: { a: [LONG, 1], b: [1, LONG] } },
  pow: { inputs: { a: [LONG, 1], b: [1, LONG] } },
  greater: { inputs: { a: [LONG, 1], b: [1, LONG] } },
  matMul: { inputs: { a: [1, LONG, 1], b: [1, 1, LONG] } },
  linear: { inputs: { x: [LONG, 1], weight: [LONG, 1] } },
  expertLinear: { inputs: { weight: [1, LONG, 1], x: [LONG, 1], ids: [LONG, 1] }, ints: ["ids"] },
  tile: { inputs: { x: [2] }, attrs: { reps: [HUGE] } },
  pad: { inputs: { x: [2] }, attrs: { paddings: [[0, HUGE]] } },
  oneHot: { inputs: { indices: [LONG] }, ints: ["indices"], attrs: { depth: LONG } },
  gather: { inputs: { x: [2, LONG], indices: [LONG] }, ints: ["indices"], attrs: { axis: 0 } },
  segmentSum: { inputs: { x: [2, 1], ids: [2] }, ints: ["ids"], attrs: { count: HUGE } },
  embedding: { inputs: { weight: [2, LONG], ids: [LONG] }, ints: ["ids"] },
  vandermonde: { inputs: { C: [1, 1, 2], logABar: [1, 1, 2] }, attrs: { seqLen: HUGE } },
  cauchy: { inputs: { v: [LONG, 1, 2], w: [LONG, 1, 2], z: [LONG, 2] } },
};

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it.for(Object.entries(cases))(
      "%s: what cannot fit is an error that names the op, and nothing is kept of it",
      ([name, c]) => {
        const inputs = Object.fromEntries(
          Object.entries(c.inputs).map(([input, shape]): [string, Tensor] => [
            input,
            zeros(shape, { dtype: c.ints?.includes(input) ? "int32" : "float32" }),
          ]),
        );
        const before = currentBackend().memory().tensors;
        let thrown: unknown;
        try {
          opTable[name]!.run(inputs, c.attrs);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(OutOfMemoryError);
        expect((thrown as Error).message).toMatch(new RegExp(`^${name}: .*\\d{9,} bytes`));
        expect(currentBackend().memory().tensors).toBe(before);
        for (const x of Object.values(inputs)) x.dispose();
      },
    );
  });
