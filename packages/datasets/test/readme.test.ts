import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { realDatasets } from "../src/index.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const readme = await readFile(`${root}README.md`, "utf8");

test("the README's example runs as it stands", async () => {
  const example = /```js\n([^]*?)```/.exec(readme)?.[1] as string;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=statespace-source", "--input-type=module", "-e", example],
    {
      cwd: root,
    },
  );
  expect(stdout).toMatch(/^\[ 8, 272 \] \d+ .{20,}/);
});

test("the README's table names every real dataset's licence", () => {
  for (const { licence } of realDatasets) expect(readme).toContain(`| ${licence} |`);
});
