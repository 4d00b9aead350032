import { matMul, Rng, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { generalisedBilinear, zeroOrderHold } from "@statespace/core/discretization";
import { makeHippo } from "@statespace/core/hippo";
import { cpuBackend } from "@statespace/backend-cpu";
import { expect, it } from "vitest";
import { discretizeDense, invert } from "../../src/mixers/lssl/discretize.ts";
import { float64Backend } from "../float64Backend.ts";

const valuesOf = (t: Tensor): Float64Array => Float64Array.from(t.dataSync() as ArrayLike<number>);
const offBy = (a: Float64Array, b: Float64Array): number =>
  a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i]!)), 0) / b.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

const steps = [0.001, 0.1];
const rules = [
  ["zoh", 0.5],
  ["gbt", 0.3],
  ["gbt", 1],
  ["gbt", 0],
] as const;
/** float64: the Taylor series of ZOH is cut where float32 ends. float32: 2^-24 times the condition of 1 - alpha delta A, or the ten squarings; both below 1e3 here. */
const bounds = { float64: 1e-8, cpu: 1e-4 } as const;

it.each(["float64", "cpu"] as const)("the device's rules = the core's, on %s", async (backend) => {
  await setBackend(backend === "cpu" ? cpuBackend() : float64Backend());
  for (const measure of ["legs", "legt", "fourier"] as const) {
    const n = 24;
    const { A, B } = makeHippo(measure, n);
    // What float32 keeps of A is the A of both.
    const [a, b] = [A.data.map(Math.fround), B.data.map(Math.fround)];
    A.data.set(a);
    B.data.set(b);
    for (const [discretization, alpha] of rules) {
      const { ABar, BBar } = tidy(() => {
        const twice = (x: Float64Array): Float32Array => Float32Array.from([...x, ...x]);
        return {
          ...discretizeDense(
            { discretization, alpha },
            tensor(twice(a), [2, n, n]),
            tensor(twice(b), [2, n]),
            tensor(Float32Array.from(steps), [2, 1]),
          ),
        };
      });
      steps.forEach((step, i) => {
        const expected = (discretization === "zoh" ? zeroOrderHold : generalisedBilinear(alpha)).dense(
          A,
          B,
          Math.fround(step),
        );
        expect(
          offBy(valuesOf(ABar).slice(i * n * n, (i + 1) * n * n), expected.ABar.data),
          `${measure} ${discretization} ${alpha} ABar at ${step}`,
        ).toBeLessThan(bounds[backend]);
        expect(
          offBy(valuesOf(BBar).slice(i * n, (i + 1) * n), expected.BBar.data),
          `${measure} ${discretization} ${alpha} BBar at ${step}`,
        ).toBeLessThan(bounds[backend]);
      });
    }
  }
});

it.each([1, 2, 7, 16])("an inverse times its matrix is the identity, n = %i", async (n) => {
  await setBackend(float64Backend());
  tidy(() => {
    const rng = new Rng(n);
    // A positive symmetric part, as 1 - alpha delta A has it.
    const M = tensor(
      Float32Array.from(
        { length: 3 * n * n },
        (_, i) => (0.5 * rng.normal()) / Math.sqrt(n) + (Math.floor(i / n) % n === i % n ? 2 : 0),
      ),
      [3, n, n],
    );
    valuesOf(matMul(M, invert(M))).forEach((x, i) =>
      expect(x).toBeCloseTo(Math.floor(i / n) % n === i % n ? 1 : 0, 12),
    );
  });
});
