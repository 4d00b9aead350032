import { describe, expect, it } from "vitest";
import { Rng, ShapeError } from "@statespace/core";
import { backwardEuler, bilinear, forwardEuler, zeroOrderHold } from "@statespace/core/discretization";
import { makeHippoLegS } from "@statespace/core/hippo";
import { Matrix } from "@statespace/core/math";
import { ContinuousSsm, DiscreteSsm } from "@statespace/core/ssm";

const EPS = 2 ** -52;

/** Random with its spectrum pushed left of -0.2 (Gershgorin): stable whatever the draw. */
function randomStableSsm(rng: Rng, n: number, m: number, p: number): ContinuousSsm {
  const random = (rows: number, cols: number): Matrix => new Matrix(rows, cols, rng.normals(rows * cols));
  const A = random(n, n).scaled(1 / Math.sqrt(n));
  for (let i = 0; i < n; i++) {
    let radius = 0;
    for (let j = 0; j < n; j++) if (j !== i) radius += Math.abs(A.at(i, j));
    A.data[i * n + i] = -0.2 - radius - Math.abs(A.at(i, i));
  }
  return new ContinuousSsm(A, random(n, m), random(p, n), random(p, m));
}

function randomInputs(rng: Rng, l: number, m: number): Float64Array[] {
  return Array.from({ length: l }, () => rng.normals(m));
}

function worst(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((max, row, t) => row.reduce((inner, x, i) => Math.max(inner, Math.abs(x - b[t][i])), max), 0);
}

function largest(rows: readonly Float64Array[]): number {
  return rows.reduce((max, row) => row.reduce((inner, x) => Math.max(inner, Math.abs(x)), max), 0);
}

const shapes = [
  [1, 1, 1, 1],
  [4, 1, 1, 50],
  [6, 3, 2, 37],
  [16, 2, 1, 101],
] as const;

describe.each(shapes)("n = %i, m = %i, p = %i, l = %i", (n, m, p, l) => {
  const rng = new Rng(n * 100 + l);
  const ssm = randomStableSsm(rng, n, m, p);
  const inputs = randomInputs(rng, l, m);
  const start = rng.normals(n);
  const delta = 0.1;

  it("continuous simulation = recurrence under zero-order hold", () => {
    const simulated = ssm.simulate(inputs, delta, { substeps: 64, initialState: start });
    const scanned = ssm.discretize(zeroOrderHold, delta).scan(inputs, start);
    // RK4: (|A| h)^4 / 120 of the derivative's integral, h = delta / 64
    const bound = ((ssm.A.norm1() * delta) / 64) ** 4 * Math.max(largest(scanned.outputs), 1) * (1 + delta * l) + 1e-12;
    expect(worst(simulated.outputs, scanned.outputs)).toBeLessThan(bound);
    expect(worst([simulated.finalState], [scanned.finalState])).toBeLessThan(bound);
  });

  it.each([zeroOrderHold, bilinear, backwardEuler, forwardEuler].map((rule) => [rule.name, rule] as const))(
    "recurrence = convolution, direct and by FFT, under %s",
    (_, rule) => {
      const discrete = ssm.discretize(rule, delta);
      const scanned = discrete.scan(inputs, start).outputs;
      const bound = 16 * EPS * (n + l) * Math.max(largest(scanned), 1); // sums of l + n terms of the outputs' size
      expect(worst(discrete.convolve(inputs, { method: "direct", initialState: start }), scanned)).toBeLessThan(bound);
      expect(worst(discrete.convolve(inputs, { method: "fft", initialState: start }), scanned)).toBeLessThan(bound);
    },
  );

  it("any split with carried state = the whole, bit for bit", () => {
    const discrete = ssm.discretize(zeroOrderHold, delta);
    const whole = discrete.scan(inputs, start);
    for (const cut of [0, 1, l >> 1, l - 1, l]) {
      const head = discrete.scan(inputs.slice(0, cut), start);
      const tail = discrete.scan(inputs.slice(cut), head.finalState);
      expect([...head.outputs, ...tail.outputs]).toEqual(whole.outputs);
      expect(tail.finalState).toEqual(whole.finalState);
    }
  });

  it("step by step = the whole sequence", () => {
    const discrete = ssm.discretize(bilinear, delta);
    let state: Float64Array = start;
    const outputs = inputs.map((u) => {
      const stepped = discrete.step(state, u);
      state = stepped.state;
      return stepped.output;
    });
    expect(outputs).toEqual(discrete.scan(inputs, start).outputs);
  });

  it("is stable, and stays so under zero-order hold and the bilinear rule", () => {
    expect(ssm.isStable()).toBe(true);
    expect(ssm.discretize(zeroOrderHold, delta).isStable()).toBe(true);
    expect(ssm.discretize(bilinear, 100).isStable()).toBe(true);
  });
});

describe("a known system", () => {
  it("the filter is C B, C A B, C A^2 B", () => {
    const ssm = new DiscreteSsm(
      Matrix.of([
        [0, 1],
        [-2, 3],
      ]),
      Matrix.of([[1], [1]]),
      Matrix.of([[1, 2]]),
    );
    expect(ssm.ssmFilter(4).map((K) => K.at(0, 0))).toEqual([3, 3, 3, 3]); // (1, 1) is an eigenvector to 1
  });

  it("a leaky integrator settles at B / a", () => {
    const ssm = new ContinuousSsm(Matrix.of([[-2]]), Matrix.of([[3]]), Matrix.of([[1]]));
    const { outputs } = ssm.discretize(zeroOrderHold, 0.5).scan(Array.from({ length: 60 }, () => Float64Array.of(1)));
    expect(outputs[59][0]).toBeCloseTo(1.5, 14);
    expect(outputs[0][0]).toBeCloseTo(1.5 * (1 - Math.exp(-1)), 14);
  });

  it("forward Euler loses the stability of LegS at a coarse step, bilinear keeps it", () => {
    const { A, B } = makeHippoLegS(16);
    const ssm = new ContinuousSsm(A, B, new Matrix(1, 16));
    expect(ssm.isStable()).toBe(true);
    expect(ssm.discretize(forwardEuler, 0.2).isStable()).toBe(false);
    expect(ssm.discretize(bilinear, 0.2).isStable()).toBe(true);
  });

  it("names the matrix or sequence that does not fit", () => {
    const I = Matrix.identity(2);
    expect(() => new ContinuousSsm(I, new Matrix(3, 1), new Matrix(1, 2))).toThrow(
      "ContinuousSsm: B must be [n, m] = [2, m], got [3, 1]",
    );
    expect(() => new ContinuousSsm(I, new Matrix(2, 1), new Matrix(1, 2), new Matrix(2, 2))).toThrow(/D must be/);
    expect(() => new DiscreteSsm(I, new Matrix(2, 1), new Matrix(1, 3))).toThrow(ShapeError);
    const ssm = new ContinuousSsm(I, new Matrix(2, 1), new Matrix(1, 2)).discretize(bilinear, 0.1);
    expect(() => ssm.scan([Float64Array.of(1, 2)])).toThrow(ShapeError);
    expect(() => ssm.scan([Float64Array.of(1)], new Float64Array(3))).toThrow(/initialState must be \[n\] = \[2\]/);
  });
});
