/**
 * Compares the GGUF files that are written here with those of llama.cpp's own converter, tensor by tensor, and the models that are read of both.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/llamaCppConverter.ts --llama-cpp DIR [--python PYTHON] [FOLDER ...]
 *
 * DIR is a checkout of llama.cpp, PYTHON has what its converter needs (torch, transformers). FOLDER is a checkpoint of Hugging Face; some of the golden vectors
 * unless told. Exit code 1 where something differs, 2 where the converter is not there.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor, tidy } from "@statespace/core";
import { folderSource, openGguf, toFloat32Array, type GgufFile } from "@statespace/files";
import { fromPretrained, saveGguf, type Model } from "@statespace/models";

/** Those whose config.json the converter understands: of others it takes names of layers of transformers 5 for other ones. */
const GOLDEN = ["mamba-tiny", "mamba2-tiny", "falcon-h1-tiny", "falcon-h1-norm", "lfm2-tiny", "qwen3.5-tiny"];
/** Factors that are multiplied into weights are rounded in another order. */
const BOUND = 1e-6;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "llama-cpp": { type: "string" }, python: { type: "string", default: "python3" } },
});
const checkout = values["llama-cpp"];
if (checkout === undefined || !existsSync(join(checkout, "conversion"))) {
  console.error("llama.cpp is not there: give a checkout as --llama-cpp DIR");
  process.exit(2);
}
await setBackend(cpuBackend());
const script = fileURLToPath(new URL("llama_cpp_convert.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "statespace-converter-"));
const open = async (name: string): Promise<GgufFile> => (await openGguf(folderSource(folder), name))!;

/** The largest difference of two values, or what one of the two lacks. */
async function compare(own: GgufFile, theirs: GgufFile): Promise<string | number> {
  let worst = 0;
  for (const key of own.entries.keys()) if (!theirs.entries.has(key)) return `theirs has no ${key}`;
  for (const [key, { shape }] of theirs.entries) {
    const mine = own.entries.get(key);
    if (mine === undefined) return `ours has no ${key}`;
    if (mine.shape.join() !== shape.join()) return `${key}: [${mine.shape.join()}] and [${shape.join()}]`;
    const [a, b] = [toFloat32Array(await own.read(key)), toFloat32Array(await theirs.read(key))];
    a.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - b[i]!))));
  }
  return worst;
}

async function logitsOf(model: Model): Promise<Float32Array> {
  const { encoder } = model.resolved;
  const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const ids = Int32Array.from({ length: 20 }, (_, i) => (i * 7 + 3) % vocabulary);
  const output = tidy(() => model.forward(tensor(ids, [1, ids.length])).output);
  const logits = await readFloats(output);
  output.dispose();
  model.dispose();
  return logits;
}

console.log("| checkpoint | largest difference of a weight | of a logit, read from their file |\n| --- | --- | --- |");
const folders =
  positionals.length > 0
    ? positionals
    : GOLDEN.map((name) => fileURLToPath(new URL(`../golden/hf/${name}`, import.meta.url)));
for (const from of folders) {
  execFileSync(values.python, [script, checkout, from, join(folder, "theirs.gguf")], { stdio: "ignore" });
  const model = await fromPretrained(from);
  await saveGguf(model, join(folder, "own.gguf"));
  const weights = await compare(await open("own.gguf"), await open("theirs.gguf"));
  const [a, b] = [await logitsOf(model), await logitsOf(await fromPretrained(join(folder, "theirs.gguf")))];
  const logits = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  if (typeof weights === "string" || weights > BOUND || logits > BOUND) process.exitCode = 1;
  console.log(`| ${basename(from)} | ${String(weights)} | ${logits} |`);
}
rmSync(folder, { recursive: true });
