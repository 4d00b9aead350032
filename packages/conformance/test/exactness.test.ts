import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend, setBackend } from "@statespace/core";
import { beforeAll, expect, it } from "vitest";
import { exactnessFamilies } from "../src/exactness/families.ts";
import { runExactness } from "../src/exactness/run.ts";
import { describeOn } from "../src/harness/describeOn.ts";

/** Programs of each family; many more run by `pnpm exactness`. */
const PROGRAMS = { cpu: 3, wasm: 4, "wasm-two": 2, webgpu: 1 } as const;
/** Families that a software device compiles the pipelines of in seconds: a scan each of Mamba's and Mamba-2's kind, and attention. */
const QUICK = new Set(["mamba-tiny", "mamba2-tiny", "lfm2-tiny"]);

const DEFINITIONS = [
  cpuBackend(),
  wasmBackend({ threads: 1 }),
  { ...wasmBackend({ threads: 2, parallelWork: 64 }), name: "wasm-two" },
  webGpuBackend(),
];
for (const definition of DEFINITIONS) registerBackend(definition);

for (const definition of DEFINITIONS) {
  const backend = definition.name as keyof typeof PROGRAMS;
  await describeOn(definition, () => {
    beforeAll(() => setBackend(backend));
    it.each(exactnessFamilies().filter(({ name }) => backend !== "webgpu" || QUICK.has(name)))(
      "$name: what was saved, forked, rewound, moved or found again is what went on",
      async (family) => {
        const programs = PROGRAMS[backend];
        const options = { programs, seed: 1, backends: [backend], families: [family] };
        for await (const result of runExactness(options)) {
          expect(result.differences).toEqual([]);
          expect(result.programs).toBe(programs);
        }
      },
      180_000, // a software device compiles some dozens of pipelines
    );
  });
}
