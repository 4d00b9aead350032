import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundledCheckpoint } from "statespace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocks, site } from "./blocks.ts";

/** Programs lie inside the site's folder, where its dependencies are found, and run elsewhere. */
const folder = join(site, ".vitepress", "cache", "blocks");
const place = mkdtempSync(join(tmpdir(), "blocks-"));

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(bundledCheckpoint()), join(place, "model"), { recursive: true });
  writeFileSync(
    join(place, "model", "chat_template.jinja"),
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
  );
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

/** One of them a page whose own text says what it prints. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  "guides/state, block 1": /^rewound: the same text again\n\d+ tokens came back\n$/,
  "guides/precision, block 1": /^the same text on both\n$/,
  "guides/loading, block 1": /no-such-model/,
  "guides/from-transformers-js, block 1": /max_new_tokens.*maxNewTokens/,
  "guides/backends, block 2": /different backends|both|backend/,
  "tutorials/first-scan, block 2": /delta must be \[b, l, d\] = \[1, 4, 2\], got \[1, 5, 2\]/,
  "tutorials/series, block 1": /^class 0\nclass 1\n$/,
  "tutorials/train, block 1": /sat on the mat\. $/,
  "concepts/views, block 1": /recurrence  (-?\d+\.\d{8})\d*\nconvolution \1/,
  "concepts/scans, block 1": /loop (\S+) tree \1/,
  "concepts/discretization, block 1": /zeroOrderHold {2}0\.6065/,
  "concepts/hippo, block 1": /^-1\.00 .*\n-1\.73 {2}-2\.00/,
};

describe("the programs of the documentation", () => {
  it.each(blocks.filter(({ browser }) => !browser))("$name runs", async ({ name, code }) => {
    const file = join(folder, `${name.replaceAll(/[^a-z0-9]+/g, "-")}.ts`);
    writeFileSync(file, code);
    const args = ["--conditions=statespace-source", file];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: place });
    expect(stdout.trim()).not.toBe("");
    expect(stdout).toMatch(PRINTS[name] ?? /./);
  });
});
