import { cpuBackend } from "@statespace/backend-cpu";
import {
  readFloats,
  Rng,
  selectiveScan,
  setBackend,
  sum,
  mul,
  tensor,
  valueAndGrads,
  type Tensor,
} from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { makeTensors, runPass, type Tensors } from "../../src/pages/bytes/compute/kernels.ts";
import { keptBytes, kernelsOf, totalBytes, type Settings } from "../../src/pages/bytes/compute/ledger.ts";

const sizes = { l: 150, d: 3, n: 4 }; // two chunks and a part of one
const ways: readonly Omit<Settings, "l" | "d" | "n">[] = [
  { fused: false, training: true, recompute: false },
  { fused: false, training: true, recompute: true },
  { fused: true, training: true, recompute: false },
  { fused: true, training: true, recompute: true },
];

function run(way: Omit<Settings, "l" | "d" | "n">): Tensors {
  const rng = new Rng(7);
  const settings = { ...sizes, ...way };
  const tensors = makeTensors(settings, () => rng.uniform());
  // the same inputs for all, whatever else a way needs room for
  const own = new Rng(9);
  for (const name of ["u", "delta", "B", "C", "dy"] as const)
    tensors[name].forEach(
      (_, i, all) => (all[i] = name === "delta" ? 0.01 + 0.09 * own.uniform() : 2 * own.uniform() - 1),
    );
  runPass(settings, tensors);
  return tensors;
}

/** [d, l] as [1, l, d]. */
const turned = (x: Float32Array): Float32Array =>
  x.map((_, i) => x[(i % sizes.d) * sizes.l + Math.floor(i / sizes.d)]!);

describe("the kernels that are timed", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it.each(ways)("%o compute the library's scan and its gradients", async (way) => {
    const told = run(way);
    const { l, d, n } = sizes;
    const inputs = [
      tensor(turned(told.u), [1, l, d]),
      tensor(turned(told.delta), [1, l, d]),
      tensor(told.A, [d, n]),
      tensor(told.B, [1, l, n]),
      tensor(told.C, [1, l, n]),
    ];
    const upstream = tensor(turned(told.dy), [1, l, d]);
    const scan = (): Tensor => {
      const [u, delta, A, B, C] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
      return selectiveScan({ u, delta, A, B, C }).y;
    };
    const near = (actual: ArrayLike<number>, expected: ArrayLike<number>): void => {
      const scale = Math.max(...Array.from(expected, Math.abs));
      for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(2e-5 * scale);
    };
    near(turned(told.y), await readFloats(scan()));
    const { grads } = valueAndGrads(() => sum(mul(scan(), upstream)), inputs);
    const [du, ddelta, dA, dB, dC] = await Promise.all(grads.map((grad) => readFloats(grad!)));
    near(turned(told.du), du!);
    near(turned(told.ddelta), ddelta!);
    near(told.dA, dA!);
    near(told.dB, dB!);
    near(told.dC, dC!);
  });

  it("need no tensor that their ledger does not name", () => {
    for (const way of ways) {
      const named = new Set<string>(["dy", ...kernelsOf(way).flatMap(({ reads, writes }) => [...reads, ...writes])]);
      expect(new Set(Object.keys(run(way)))).toEqual(named);
    }
  });
});

describe("the ledger", () => {
  const [l, d, n] = [1024, 64, 16];
  const total = (fused: boolean, training: boolean, recompute: boolean): number =>
    totalBytes({ l, d, n, fused, training, recompute }) / 4;
  const large = l * d * n;

  it("counts every parcel", () => {
    expect(total(false, false, false)).toBe(6 * large + 3 * l * d + 2 * l * n + d * n);
    expect(total(true, false, false)).toBe(3 * l * d + 2 * l * n + d * n);
    expect(total(true, true, false) - total(true, true, true)).toBe(2 * large - (2 * large) / 64);
  });

  it("keeps for the way back what no kernel makes again", () => {
    const kept = (fused: boolean, recompute: boolean): number =>
      keptBytes({ l, d, n, fused, training: true, recompute }) / 4;
    expect([kept(false, false), kept(false, true), kept(true, false), kept(true, true)]).toEqual([
      2 * large,
      0,
      large,
      large / 64,
    ]);
  });
});
