import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

test("the README's example runs as it stands", async () => {
  const example = /```js\n([^]*?)```/.exec(await readFile(`${root}README.md`, "utf8"))?.[1] as string;
  const options = { cwd: root };
  const args = ["--conditions=statespace-source", "--input-type=module", "-e", example];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  expect(stdout).toMatch(/^user: the cat  naïve 😀\n$/);
});
