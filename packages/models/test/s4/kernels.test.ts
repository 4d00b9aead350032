import { FormatError, Rng, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { bilinear } from "@statespace/core/discretization";
import { makeHippoLegS, makeNplr } from "@statespace/core/hippo";
import { complexAt, complexMul, Matrix } from "@statespace/core/math";
import { cpuBackend } from "@statespace/backend-cpu";
import { describe, expect, it } from "vitest";
import {
  dssConfig,
  ParameterBuilder,
  s4Config,
  s4dConfig,
  s4FromStateDict,
  S4Mixer,
  type S4Config,
} from "../../src/index.ts";
import { float64Backend } from "../float64Backend.ts";

const valuesOf = (t: Tensor): Float64Array => Float64Array.from(t.dataSync() as ArrayLike<number>);
const peakOf = (x: Float64Array): number => x.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
const offBy = (a: Float64Array, b: Float64Array): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
const make = (config: S4Config, seed = 3): S4Mixer => new S4Mixer(config, new ParameterBuilder(new Rng(seed)));

/**
 * The filter of the HiPPO-LegS matrix itself, dense, real and in float64: no diagonalisation, no low rank, no generating function.
 * The layer's state is V^* x, so that its C is read back as the real row 2 Re(C V^*).
 */
function denseLegSFilter(mixer: S4Mixer, l: number, rate = 1): Float64Array {
  const n = mixer.config.dState;
  const { A, B } = makeHippoLegS(n);
  const { V } = makeNplr("legs", n);
  const [C, delta] = ["layer.kernel.C", "layer.kernel.inv_dt"].map((name) =>
    valuesOf(mixer.parameters.find((p) => p.name === name)!.value),
  ) as [Float64Array, Float64Array];
  const half = n / 2;
  return delta.reduce(
    (all, log, c) => {
      const row = Matrix.from(n, 1, (i) =>
        Array.from(
          { length: half },
          (_, k) =>
            2 *
            complexMul(complexAt(C, c * half + k), {
              re: V.data[2 * (i * half + k)]!,
              im: -V.data[2 * (i * half + k) + 1]!,
            }).re,
        ).reduce((a, b) => a + b, 0),
      );
      const { ABar, BBar } = bilinear.dense(A, B, rate * Math.exp(log));
      let x = BBar;
      for (let t = 0; t < l; t++) {
        all[c * l + t] = row.dot(x);
        x = ABar.times(x);
      }
      return all;
    },
    new Float64Array(delta.length * l),
  );
}

describe("the Cauchy kernel = the dense filter of the HiPPO matrix, N = 64, L = 1024", () => {
  const config = s4Config(2, { dState: 64 });
  it("in float64", async () => {
    await setBackend(float64Backend());
    const mixer = make(config);
    const K = valuesOf(tidy(() => mixer.kernel.filter(1024)));
    const expected = denseLegSFilter(mixer, 1024);
    // The nodes tan(pi k / l) are a table in float32: 2^-24, times the slope of the resolvent between them.
    expect(offBy(K, expected) / peakOf(expected)).toBeLessThan(1e-5);
  });

  it("in float32, with C attuned to the length and without", async () => {
    await setBackend(cpuBackend());
    for (const kernelLength of [0, 256, 1024]) {
      const mixer = make(config);
      const expected = denseLegSFilter(mixer, 1024);
      const attuned = make({ ...config, kernelLength });
      const K = valuesOf(tidy(() => attuned.kernel.filter(1024)));
      // 1024 powers of ABar in float32, each a rounding of 2^-24, and Woodbury's cancellation (some ten at this start).
      expect(offBy(K, expected) / peakOf(expected)).toBeLessThan(1024 * 2 ** -24);
    }
  });
});

describe("filters by their definitions", () => {
  it("DSS: each state's filter sums to C B / A over its taps, as a softmax sums to 1", async () => {
    await setBackend(float64Backend());
    const l = 24;
    const mixer = make(dssConfig(2, { dState: 6, kernelLength: l }));
    const K = valuesOf(tidy(() => mixer.kernel.filter(l)));
    const [C, re, im] = ["C", "A_real", "A_imag"].map((name) =>
      valuesOf(mixer.parameters.find((p) => p.name.endsWith(`kernel.${name}`))!.value),
    ) as [Float64Array, Float64Array, Float64Array];
    for (let c = 0; c < 2; c++) {
      let expected = 0;
      for (let k = 0; k < 3; k++) {
        const A = { re: -Math.exp(re[c * 3 + k]!), im: -im[c * 3 + k]! };
        expected += (2 * complexMul(complexAt(C, c * 3 + k), { re: A.re, im: -A.im }).re) / (A.re ** 2 + A.im ** 2);
      }
      expect(K.slice(c * l, (c + 1) * l).reduce((a, b) => a + b, 0)).toBeCloseTo(expected, 10);
    }
  });

  it("S4D at twice the rate: one step of twice the size holds what two held", async () => {
    await setBackend(float64Backend());
    const mixer = make(s4dConfig(2, { dState: 8 }));
    const fine = valuesOf(tidy(() => mixer.kernel.filter(32)));
    mixer.rate = 2;
    const coarse = valuesOf(tidy(() => mixer.kernel.filter(16)));
    // ZOH is exact on inputs that are constant over a step: K_t at rate 2 = K_2t + K_2t+1.
    const expected = coarse.map(
      (_, i) => fine[Math.floor(i / 16) * 32 + 2 * (i % 16)]! + fine[Math.floor(i / 16) * 32 + 2 * (i % 16) + 1]!,
    );
    expect(offBy(coarse, expected) / peakOf(expected)).toBeLessThan(1e-11);
  });

  it("S4 at twice the rate: the dense filter with twice the step", async () => {
    await setBackend(float64Backend());
    const mixer = make(s4Config(2, { dState: 8 }));
    mixer.rate = 2;
    const expected = denseLegSFilter(mixer, 33, 2);
    expect(offBy(valuesOf(tidy(() => mixer.kernel.filter(33))), expected) / peakOf(expected)).toBeLessThan(1e-6); // the table of nodes is float32
  });

  it("bidirectional: the second filter looks ahead, the present token excluded", async () => {
    await setBackend(float64Backend());
    const mixer = make(s4dConfig(1, { dState: 4, bidirectional: true, output: "none", activation: "none" }));
    const l = 9;
    const u = Float64Array.from({ length: l }, (_, t) => Math.fround(Math.sin(1 + t)));
    const y = valuesOf(mixer.forward(tensor(Float32Array.from(u), [1, l, 1])).y);
    const K = valuesOf(tidy(() => mixer.kernel.filter(l)));
    const D = valuesOf(mixer.D.value)[0]!;
    const expected = u.map((value, t) => {
      let sum = D * value;
      for (let s = 0; s < l; s++) sum += s <= t ? K[t - s]! * u[s]! : K[l + s - t - 1]! * u[s]!;
      return sum;
    });
    expect(offBy(y, expected)).toBeLessThan(1e-12);
  });
});

describe("official state dicts", () => {
  const dict = async (
    config: S4Config,
  ): Promise<Map<string, { shape: readonly number[]; values: ArrayLike<number> }>> => {
    await setBackend(cpuBackend());
    const { parameters } = make(config);
    return new Map(
      parameters.map(({ name, shape, value }) => [name, { shape, values: value.dataSync() as Float32Array }]),
    );
  };

  it.each([
    s4Config(4, { dState: 6, kernelLength: 32, nSsm: 2, channels: 2, rank: 2, init: "legt" }),
    s4dConfig(3, { dState: 6, bidirectional: true, output: "linear", deltaTie: false }),
    s4dConfig(3, { dState: 6, output: "none" }),
  ])("the config is read off the shapes", async (config) => {
    const weights = await dict(config);
    if (config.mode === "dplr") weights.set("layer.kernel.l_kernel", { shape: [], values: Float32Array.of(32) });
    const loaded = s4FromStateDict(weights);
    expect({ ...loaded.config, init: config.init }).toEqual(config);
    for (const { name, value } of loaded.parameters) expect(value.dataSync()).toEqual(weights.get(name)!.values);
  });

  it("missing, extra and misshapen tensors are told by name", async () => {
    const weights = await dict(s4dConfig(3, { dState: 6 }));
    const without = new Map(weights);
    without.delete("layer.kernel.B");
    expect(() => s4FromStateDict(without)).toThrow(/has no layer\.kernel\.B/);
    expect(() => s4FromStateDict(new Map([...weights, ["input_gate.weight", { shape: [1], values: [1] }]]))).toThrow(
      /does not: input_gate\.weight/,
    );
    expect(() =>
      s4FromStateDict(new Map([...weights, ["layer.kernel.A_imag", { shape: [3, 2], values: new Float32Array(6) }]])),
    ).toThrow(FormatError);
  });
});
