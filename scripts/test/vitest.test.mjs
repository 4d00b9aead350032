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

  it("tells why a test failed, and which passed only at the second try", () => {
    const { counts, failures, retried } = summarize([
      {
        name: "/z.test.ts",
        status: "failed",
        message: "",
        assertionResults: [
          {
            ...test("failed", "a"),
            failureMessages: ["AssertionError: expected 1 to be 2\n    at z.test.ts:3", "later"],
          },
          { ...test("passed", "b"), failureMessages: ["Error: not there yet\n    at z.test.ts:9"] },
          { ...test("passed", "c"), failureMessages: [] },
        ],
      },
    ]);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(failures).toEqual([expect.stringMatching(/z\.test\.ts: a: AssertionError: expected 1 to be 2$/)]);
    expect(retried).toEqual([expect.stringMatching(/z\.test\.ts: b: Error: not there yet$/)]);
  });
});
