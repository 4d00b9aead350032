import type { WebGpuBackend } from "../backend.ts";
import { matrixUnits } from "./matrixUnits.ts";
import type { SelfTest } from "./selfTest.ts";

const selfTests: readonly SelfTest[] = [matrixUnits];

/** Runs every check that applies; what fails is refused and told in the traits. */
export async function runSelfTests(backend: WebGpuBackend): Promise<void> {
  for (const test of selfTests) {
    if (!test.applies(backend)) continue;
    let wrong: string | undefined;
    try {
      wrong = await test.run(backend);
    } catch (error) {
      wrong = (error as Error).message;
    }
    if (wrong !== undefined) backend.refuse(test.trait, `${test.trait}: ${wrong}`);
  }
}
