import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Versions of what checks. */
export interface Versions {
  readonly transformers: string;
  readonly torch: string;
}

/** What transformers made of a folder. */
export type Answer =
  | { readonly error: string }
  | {
      readonly model: string;
      readonly missing: readonly string[];
      readonly unexpected: readonly string[];
      readonly mismatched: readonly string[];
      readonly greedy: readonly number[];
    };

/** Of this package, whether it runs from its sources or built. */
const CHECKER = fileURLToPath(
  new URL("roundTrip/check.py", import.meta.resolve("@statespace/conformance/package.json")),
);

/** Runs the checker on a manifest: its versions, then an answer a folder. @throws Error telling that Python or its packages are not there. */
export async function* runChecker(python: string, manifest: string): AsyncGenerator<Versions | Answer> {
  const child = spawn(python, [CHECKER, manifest], { stdio: ["ignore", "pipe", "pipe"] });
  let failure: Error | undefined;
  let errors = "";
  child.on("error", (error) => (failure = error));
  child.stderr.on("data", (data: Buffer) => (errors = (errors + data.toString()).slice(-2000)));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Versions | Answer;
  const code = await ended;
  if (code === 0) return;
  const why = failure?.message ?? errors.trim().split("\n").at(-1) ?? `exit code ${code}`;
  throw new Error(
    `${python} does not run the checker: ${why}. It needs PyTorch and transformers: pip install torch transformers; --python (or PYTHON) names the interpreter`,
  );
}
