import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend } from "@statespace/core";
import { opTable } from "@statespace/core/backend";
import { describe, expect, it } from "vitest";
import { directionsOf, generatedCases, makeCase, recipes } from "../src/generated/cases.ts";
import { runGenerated, type GeneratedRow } from "../src/generated/run.ts";
import { generatedTable } from "../src/generated/table.ts";
import { describeOn } from "../src/harness/describeOn.ts";

/** The fixed cases of every run of the tests; `pnpm conformance --generated` draws others. */
const SEED = 20_261_127;
const COUNT = 1500;
/** On a card made of software each op compiles its shaders first. */
const COUNT_EMULATED = 120;

/** A state that is the product of 128 decays, a bias whose gradient cancels, and NaN where a decay is 0 or exp2 makes a number of it. */
const FAILED_ONCE = [
  ["selectiveScan", 290_215_878_830],
  ["selectiveScan", 290_311_873_473],
  ["linear", 290_211_872_623],
  ["ssdScanStep", 290_114_876_998],
  ["selectiveScanStep", 2_811_008_585],
] as const;

const faultsOf = (rows: readonly GeneratedRow[]): unknown[] =>
  rows.flatMap(({ op, direction, faults }) => faults.map((fault) => ({ op, direction, ...fault })));

describe("generated cases", () => {
  it("are there for every op", () => expect(Object.keys(recipes).sort()).toEqual(Object.keys(opTable).sort()));

  it("are made again by their seed", () => {
    for (const { c, seed } of generatedCases(7, 100)) {
      const again = makeCase(c.op.spec.name, seed);
      expect(again.name).toBe(c.name);
      expect(again.make(undefined as never)).toEqual(c.make(undefined as never));
    }
  });

  it("are of every op, forward and where it has one gradient, with extents of 0 among them", () => {
    const cases = [...generatedCases(SEED, COUNT)];
    expect(cases.length).toBe(COUNT);
    for (const { spec } of Object.values(opTable)) {
      const own = cases.filter(({ c }) => c.op.spec === spec);
      expect([spec.name, own.length > 0]).toEqual([spec.name, true]);
      expect([spec.name, own.some(({ direction }) => direction === "gradient")]).toEqual([
        spec.name,
        spec.differentiable.length > 0,
      ]);
    }
    expect(cases.filter(({ c }) => / 0[,\]]|\[0[,\]]/.test(c.name)).length).toBeGreaterThan(COUNT / 10);
  });

  it("make a table", () => {
    const row = {
      op: "exp",
      backend: "cpu",
      direction: "forward",
      cases: 3,
      used: 0.5,
      bound: 16,
      error: 8,
      faults: [],
    } as const;
    expect(generatedTable([{ ...row, faults: [] }])).toContain("| exp | 3: 8.0 of 16.0 |  |");
  });
});

for (const backend of [
  cpuBackend(),
  wasmBackend(),
  { ...wasmBackend({ worker: true, threads: 2, parallelWork: 0 }), name: "wasm-worker" },
  { ...wasmBackend({ flavour: "plain", threads: 3, parallelWork: 0 }), name: "wasm-plain" },
  webGpuBackend(),
])
  await describeOn(backend, () => {
    it("hold within their bounds", async () => {
      registerBackend(backend);
      const count = backend.name === "webgpu" ? COUNT_EMULATED : COUNT;
      const rows = await runGenerated(backend.name, generatedCases(SEED, count));
      expect(faultsOf(rows)).toEqual([]);
      expect(rows.reduce((n, { cases }) => n + cases, 0)).toBe(count);
    }, 300_000);

    it("that once failed hold, too", async () => {
      registerBackend(backend);
      const rows = await runGenerated(
        backend.name,
        FAILED_ONCE.flatMap(([name, seed]) => directionsOf(name, seed)),
      );
      expect(faultsOf(rows)).toEqual([]);
    }, 120_000);
  });
