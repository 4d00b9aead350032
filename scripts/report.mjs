// One line per check, and a count that `npm test` adds up.
import { appendFileSync } from "node:fs";

/** Collects the outcome of checks; `finish` sets the exit code and, under `npm test`, hands the counts on. */
export class Report {
  counts = { passed: 0, failed: 0, skipped: 0 };
  failures = [];
  skips = [];

  constructor(title) {
    this.title = title;
  }

  pass(name, detail = "") {
    this.counts.passed++;
    console.log(`  ok    ${name}${detail && `  ${detail}`}`);
  }

  fail(name, why) {
    this.counts.failed++;
    this.failures.push(`${this.title}: ${name}: ${tellingLine(why)}`);
    console.log(`  FAIL  ${name}\n${indent(why)}`);
  }

  skip(name, why) {
    this.counts.skipped++;
    this.skips.push(`${this.title}: ${name}: ${why}`);
    console.log(`  SKIP  ${name}  (${why})`);
  }

  check(name, ok, why, detail) {
    if (ok) this.pass(name, detail);
    else this.fail(name, why);
  }

  finish() {
    const { counts, failures, skips } = this;
    if (process.env.STATESPACE_REPORT) {
      appendFileSync(process.env.STATESPACE_REPORT, `${JSON.stringify({ counts, failures, skips })}\n`);
    }
    if (counts.failed > 0) process.exitCode = 1;
  }
}

/** The line of a tool's output that says most in a summary: the first that speaks of an error, else the first. */
function tellingLine(text) {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /\w/.test(line));
  return (
    lines.find((line) => /error|fail|cannot|❌|✗|not found|does not|warning/i.test(line)) ?? lines[0] ?? "no output"
  );
}
const indent = (text) => text.trimEnd().replace(/^/gm, "        ");
