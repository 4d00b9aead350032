import { fileURLToPath } from "node:url";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { agreementOf } from "../src/packed/agreement.ts";
import { checkpointsOf } from "../src/roundTrip/cases.ts";

const folder = fileURLToPath(new URL("../golden/hf", import.meta.url));
/**
 * A weight is off by at most 2^-12 of itself in f16, 1/254 of its block's largest in q8, 1/16 in q4; the divergence goes with the square
 * of that, by which each format is at least 200 times as far off as the one before, less where answers are hardly the same any more.
 */
const TIMES = 4;

for (const backend of [cpuBackend(), wasmBackend({ threads: 2 })])
  describe(`packed weights of every family on ${backend.name}`, () => {
    beforeAll(() => setBackend(backend));
    it.each(checkpointsOf(folder))("%s answers nearly as in float32, the nearer the finer", async (name) => {
      const [f16, q8, q4] = (await agreementOf(`${folder}/${name}`)).map(({ divergence }) => divergence);
      expect(f16).toBeLessThan(q8! / TIMES);
      expect(q8).toBeLessThan(q4! / TIMES);
      expect(q8).toBeLessThan(0.05);
    });
  });
