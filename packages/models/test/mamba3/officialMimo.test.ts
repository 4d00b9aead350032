import { readFileSync } from "node:fs";
import { setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { Mamba3Mixer, ParameterBuilder, type Mamba3MixerConfig } from "../../src/index.ts";
import { float64Backend } from "../float64Backend.ts";

interface Case {
  readonly name: string;
  readonly config: Pick<
    Mamba3MixerConfig,
    "dInner" | "dState" | "nHeads" | "headDim" | "nGroups" | "mimoRank" | "nRopeAngles" | "aActivation" | "outProjNorm"
  >;
  readonly weights: Readonly<Record<string, { readonly values: readonly number[] }>>;
  readonly x: { readonly shape: readonly [number, number, number]; readonly values: readonly number[] };
  readonly y: { readonly values: readonly number[] };
}

const cases = JSON.parse(readFileSync(new URL("fixtures/officialMimo.json", import.meta.url), "utf8")) as Case[];

/** Both sides are float64; angles wind up to 2 pi here and there not, which costs a rounding of the angle. */
const BOUND = 1e-12;

/** 1 on the diagonal: the projections pass their input through, so that the mixer is what stands between them. */
function identity(rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0));
}

describe("the Mamba-3 MIMO mixer is the official one", () => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, { config, weights, x, y }) => {
    await setBackend(float64Backend());
    const [b, l, width] = x.shape;
    const full: Mamba3MixerConfig = {
      ...config,
      dModel: width,
      mimo: true,
      chunkSize: 4,
      aFloor: 1e-4,
      timeStepMin: 0.001,
      timeStepMax: 0.1,
      timeStepFloor: 1e-4,
    };
    const mixer = new Mamba3Mixer(full, new ParameterBuilder(undefined));
    const values = new Map<string, Float32Array>(
      Object.entries(weights).map(([name, w]) => [name, Float32Array.from(w.values)]),
    );
    values.set("in_proj.weight", identity(width, width));
    values.set("out_proj.weight", identity(width, config.dInner));
    for (const parameter of mixer.parameters) parameter.assign(values.get(parameter.name)!);
    expect([...values.keys()].sort()).toEqual(mixer.parameters.map(({ name }) => name).sort());

    const rows = (out: Tensor): number[] => {
      const all = Array.from(out.dataSync() as ArrayLike<number>);
      return Array.from({ length: b * l }, (__, token) =>
        all.slice(token * width, token * width + config.dInner),
      ).flat();
    };
    const got = tidy(() => rows(mixer.forward(tensor(Float32Array.from(x.values), [b, l, width])).y));
    const peak = Math.max(...y.values.map(Math.abs));
    expect(got.length).toBe(y.values.length);
    expect(Math.max(...got.map((value, i) => Math.abs(value - y.values[i]!))) / peak).toBeLessThan(BOUND);
    for (const parameter of mixer.parameters) parameter.dispose();
  });
});
