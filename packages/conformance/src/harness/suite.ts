import { BASE_KERNELS, setBackend, type BackendDefinition } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { opCases } from "../cases/index.ts";
import { runGolden } from "../golden/run.ts";
import { baseCases } from "../cases/base.ts";
import { checkBase } from "./checkBase.ts";
import { checkForward, checkGradients } from "./checkOp.ts";

const GOLDEN = new URL("../../golden", import.meta.url).pathname;

/** What a backend does not have; printed, so that nothing is missing in silence. */
function missing(backend: BackendDefinition, kernel: string): boolean {
  return backend.kernels[kernel] === undefined;
}

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
 * The conformance suite of one backend: every op case, every gradient, and the golden folder.
 * Where the backend does not start, all of it is skipped under a name that says why; a backend that `EXPECT_BACKENDS` lists must start.
 */
export async function conformanceSuite(backend: BackendDefinition, options: { golden?: boolean } = {}): Promise<void> {
  const reason = await whyNot(backend);
  const expected = (process.env["EXPECT_BACKENDS"] ?? "").split(",").includes(backend.name);
  if (reason !== undefined && expected)
    throw new Error(`EXPECT_BACKENDS names ${backend.name}, which does not start here: ${reason}`);
  const title = reason === undefined ? backend.name : `${backend.name} does not start here: ${reason}`;
  describe.skipIf(reason !== undefined)(title, () => {
    suite(backend, options);
  });
}

function suite(backend: BackendDefinition, options: { golden?: boolean }): void {
  beforeAll(() => setBackend(backend));
  for (const op of new Set(opCases.map((c) => c.op))) {
    describe(op.spec.name, () => {
      it("has its kernels", () => {
        expect(missing(backend, op.spec.name)).toBe(false);
        if (op.spec.differentiable.length > 0) expect(missing(backend, `${op.spec.name}Grad`)).toBe(false);
      });
      it.each(opCases.filter((c) => c.op === op).map((c) => [c.name, c] as const))("%s", async (_, c) => {
        const verdicts = [...(await checkForward(c)), ...(await checkGradients(c))];
        expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
        expect(verdicts.length).toBeGreaterThan(0);
      });
    });
  }
  describe("base ops", () => {
    it("has every base kernel", () => expect(BASE_KERNELS.filter((name) => missing(backend, name))).toEqual([]));
    it.each(baseCases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
      expect((await checkBase(c)).filter(({ ok }) => !ok)).toEqual([]);
    });
  });
  if (options.golden ?? true) {
    it("golden vectors", async () => {
      const results = [];
      for await (const result of runGolden(GOLDEN, [backend.name])) results.push(result);
      expect(results.filter((result) => "why" in result || !result.ok)).toEqual([]);
      expect(results.length).toBeGreaterThan(200);
    }, 300_000);
  }
}
