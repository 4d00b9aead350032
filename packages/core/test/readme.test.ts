import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the README's example runs, and its three views agree", () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const code = /```js\n([\s\S]*?)```/.exec(readFileSync(`${folder}README.md`, "utf8"))![1]!;
  const output = execFileSync(process.execPath, ["--conditions=statespace-source", "--input-type=module", "-e", code], {
    cwd: folder,
    encoding: "utf8",
  });
  const [continuous, recurrent, convolved] = [...output.matchAll(/\[ (-?[\d.e-]+) \]/g)].map((match) =>
    Number(match[1]),
  ) as [number, number, number];
  expect(Math.abs(recurrent)).toBeGreaterThan(0.01);
  // Recurrence and convolution differ by rounding only; Runge-Kutta at substeps of delta / 16 by O((delta / 16)^4), far below 1e-6 for poles up to 8.
  expect(Math.abs(convolved - recurrent)).toBeLessThan(1e-12);
  expect(Math.abs(continuous - recurrent)).toBeLessThan(1e-6);
});
