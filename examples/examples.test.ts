import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const folder = import.meta.dirname;
const examples = readdirSync(folder).filter((file) => /^\d\d-.+\.ts$/.test(file));

// An example checks its own claims and throws where one fails; what it prints is for the reader, and it must print something.
it.each(examples)("%s runs to its end and shows something", async (file) => {
  const { stdout } = await run(process.execPath, ["--conditions=statespace-source", file], { cwd: folder });
  expect(stdout.trim()).not.toBe("");
});

it("gives each example a number of its own", () => {
  const numbers = examples.map((file) => file.slice(0, 2));
  expect(new Set(numbers).size).toBe(numbers.length);
});
