// `pnpm sanitize [--seed S] [--count N] [--repeats R]`: records the kernel calls that generated cases make on wasm, compiles the C sources natively under
// AddressSanitizer and UndefinedBehaviorSanitizer and runs each call as it was and R times with adversarial values. Needs gcc, or clang by CC=clang.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runNode } from "./setup.mjs";
import { root } from "./workspace.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "600" },
    repeats: { type: "string", default: "20" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "statespace-calls-"));
try {
  const recording = join(folder, "calls.bin");
  const record = ["--generated", "--record", recording, "--seed", values.seed, "--count", values.count];
  const recorded = await runNode([join(root, "scripts/run.mjs"), "@statespace/conformance", "conformance", ...record]);
  if (recorded.code !== 0) process.exitCode = recorded.code;
  else {
    const script = join(root, "packages/backend-wasm/scripts/sanitize.ts");
    process.exitCode = (await runNode([script, recording, values.repeats])).code;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
