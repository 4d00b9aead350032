import { setBackend, type BackendDefinition } from "@statespace/core";
import { describe } from "vitest";

/** Why a backend does not start here; `undefined` if it does. */
async function whyNot(backend: BackendDefinition): Promise<string | undefined> {
  try {
    await setBackend(backend);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Describes tests of one backend. Where it does not start, all of them are skipped under a name that says why; a backend that
 * `EXPECT_BACKENDS` lists must start.
 * @param name of the tests; the backend's own unless told
 */
export async function describeOn(
  backend: BackendDefinition,
  tests: () => void,
  name: string = backend.name,
): Promise<void> {
  const reason = await whyNot(backend);
  const expected = (process.env["EXPECT_BACKENDS"] ?? "").split(",").includes(backend.name);
  if (reason !== undefined && expected)
    throw new Error(`EXPECT_BACKENDS names ${backend.name}, which does not start here: ${reason}`);
  const title = reason === undefined ? name : `${name} does not start here: ${reason}`;
  describe.skipIf(reason !== undefined)(title, () => {
    tests();
  });
}
