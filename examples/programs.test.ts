import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundledCheckpoint, load } from "statespace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = join(import.meta.dirname, "programs");
const programs = readdirSync(folder).filter((file) => file.endsWith(".ts"));

/** Where they run: what they save lies there. */
const place = mkdtempSync(join(tmpdir(), "programs-"));
const modelFolder = join(place, "model");

/** The bundled model does not chat; a template makes it answer, if not to the point. */
beforeAll(() => {
  cpSync(fileURLToPath(bundledCheckpoint()), modelFolder, { recursive: true });
  writeFileSync(
    join(modelFolder, "chat_template.jinja"),
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
  );
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

async function run(file: string): Promise<string> {
  const args = ["--conditions=statespace-source", join(folder, file), modelFolder];
  return (await promisify(execFile)(process.execPath, args, { cwd: place })).stdout;
}

/** Lines that are neither empty nor a comment. */
const linesOf = (file: string): string[] =>
  readFileSync(join(folder, file), "utf8")
    .split("\n")
    .map((line) => line.replace(/(^|\s)\/\/.*$/, "").trim())
    .filter((line) => line !== "");

describe.each(programs)("%s", (file) => {
  it("takes at most ten lines, without a cast or an exclamation mark", () => {
    const lines = linesOf(file);
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.filter((line) => /\bas [A-Za-z{[]|\w!(?!=)|[)\]]!|\bany\b|@ts-/.test(line))).toEqual([]);
  });
});

// What each prints is looked at below; these are looked at by nobody else.
const LOOKED_AT: ReadonlySet<string> = new Set(
  ["stream", "chat", "hiddenStates", "scan", "swapBackend", "saveAndResume", "trainOnText", "classify", "forecast"].map(
    (name) => `${name}.ts`,
  ),
);
it.each(programs.filter((file) => !LOOKED_AT.has(file)))("%s runs to its end and shows something", async (file) => {
  expect((await run(file)).trim()).not.toBe("");
});

it("stream.ts goes on from the prompt", async () => {
  expect((await run("stream.ts")).length).toBeGreaterThan(40);
});

it("chat.ts keeps what was said", async () => {
  const told = /(\d+) messages, (\d+) tokens\n$/.exec(await run("chat.ts"));
  expect(Number(told?.[1])).toBe(5);
  expect(Number(told?.[2])).toBeGreaterThan(40);
});

it("hiddenStates.ts tells every layer", async () => {
  const text = await run("hiddenStates.ts");
  expect(text).toContain("tokens [8 x ");
  expect(text.match(/^delta/gm)).toHaveLength(7);
});

it("scan.ts gives the sum and the gradients that the recurrence has", async () => {
  const [u, delta, rates] = [
    [1, 2, 3, 4],
    [0.5, 0.5, 1, 1],
    [-1, -2],
  ];
  const total = (inputs: readonly number[], steps: readonly number[]): number => {
    let sum = 0;
    for (const rate of rates)
      inputs.reduce((state, x, t) => {
        const next = Math.exp(steps[t]! * rate) * state + steps[t]! * x;
        sum += next;
        return next;
      }, 0);
    return sum;
  };
  const nudged = (values: readonly number[], i: number, by: number): number[] => values.with(i, values[i]! + by);
  const h = 1e-4;
  const slopes = (of: (values: readonly number[]) => number, at: readonly number[]): number[] =>
    at.map((_, i) => (of(nudged(at, i, h)) - of(nudged(at, i, -h))) / (2 * h));
  const expected = [
    total(u, delta),
    ...slopes((x) => total(x, delta), u),
    ...slopes((steps) => total(u, steps), delta),
  ];
  const printed = [...(await run("scan.ts")).matchAll(/\[([^\]]*)\]/g)].flatMap(([, list]) =>
    list!.split(",").map(Number),
  );
  expect(printed).toHaveLength(9);
  printed.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * (1 + Math.abs(expected[i]!))),
  );
});

it("swapBackend.ts goes on elsewhere as it would have here, to the word", async () => {
  const text = await run("swapBackend.ts");
  expect(text).toContain("ended on cpu");
  const lm = await load(bundledCheckpoint(), { backend: "cpu" });
  const here = await lm.complete("The state of the", { maxNewTokens: 24 });
  expect(text.split("\nended on")[0]).toBe(here);
  lm.dispose();
});

it("saveAndResume.ts goes on as if it had not ended", async () => {
  const lm = await load(bundledCheckpoint(), { backend: "cpu" });
  const uninterrupted = await lm.complete("My fellow citizens", { maxNewTokens: 32, seed: 7 });
  expect(await run("saveAndResume.ts")).toBe(uninterrupted);
  lm.dispose();
});

it("trainOnText.ts goes on as the text it learned does", async () => {
  expect(await run("trainOnText.ts")).toBe("sat on the mat. ");
});

it("classify.ts tells the slow wave from the fast one", async () => {
  expect(await run("classify.ts")).toBe("class 0\nclass 1\n");
});

it("forecast.ts is near what comes", async () => {
  const values = [...(await run("forecast.ts")).matchAll(/-?\d\.\d+/g)].map(Number);
  expect(values).toHaveLength(3);
  values.forEach((value, i) => expect(Math.abs(value - Math.sin(0.3 * (200 + i)))).toBeLessThan(0.25));
});
