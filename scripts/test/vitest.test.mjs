import { describe, expect, it } from "vitest";
import { summarize } from "../vitest.mjs";

const test = (status, fullName) => ({ status, fullName });

describe("summarize", () => {
  it("counts passes, failures, and everything else as skipped", () => {
    const tests = [
      test("passed", "a"),
      test("failed", "b"),
      test("pending", "c"),
      test("todo", "d"),
      test("skipped", "e"),
    ];
    const { counts, failures, skips } = summarize([
      { name: "/x.test.ts", status: "failed", message: "", assertionResults: tests },
    ]);
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 3 });
    expect(failures).toEqual([expect.stringMatching(/x\.test\.ts: b$/)]);
    expect(skips).toHaveLength(3);
  });

  it("counts a file that did not load as a failure", () => {
    const { counts, failures } = summarize([
      { name: "/y.test.ts", status: "failed", message: "Cannot find module\nstack", assertionResults: [] },
    ]);
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(failures[0]).toMatch(/Cannot find module$/);
  });
});
