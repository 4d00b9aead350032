/**
 * Which side is off, and by how much, where models of the gated delta rule here and in onnxruntime differ: both beside a float64 evaluation, token by token, that neither made.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/deltaRule.ts --modules DIR --python PYTHON [FOLDER ...]
 *
 * DIR as in onnxRuntime.ts; PYTHON has torch and safetensors. FOLDER holds a dense qwen3_5_text checkpoint in float32; qwen3.5-tiny of the golden vectors unless told. Figures are
 * units of 2^-24 of the largest logit. `one rounding` is how far the exact logits move when every weight moves by one rounding of float32 or none (the largest of 8 draws): what the
 * model itself makes of the roundings that any float32 evaluation does. Such a one makes about 48 of them a layer, up or down by chance, which add up as their squares do: allowed is the
 * root of 48 times the layers, times that. Exit code 1 where a side is farther off.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, setBackend, stopBackend, tensor, tidy, type BackendDefinition } from "@statespace/core";
import { fromPretrained } from "@statespace/models";
import { saveOnnx } from "@statespace/models/onnx";
import { packageEngine, type OnnxEngine } from "./onnxEngines.ts";

const [BATCH, TOKENS, PROMPT, DRAWS] = [2, 120, 20, 8];
/** Of a layer: three projections, a norm and a scan. */
const ROUNDINGS_PER_LAYER = 48;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string", default: process.env["ONNX_MODULES"] ?? "" },
    python: { type: "string", default: process.env["PYTHON"] ?? "python3" },
  },
});

const largestOf = (x: Float32Array | Float64Array): number => x.reduce((most, each) => Math.max(most, Math.abs(each)), 0); // prettier-ignore
const farthest = (x: Float32Array, exact: Float64Array): number => exact.reduce((most, each, i) => Math.max(most, Math.abs(each - (x[i] ?? Number.NaN))), 0); // prettier-ignore

async function ours(
  folder: string,
  ids: Int32Array,
  backend: BackendDefinition,
): Promise<{ logits: Float32Array; layers: number }> {
  // prettier-ignore
  await setBackend(backend);
  const model = await fromPretrained(folder, { notice: () => undefined });
  const output = tidy(() => model.forward(tensor(ids, [BATCH, TOKENS], { backend: model.backend })).output);
  const logits = await readFloats(output);
  output.dispose();
  const layers = model.blocks.length;
  model.dispose();
  await stopBackend(backend.name);
  return { logits, layers };
}

async function judge(folder: string, engines: readonly OnnxEngine[], work: string): Promise<void> {
  const { vocab_size: vocabulary } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as { vocab_size: number }; // prettier-ignore
  const ids = Int32Array.from({ length: BATCH * TOKENS }, (_, i) => (i * 37 + (i % 7) * 5) % vocabulary);
  writeFileSync(join(work, "ids.bin"), BigInt64Array.from(ids, BigInt));
  const script = fileURLToPath(new URL("qwen35_float64.py", import.meta.url));
  execFileSync(values.python, [script, folder, work, String(TOKENS), String(DRAWS)], { stdio: "inherit" });
  const read = (name: string): Float64Array => new Float64Array(new Uint8Array(readFileSync(join(work, name))).buffer);
  const [exact, moved] = [read("judge.bin"), largestOf(read("moved.bin"))];
  const unit = 2 ** -24 * largestOf(exact);
  const { logits, layers } = await ours(folder, ids, wasmBackend());
  const bound = Math.sqrt(ROUNDINGS_PER_LAYER * (layers + 1)) * moved;
  const tell = (who: string, found: Float32Array): void => {
    const off = farthest(found, exact);
    if (!(off <= bound)) process.exitCode = 1;
    const cells = [off, moved, bound].map((x) => (x / unit).toFixed(0));
    console.log(`| ${basename(folder)} | ${who} | ${cells.join(" | ")} | ${off <= bound ? "ok" : "FAILED"} |`);
  };
  tell("here, wasm", logits);
  tell("here, wasm without fused multiply-adds", (await ours(folder, ids, wasmBackend({ flavour: "plain" }))).logits);
  tell("here, cpu", (await ours(folder, ids, cpuBackend())).logits);
  await setBackend(cpuBackend());
  for (const operators of ["standard", "onnxruntime"] as const) {
    const model = await fromPretrained(folder, { notice: () => undefined });
    await saveOnnx(model, join(work, "model.onnx"), { operators });
    model.dispose();
    for (const engine of engines)
      tell(`${engine.name}, ${operators === "standard" ? "Scan" : "LinearAttention"}`, await engine.logits(join(work, "model.onnx"), { ids, batch: BATCH, prompt: PROMPT })); // prettier-ignore
  }
}

const engines: OnnxEngine[] = [];
for (const name of ["onnxruntime-node", "onnxruntime-web"] as const)
  await packageEngine(name, values.modules).then((engine) => engines.push(engine), () => console.error(`${name} of ${values.modules || "--modules DIR"} is not there`)); // prettier-ignore
if (engines.length === 0) process.exit(2);
const golden = fileURLToPath(new URL("../golden/hf/qwen3.5-tiny", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "statespace-delta-"));
console.log("| model | who | off the float64 evaluation | one rounding of every weight | allowed | |");
console.log("| --- | --- | --- | --- | --- | --- |");
try {
  for (const folder of positionals.length > 0 ? positionals : [golden]) await judge(folder, engines, work);
} finally {
  rmSync(work, { recursive: true });
}
