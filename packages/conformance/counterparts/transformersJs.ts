/**
 * Compares models here with transformers.js, which loads the folders that `convert --to transformers.js` writes: greedy tokens, and the logits of all of them at once.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/transformersJs.ts --modules DIR [--weights q4] [--operators onnxruntime] [MODEL ...]
 *
 * DIR is a folder where `npm i --ignore-scripts @huggingface/transformers` was run (or what ONNX_MODULES says). MODEL is a folder; the tiny models of the golden
 * vectors of which transformers.js has a class unless told. Exit code 1 where tokens differ or a bound is missed, 2 where transformers.js is not there.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, setBackend, tensor } from "@statespace/core";
import { convert, fromPretrained, LoadedModel } from "@statespace/models";
import type { OnnxWeights, SaveOnnxOptions } from "@statespace/models/onnx";

/** What of transformers.js is used. */
interface JsTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
interface JsModel {
  (inputs: object): Promise<{ readonly logits: JsTensor }>;
  generate(options: object): Promise<JsTensor>;
  dispose(): Promise<unknown>;
}
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoModelForCausalLM: { from_pretrained(name: string, options: object): Promise<JsModel> };
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => JsTensor;
}

/** Models of which transformers.js has a class. */
const MODELS = ["lfm2-tiny", "granite-h-tiny", "falcon-h1-tiny", "falcon-h1-norm", "nemotron-h-tiny", "qwen3.5-tiny", "olmo-hybrid-tiny", "granite-h-moe-tiny", "lfm2-moe-tiny", "nemotron-h-moe-tiny", "qwen3-next-tiny"]; // prettier-ignore
/** Largest difference of two logits, by the largest. */
const BOUND = 1e-4;
const PROMPT = 8;
const TOKENS = 24;
const DTYPES: Readonly<Record<OnnxWeights, string>> = { f32: "fp32", q8: "q8", q4: "q4" };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" },
    weights: { type: "string", default: "f32" },
    operators: { type: "string" },
  },
});
const weights = values.weights as OnnxWeights;

async function transformersJs(): Promise<TransformersJs> {
  const folder = values.modules ?? process.env["ONNX_MODULES"];
  try {
    const path = createRequire(join(folder!, "package.json")).resolve("@huggingface/transformers");
    return (await import(pathToFileURL(path).href)) as TransformersJs;
  } catch {
    console.error("no transformers.js: npm i --ignore-scripts @huggingface/transformers in a folder, and give it as --modules DIR"); // prettier-ignore
    process.exit(2);
  }
}

/** Greedy ids after a prompt, and the logits of all of them. */
async function ours(from: string): Promise<{ readonly ids: number[]; readonly logits: Float32Array }> {
  const model = await fromPretrained(from, { notice: () => undefined, weights });
  const { encoder } = model.resolved;
  const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const lm = new LoadedModel({ model });
  const session = lm.session();
  const ids = Array.from({ length: PROMPT }, (_, i) => (i * 37 + 11) % vocabulary);
  await session.read(ids);
  for await (const { id } of session.tokens({ maxNewTokens: TOKENS, greedy: true, eosTokenIds: [] })) ids.push(id);
  session.dispose();
  const { output } = model.forward(tensor(Int32Array.from(ids), [1, ids.length]));
  const logits = await readFloats(output);
  output.dispose();
  model.dispose();
  return { ids, logits };
}

async function compare(js: TransformersJs, from: string, folder: string): Promise<void> {
  const { operators } = values;
  await convert(from, folder, {
    to: "transformers.js",
    weights,
    ...(operators === undefined ? {} : { operators: operators as SaveOnnxOptions["operators"] & string }),
    notice: () => undefined,
  });
  const { ids, logits } = await ours(from);
  const model = await js.AutoModelForCausalLM.from_pretrained(folder, { dtype: DTYPES[weights] });
  const given = (part: readonly number[]): JsTensor =>
    new js.Tensor("int64", BigInt64Array.from(part, BigInt), [1, part.length]);
  // Ends at no token: where a model's file names one, the tokens after it are compared too.
  const options = { max_new_tokens: TOKENS, do_sample: false, eos_token_id: [-1] };
  const prompt = ids.slice(0, PROMPT);
  const mask = given(prompt.map(() => 1));
  const made = await model.generate({ inputs: given(prompt), attention_mask: mask, ...options });
  const theirs = Array.from(made.data as BigInt64Array, Number);
  const whole = await model({ input_ids: given(ids), attention_mask: given(ids.map(() => 1)) });
  await model.dispose();
  const largest = logits.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const found = whole.logits.data as Float32Array;
  const distance = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
  const same = theirs.length === ids.length && theirs.every((id, i) => id === ids[i]);
  const ok = same && distance <= BOUND * largest;
  if (!ok) process.exitCode = 1;
  const tokens = same ? `${TOKENS} the same` : `ours ${ids.slice(PROMPT).join(" ")}, theirs ${theirs.slice(PROMPT).join(" ")}`; // prettier-ignore
  console.log(`| ${basename(from)} | ${tokens} | ${distance.toExponential(1)} | ${largest.toFixed(2)} | ${ok ? "ok" : "FAILED"} |`); // prettier-ignore
}

const js = await transformersJs();
// WASM rounds what packed weights are multiplied with to eight bits; onnxruntime is told not to.
await setBackend(weights === "f32" ? wasmBackend() : cpuBackend());
const golden = fileURLToPath(new URL("../golden/hf/", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "statespace-transformers-js-"));
js.env.allowRemoteModels = false;
js.env.localModelPath = "/";
console.log(
  "| model | greedy tokens | largest difference of logits | largest logit | |\n| --- | --- | --- | --- | --- |",
);
try {
  for (const from of positionals.length > 0 ? positionals : MODELS.map((name) => join(golden, name)))
    await compare(js, from, join(work, basename(from)));
} finally {
  rmSync(work, { recursive: true });
}
