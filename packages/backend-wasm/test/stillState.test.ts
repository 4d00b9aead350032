import { readFloats, selectiveScan, setBackend, tensor, zeros } from "@statespace/core";
import { selectiveScanStep } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { wasmBackend } from "../src/index.ts";

const [d, n] = [5, 18];
const A = Float32Array.from({ length: d * n }, (_, i) => -0.1 - i);
const start = Float32Array.from({ length: d * n }, (_, i) => Math.sin(1 + i));
const some = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.cos(i));

describe.each(["plain", "relaxed"] as const)(
  "%s: steps of delta = 0 leave the state as it is, bit for bit",
  (flavour) => {
    beforeAll(() => setBackend({ ...wasmBackend({ flavour }), name: `still-${flavour}` }));

    it.each([1, 70_000])("in a scan over %i tokens", async (l) => {
      const { lastState } = selectiveScan(
        {
          u: tensor(some(l * d), [1, l, d]),
          delta: zeros([1, l, d]),
          A: tensor(A, [d, n]),
          B: tensor(some(l * n), [1, l, n]),
          C: tensor(some(l * n), [1, l, n]),
          initialState: tensor(start, [1, d, n]),
        },
        { returnLastState: true },
      );
      expect(await readFloats(lastState!)).toEqual(start);
    });

    it("step by step", async () => {
      const state = tensor(start, [1, d, n]);
      const [u, delta, B, C] = [
        tensor(some(d), [1, d]),
        zeros([1, d]),
        tensor(some(n), [1, n]),
        tensor(some(n), [1, n]),
      ];
      for (let t = 0; t < 1000; t++) selectiveScanStep({ state, u, delta, A: tensor(A, [d, n]), B, C }).y.dispose();
      expect(await readFloats(state)).toEqual(start);
    });
  },
);
