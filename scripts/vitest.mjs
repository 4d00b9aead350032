// Runs one kind of the tests and reads the counts from vitest's own report.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { commandFile, root } from "./workspace.mjs";
import { runNode } from "./setup.mjs";

/** What Node has compiled, TypeScript without its types included: tests start hundreds of processes on the same sources. */
const compiled = join(root, "node_modules", ".cache", "compiled");

/** Vitest's own count, one core less than there are, would leave one of two idle. */
const workers = Math.max(2, availableParallelism() - 1);

/**
 * @param {"node" | "browser"} kind @param {Record<string, string>} env @param {string[]} [filters]
 * @returns {Promise<{ counts: { passed: number, failed: number, skipped: number }, failures: string[], skips: string[], retried: string[], files: [string, number][] }>}
 */
export async function runVitest(kind, env, filters = []) {
  const folder = mkdtempSync(join(tmpdir(), "statespace-vitest-"));
  const outputFile = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${outputFile}`];
  const args = [commandFile("vitest"), "run", ...reporters, `--maxWorkers=${workers}`, "--passWithNoTests", ...filters];
  const { code } = await runNode(args, { env: { NODE_COMPILE_CACHE: compiled, ...env, STATESPACE_TESTS: kind } });
  const report = existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, "utf8")) : undefined;
  rmSync(folder, { recursive: true, force: true });
  const outcome = summarize(report?.testResults ?? []);
  // A file that does not load, or an error outside all tests, fails no single test: it must count all the same.
  if (code !== 0 && outcome.counts.failed === 0) {
    outcome.counts.failed++;
    outcome.failures.push(`vitest (${kind}): ended with exit code ${code} outside any test`);
  }
  return outcome;
}

/** Counts of a vitest JSON report's files. A file that did not load is one failure. */
export function summarize(files) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  const skips = [];
  /** Tests of a browser that passed at their second try: no failure, and nothing to be silent about. */
  const retried = [];
  const seconds = [];
  for (const file of files) {
    const name = relative(root, file.name);
    seconds.push([name, (file.endTime - file.startTime) / 1000]);
    for (const test of file.assertionResults) {
      const title = `${name}: ${test.fullName.trim()}`;
      if (test.status === "passed") {
        counts.passed++;
        if (test.failureMessages?.length > 0) retried.push(`${title}: ${firstLine(test.failureMessages[0])}`);
      } else if (test.status === "failed") {
        counts.failed++;
        failures.push([title, ...(test.failureMessages ?? []).slice(0, 1).map(firstLine)].join(": "));
      } else {
        counts.skipped++;
        skips.push(title);
      }
    }
    if (file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")) {
      counts.failed++;
      failures.push(`${name}: ${firstLine(file.message || "did not load")}`);
    }
  }
  return { counts, failures, skips, retried, files: seconds };
}

const firstLine = (text) => text.trim().split("\n", 1)[0];
