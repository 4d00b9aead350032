import { BackendError, setBackend, type BackendDefinition } from "@statespace/core";
import { opTable, supportOf } from "@statespace/core/backend";
import { beforeAll, describe, expect, it } from "vitest";
import { opCases } from "../cases/index.ts";
import { Draw, type OpCase } from "../cases/opCase.ts";
import { findCases } from "../golden/goldenCase.ts";
import { runGoldenCase } from "../golden/run.ts";
import { checkForward, checkGradients } from "./checkCase.ts";
import { describeOn } from "./describeOn.ts";

const GOLDEN = new URL("../../golden", import.meta.url).pathname;

/** What a suite runs beside the cases, and what it allows. */
export interface SuiteOptions {
  /** The golden folder too; true unless told. */
  readonly golden?: boolean;
  /** Ops without a kernel may run composed, and then err so many times what a kernel may. Unless told, every op has its kernels. */
  readonly composed?: number;
  /** Cases of at most so many input elements, where a backend is not made for speed. */
  readonly elements?: number;
}

/**
 * The conformance suite of one backend: every op case, every gradient, and the golden folder.
 * Where the backend does not start, all of it is skipped under a name that says why; a backend that `EXPECT_BACKENDS` lists must start.
 */
export async function conformanceSuite(backend: BackendDefinition, options: SuiteOptions = {}): Promise<void> {
  await describeOn(backend, () => suite(backend, options));
}

function elementsOf(c: OpCase): number {
  return Object.values(c.make(new Draw(1))).reduce((sum, { data }) => sum + data.length, 0);
}

function suite(backend: BackendDefinition, { golden = true, composed, elements = Infinity }: SuiteOptions): void {
  beforeAll(() => setBackend(backend));
  for (const op of Object.values(opTable)) {
    const support = Object.values(supportOf(backend.kernels, op.spec));
    const cases = opCases.filter((c) => c.op === op && elementsOf(c) <= elements);
    describe(op.spec.name, () => {
      if (composed === undefined)
        it("has its kernels", () => {
          expect(support).not.toContain("composed");
          expect(support).not.toContain("absent");
        });
      if (support.includes("absent")) {
        it("is told to be missing", () =>
          expect(checkForward(cases[0]!)).rejects.toThrow(
            new BackendError(`${op.spec.name}: the ${backend.name} backend has no such kernel`),
          ));
        return;
      }
      const times = support.includes("composed") ? composed : 1;
      it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
        const verdicts = [...(await checkForward(c, 1, times)), ...(await checkGradients(c, 2, times))];
        expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
        expect(verdicts.length).toBeGreaterThan(0);
      });
    });
  }
  if (golden) goldenCases(backend);
}

/** The golden folder alone, case by case. */
export async function goldenSuite(backend: BackendDefinition): Promise<void> {
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));
    goldenCases(backend);
  });
}

function goldenCases(backend: BackendDefinition): void {
  describe("golden vectors", () => {
    const cases = findCases(GOLDEN).map((path) => [`${path.group}/${path.name}`, path] as const);
    let compared = 0;
    it.each(cases)(
      "%s",
      async (_, path) => {
        const results = await runGoldenCase(path, backend.name);
        expect(results.filter((result) => "why" in result || !result.ok)).toEqual([]);
        compared += results.length;
      },
      300_000,
    );
    it("are all of them", () => expect(compared).toBeGreaterThan(200));
  });
}
