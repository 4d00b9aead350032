import { setBackend, sum, mul, tensor, tidy, valueAndGrads, Rng, type Tensor } from "@statespace/core";
import { expect, it } from "vitest";
import { LsslMixer, lsslConfig, ParameterBuilder, type LsslConfig } from "../../src/index.ts";
import { float64Backend } from "../float64Backend.ts";
import { describeMixerLaws } from "../laws.ts";

const small = { dState: 4, deltaMin: 0.01 } as const;
const law = { dModel: 2 } as const;

function laws(name: string, config: LsslConfig): void {
  describeMixerLaws(`${name}, convolutional`, (build) => new LsslMixer({ ...config, mode: "convolutional" }, build), {
    ...law,
    unpacked: true,
  });
  describeMixerLaws(`${name}, recurrent`, (build) => new LsslMixer({ ...config, mode: "recurrent" }, build), law);
}

laws("LSSL", lsslConfig(2, small));
laws(
  "LSSL, ZOH, LegT, two outputs a channel",
  lsslConfig(2, { ...small, measure: "legt", discretization: "zoh", channels: 2 }),
);
laws(
  "LSSL, generalised bilinear, an odd state",
  lsslConfig(2, { ...small, dState: 5, discretization: "gbt", alpha: 0.8, output: "none" }),
);
laws("LSSL, forward Euler", lsslConfig(2, { ...small, dState: 3, discretization: "gbt", alpha: 0, output: "linear" }));

/** Both are float64; they differ in the order of the same sums, over 40 tokens. */
const EXACT = 1e-11;

it.each(["bilinear", "zoh"] as const)(
  "the recurrence is its convolution, gradients included (%s)",
  async (discretization) => {
    await setBackend(float64Backend());
    tidy(() => {
      const rng = new Rng(4);
      const mixer = new LsslMixer(lsslConfig(3, { dState: 8, discretization }), new ParameterBuilder(rng));
      const u = tensor(
        Float32Array.from({ length: 2 * 40 * 3 }, () => rng.normal()),
        [2, 40, 3],
      );
      const weights = tensor(
        Float32Array.from({ length: 2 * 40 * 3 }, () => rng.normal()),
        [2, 40, 3],
      );
      const run = (mode: "recurrent" | "convolutional"): Tensor[] => {
        mixer.mode = mode;
        const { value, grads } = valueAndGrads(
          () => sum(mul(mixer.forward(u).y, weights)),
          [u, ...mixer.parameters.map((p) => p.value)],
        );
        return [mixer.forward(u).y, value, ...grads.map((grad) => grad!)];
      };
      const [recurrent, convolutional] = [run("recurrent"), run("convolutional")];
      recurrent.forEach((x, i) => {
        const [a, b] = [x, convolutional[i]!].map((t) => Float64Array.from(t.dataSync() as ArrayLike<number>)) as [
          Float64Array,
          Float64Array,
        ];
        const peak = a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        expect(peak).toBeGreaterThan(0);
        expect(a.reduce((max, value, k) => Math.max(max, Math.abs(value - b[k]!)), 0) / peak).toBeLessThan(EXACT);
      });
    });
  },
);
