/**
 * Compares models here with onnxruntime, which runs the ONNX files that are written here: logits of a prompt, then of 100 tokens one by one, the states of each
 * run given to the next.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/onnxRuntime.ts --python PYTHON [--external] [MODEL ...]
 *
 * PYTHON has onnxruntime and numpy. MODEL is what `load` takes; the tiny models of the golden vectors unless told. Exit code 1 where a bound is missed, 2
 * where onnxruntime is not there.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor, tidy } from "@statespace/core";
import { fromPretrained, saveOnnx } from "@statespace/models";

/** Largest difference of two logits, by the largest: float32 sums in other orders, which a delta rule over 100 tokens of random weights carries on. */
const BOUND = 1e-4;
const PROMPT = 20;
const TOKENS = 120;
const script = fileURLToPath(new URL("onnx_runtime.py", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: "string", default: "python3" }, external: { type: "boolean", default: false } },
});
try {
  execFileSync(values.python, ["-c", "import onnxruntime, numpy"], { stdio: "ignore" });
} catch {
  console.error(`${values.python} has no onnxruntime; give one that has as --python PYTHON`);
  process.exit(2);
}
await setBackend(cpuBackend());
const golden = fileURLToPath(new URL("../golden/hf/", import.meta.url));
const models = positionals.length > 0 ? positionals : readdirSync(golden).map((name) => join(golden, name));
const folder = mkdtempSync(join(tmpdir(), "statespace-onnx-"));
console.log("| model | prompt at once | 100 tokens one by one | largest logit |\n| --- | --- | --- | --- |");
for (const from of models) {
  try {
    const model = await fromPretrained(from, { notice: () => undefined });
    const file = join(folder, "model.onnx");
    await saveOnnx(model, file, { externalData: values.external });
    const { encoder } = model.resolved;
    const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 1;
    const ids = Int32Array.from({ length: 2 * TOKENS }, (_, i) => (i * 37 + (i % 7) * 5) % vocabulary);
    const output = tidy(() => model.forward(tensor(ids, [2, TOKENS])).output);
    writeFileSync(join(folder, "ids.bin"), BigInt64Array.from(ids, BigInt));
    writeFileSync(join(folder, "logits.bin"), await readFloats(output));
    output.dispose();
    model.dispose();
    execFileSync(values.python, [script, folder, String(TOKENS), String(PROMPT), String(vocabulary)], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    const { prompt, steps, largest } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as Record<
      string,
      number
    >;
    if (!(Math.max(prompt!, steps!) <= BOUND * largest!)) process.exitCode = 1;
    console.log(
      `| ${basename(from)} | ${prompt!.toExponential(1)} | ${steps!.toExponential(1)} | ${largest!.toFixed(2)} |`,
    );
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer };
    console.log(
      `| ${basename(from)} | ${(stderr?.toString().trim().split("\n").at(-1) ?? message).slice(0, 300)} | | |`,
    );
    if (stderr !== undefined) process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true });
