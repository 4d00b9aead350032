import type { WebGpuBackend } from "../backend.ts";
import { exponential } from "./exponential.ts";
import { halfFloats } from "./halfFloats.ts";
import { matrixScans } from "./matrixScans.ts";
import { matrixUnits } from "./matrixUnits.ts";
import type { SelfTest } from "./selfTest.ts";
import { subgroups } from "./subgroups.ts";

/** In order: matrix units rest on half floats and subgroups, scans on matrix units. */
const selfTests: readonly SelfTest[] = [exponential, halfFloats, subgroups, matrixUnits, matrixScans];

/** What was found before, by adapter, features and check: a card is not tried again each time it is opened. */
const known = new Map<string, string | undefined>();

/** Runs every check that applies; what fails is refused and told in the traits. */
export async function runSelfTests(backend: WebGpuBackend, tests: readonly SelfTest[] = selfTests): Promise<void> {
  for (const test of tests) {
    if (!test.applies(backend)) continue;
    const key = keyOf(backend, test);
    if (!known.has(key)) known.set(key, await outcome(backend, test));
    const wrong = known.get(key);
    if (wrong !== undefined) backend.refuse(test.part, `${test.part}: ${wrong}`);
  }
}

async function outcome(backend: WebGpuBackend, test: SelfTest): Promise<string | undefined> {
  try {
    return await test.run(backend);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Drivers tell their version in the adapter's description, where they tell it. */
function keyOf({ traits, device, precision }: WebGpuBackend, { part }: SelfTest): string {
  return JSON.stringify([
    part,
    traits.name,
    traits.subgroupMin,
    traits.subgroupMax,
    [...device.features].sort(),
    precision,
  ]);
}
