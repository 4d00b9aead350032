import { registerBackend, setBackend } from "@statespace/core";
import type { Family } from "./families.ts";
import { runProgram, type Stage } from "./program.ts";

/** How many programs of which seeds run where. */
export interface ExactnessOptions {
  readonly programs: number;
  readonly seed: number;
  /** Names of registered backends. */
  readonly backends: readonly string[];
  readonly families: readonly Family[];
}

/** What came of the programs of one family on one backend. */
export interface ExactnessResult {
  readonly family: string;
  readonly backend: string;
  readonly programs: number;
  readonly detours: Readonly<Record<string, number>>;
  readonly differences: readonly { readonly seed: number; readonly what: string }[];
  readonly seconds: number;
}

/** Deals the programs over families and backends, as evenly as they go, and runs them. */
export async function* runExactness(options: ExactnessOptions): AsyncGenerator<ExactnessResult, void, undefined> {
  const { programs, seed, backends, families } = options;
  const { cpuBackend } = await import("@statespace/backend-cpu");
  registerBackend({ ...cpuBackend(), name: "cpu-away" });
  const places = backends.flatMap((backend) => families.map((family) => ({ backend, family })));
  let next = seed;
  for (const [i, { backend, family }] of places.entries()) {
    const share = Math.floor(((i + 1) * programs) / places.length) - Math.floor((i * programs) / places.length);
    const from = performance.now();
    await setBackend(backend);
    const stage: Stage = {
      still: await family.make(backend),
      tried: await family.make(backend),
      backend,
      elsewhere: "cpu-away",
      eagerIsCaptured: backend !== "webgpu",
    };
    const differences: { seed: number; what: string }[] = [];
    const detours: Record<string, number> = {};
    for (let k = 0; k < share; k++, next++) {
      const { steps, difference } = await runProgram(stage, next);
      for (const name of steps) detours[name] = (detours[name] ?? 0) + 1;
      if (difference !== undefined) differences.push({ seed: next, what: difference });
    }
    for (const model of [stage.still, stage.tried]) model.dispose();
    const seconds = (performance.now() - from) / 1000;
    yield { family: family.name, backend, programs: share, detours, differences, seconds };
  }
}
