import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { familyTable, judgeRoundTrip, roundTripTable } from "../src/roundTrip/judge.ts";
import { runChecker, type Answer } from "../src/roundTrip/python.ts";

const folder = mkdtempSync(join(tmpdir(), "roundtrip-test-"));
const logits = Float64Array.of(1, -2, 0.5, 4);
writeFileSync(join(folder, "logits.bin"), new Uint8Array(logits.buffer));
const saved = {
  family: "lfm2",
  checkpoint: "lfm2-tiny",
  way: "loaded",
  folder,
  ids: [[1, 2]],
  logits: logits.map((x) => x + 1e-6),
  bound: 2e-6,
  greedy: [1, 2, 3],
} as const;
const answer = { model: "Lfm2ForCausalLM", missing: [], unexpected: [], mismatched: [], greedy: [1, 2, 3] };

it.each([
  ["the same", {}, true],
  ["a key that is missing", { missing: ["lm_head.weight"] }, false],
  ["a key that nobody wants", { unexpected: ["mtp.fc.weight"] }, false],
  ["a tensor of another shape", { mismatched: ["norm.weight"] }, false],
  ["another token", { greedy: [1, 2, 4] }, false],
] as const)("%s", (_, change, ok) => {
  const row = judgeRoundTrip(saved, { ...answer, ...change });
  expect(row.ok).toBe(ok);
  expect(row.off).toBeCloseTo(1e-6, 12);
  expect(roundTripTable([row]).split("\n")[2]).toContain(ok ? "| ok |" : "NOT OK");
});

it("logits that are too far off, or not as many, or an error of transformers are not ok", () => {
  expect(judgeRoundTrip({ ...saved, bound: 9e-7 }, answer).ok).toBe(false);
  expect(judgeRoundTrip({ ...saved, logits: saved.logits.subarray(0, 3) }, answer).ok).toBe(false);
  const failed = judgeRoundTrip(saved, { error: "ValueError: no such model" });
  expect(failed.ok).toBe(false);
  expect(roundTripTable([failed])).toContain("NOT OK ValueError: no such model");
});

it("tells that the interpreter is not there", async () => {
  const run = async (): Promise<void> => {
    const answers: (Answer | object)[] = [];
    for await (const one of runChecker(join(folder, "python"), join(folder, "manifest.json"))) answers.push(one);
  };
  await expect(run()).rejects.toThrow("does not run the checker: spawn");
});

it("a row a family tells what is whole of how many, and how near the farthest came", () => {
  const rows = [judgeRoundTrip(saved, answer), judgeRoundTrip(saved, { ...answer, missing: ["lm_head.weight"] })];
  expect(familyTable(rows).split("\n")[2]).toBe("| lfm2 | lfm2-tiny | Lfm2ForCausalLM | 1 of 2 | 2 of 2 | 50 % |");
});
