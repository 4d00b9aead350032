import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the README's example runs and prints the right loss", () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const code = /```js\n([\s\S]*?)```/.exec(readFileSync(`${folder}README.md`, "utf8"))![1]!;
  const output = execFileSync(process.execPath, ["--conditions=statespace-source", "--input-type=module", "-e", code], {
    cwd: folder,
    encoding: "utf8",
  });
  const numbers = [...output.matchAll(/-?\d+\.\d+/g)].map((match) => Number(match[0]));
  const logits = [
    [0.1, 0.3],
    [-0.2, 0.4],
    [-0.1, 0.7],
  ] as const;
  const loss = logits.reduce((sum, [a, b], i) => sum + Math.log(Math.exp(a) + Math.exp(b)) - (i === 0 ? a : b), 0) / 3;
  expect(numbers).toHaveLength(5);
  expect(Math.abs(numbers[0]! - loss)).toBeLessThan(1e-6);
  // Each column of the gradient is that of a softmax: the classes' rows cancel.
  expect(Math.abs(numbers[1]! + numbers[3]!)).toBeLessThan(1e-6);
});
