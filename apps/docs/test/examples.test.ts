import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { opTable } from "@statespace/core/backend";
import { bundledCheckpoint, setBackend, cpuBackend, stopBackend } from "statespace";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { opExample } from "../scripts/opExample.ts";
import { exampleFiles, opPrograms } from "../scripts/programs.ts";
import { site } from "./blocks.ts";

const place = mkdtempSync(join(tmpdir(), "examples-"));
const home = process.cwd();
const cache = join(site, ".vitepress", "cache");
let printed: unknown[][] = [];

beforeAll(() => {
  mkdirSync(cache, { recursive: true }); // a fresh checkout has none
  cpSync(fileURLToPath(bundledCheckpoint()), join(place, "model"), { recursive: true });
  const template =
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
  writeFileSync(join(place, "model", "chat_template.jinja"), template);
  process.chdir(place);
});
afterAll(() => {
  process.chdir(home);
  rmSync(place, { recursive: true, force: true });
});
beforeEach(() => {
  printed = [];
  vi.spyOn(console, "log").mockImplementation((...values) => printed.push(values));
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterEach(() => vi.restoreAllMocks());

/** What some of them print, by value. */
const PRINTS: Readonly<Record<string, string>> = {
  "arithmetic.ts": "[[[0,1,3,6]],[[11,22,13,24]]]",
  "capturing.ts": "[[[8,10,12]]]",
  "complexArrays.ts": '[[[0,0,5,6],{"re":5,"im":6}]]',
  "cutting.ts": "[[[2,3,5,6]],[[4,5,6]],[[0,1,2,0,0]]]",
  "experts.ts": "[[[1,1,3,3,2,2,2,2]]]",
  "frozen.ts": "[[[4,6]],[[2,2]]]",
  "joining.ts": "[[[1,2,3,4],[2,2]],[[1,2]],[[3,4,5]]]",
  "packedRows.ts": "[[[0,0,1,1,2,2]],[[1,3,3,7,5,11]]]",
  "s4Starts.ts": "[[[-0.5,0,-0.5,-3.141592653589793]]]",
  "shapes.ts": "[[[1,4,2,5,3,6]],[[3,2]],[[1,2,3,1,2,3]]]",
  "writing.ts": "[[[1,2,3]]]",
};
const plain = (values: unknown): string =>
  JSON.stringify(values, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value,
  );

describe("the programs of the reference", () => {
  it.each(exampleFiles.filter((file) => !file.endsWith(".page.ts")))("%s runs, and prints", async (file) => {
    stopBackend("wasm"); // a program starts it with options of its own
    await import(join(site, "examples", file));
    expect(printed.length).toBeGreaterThan(0);
    for (const value of printed.flat()) expect(value).not.toBeInstanceOf(Error);
    if (PRINTS[file] !== undefined) expect(plain(printed)).toBe(PRINTS[file]);
  });
});

describe("the programs of the ops", () => {
  const specs = Object.values(opTable).map(({ spec }) => spec);
  const shown = specs.filter((spec) => opExample(spec) !== undefined);

  it("each op has one, almost all with what it prints", () => {
    expect(opPrograms(specs)).toHaveLength(specs.length);
    expect(shown.length).toBeGreaterThan(specs.length - 5);
  });

  it.each(shown.map((spec) => [spec.name, spec] as const))(
    "%s runs, and prints what its page says",
    async (name, spec) => {
      const { code, results } = opExample(spec)!;
      const file = join(cache, `op-${name}.ts`);
      writeFileSync(file, code);
      try {
        await import(file);
      } finally {
        rmSync(file);
      }
      expect(printed.map(([result]) => result)).toEqual(Object.keys(results));
      for (const [result, shape, values] of printed as [string, number[], ArrayLike<number>][]) {
        const wanted = results[result]!;
        expect(shape).toEqual([...wanted.shape]);
        const peak = Math.max(1, ...wanted.data.map(Math.abs));
        for (const [i, value] of wanted.data.entries())
          expect(Math.abs(Number(values[i]) - value) / peak, `${result}[${i}]`).toBeLessThan(1e-5);
      }
    },
  );

  it("leaves a backend that works", async () => {
    await setBackend(cpuBackend());
  });
});
