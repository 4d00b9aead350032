/**
 * Compares models here with llama.cpp, which reads the GGUF files that are written here: log probabilities of every token at each place, and whether
 * greedy decoding goes the same way.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/llamaCpp.ts --modules DIR [--weights F32,Q8_0] [--tokens 64] [MODEL ...]
 *
 * DIR is a folder where `npm i --ignore-scripts node-llama-cpp` was run. MODEL is a folder, a GGUF file, or a family whose random model of a small or, with
 * --large, of about 90 million weights is taken (`all` is each of them); the tiny models of the golden vectors unless told.
 * Exit code 1 where a bound is missed, 2 where llama.cpp is not there.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, setBackend, tensor } from "@statespace/core";
import { load, LoadedModel, Model, parseModelConfig, type GgufWeights } from "@statespace/models";
import { standInTokenizer } from "../bench/standIn.ts";
import { shapeOf, SHAPES } from "./shapes.ts";

/** What of node-llama-cpp is used. */
interface Sequence {
  controlledEvaluate(
    input: (readonly [number, { generateNext: { probabilities: true } }])[],
  ): Promise<({ next: { probabilities?: Map<number, number> } } | undefined)[]>;
}
interface LlamaModule {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
      dispose(): Promise<void>;
    }>;
    dispose(): Promise<void>;
  }>;
}

/** Largest difference of log probabilities, of tokens above one in a million. */
const BOUND = 1e-3;
const GGUF = /\.gguf$/i;

async function llamaModule(folder: string | undefined): Promise<LlamaModule> {
  const from = folder === undefined ? undefined : createRequire(join(folder, "package.json"));
  try {
    return (await import(pathToFileURL(from!.resolve("node-llama-cpp")).href)) as LlamaModule;
  } catch {
    console.error(
      "node-llama-cpp is not there: npm i --ignore-scripts node-llama-cpp in a folder, and give it as --modules DIR",
    );
    process.exit(2);
  }
}

/** Greedy ids after a prompt, and the log probabilities of all tokens after each token but the last. */
async function ours(
  lm: LoadedModel,
  prompt: readonly number[],
  count: number,
): Promise<{ ids: number[]; rows: Float32Array[] }> {
  const session = lm.session();
  const ids = [...prompt];
  await session.read(prompt);
  for await (const { id } of session.tokens({ maxNewTokens: count, greedy: true, eosTokenIds: [] })) ids.push(id);
  session.dispose();
  const { output } = lm.model.forward(tensor(Int32Array.from(ids), [1, ids.length], { backend: lm.model.backend }));
  const logits = await readFloats(output);
  output.dispose();
  const v = logits.length / ids.length;
  return { ids, rows: ids.map((_, i) => logSoftmax(logits.subarray(i * v, (i + 1) * v))) };
}

function logSoftmax(row: Float32Array): Float32Array {
  const most = row.reduce((a, b) => Math.max(a, b));
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
  return row.map((x) => x - total);
}

/** Theirs, teacher-forced with the same ids. */
async function theirs(
  llama: Awaited<ReturnType<LlamaModule["getLlama"]>>,
  file: string,
  ids: readonly number[],
): Promise<Map<number, number>[]> {
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: ids.length + 8,
    sequences: 1,
    flashAttention: false,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  const results = await context
    .getSequence()
    .controlledEvaluate(ids.map((id) => [id, { generateNext: { probabilities: true } }] as const));
  await context.dispose();
  await model.dispose();
  return results.map((result) => result!.next.probabilities!);
}

const vocabularyOf = ({ model }: LoadedModel): number =>
  model.resolved.encoder.kind === "embedding" ? model.resolved.encoder.vocabSize : 0;

interface Comparison {
  /** The largest difference of log probabilities. */
  readonly worst: number;
  /** Places after the prompt at which both find the same token most probable, and how many there are. */
  readonly same: number;
  readonly places: number;
}

function compare(
  rows: readonly Float32Array[],
  probabilities: readonly Map<number, number>[],
  promptLength: number,
): Comparison {
  let [worst, same] = [0, 0];
  rows.forEach((row, i) => {
    let likeliest = -1;
    for (const [id, p] of probabilities[i]!) {
      if (likeliest < 0 || p > probabilities[i]!.get(likeliest)!) likeliest = id;
      if (p > 1e-6) worst = Math.max(worst, Math.abs(Math.log(p) - row[id]!));
    }
    if (i >= promptLength - 1 && row[likeliest] === row.reduce((a, b) => Math.max(a, b))) same++;
  });
  return { worst, same, places: rows.length - promptLength + 1 };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      modules: { type: "string" },
      large: { type: "boolean", default: false },
      weights: { type: "string", default: "f32,q8" },
      tokens: { type: "string", default: "64" },
    },
  });
  const { getLlama } = await llamaModule(values.modules);
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
  await setBackend(wasmBackend());
  const golden = fileURLToPath(new URL("../golden/hf/", import.meta.url));
  const given = positionals.includes("all") ? SHAPES : positionals;
  const models = given.length > 0 ? given : readdirSync(golden).map((name) => join(golden, name));
  const folder = mkdtempSync(join(tmpdir(), "statespace-gguf-"));
  let failed = 0;
  console.log(
    "| model | weights | largest difference of log probabilities | same greedy token |\n| --- | --- | --- | --- |",
  );
  try {
    for (const from of models)
      for (const weights of GGUF.test(from) ? ["as it is"] : values.weights.split(",")) {
        const file = GGUF.test(from) ? from : join(folder, `${basename(from)}-${weights}.gguf`);
        try {
          if (file !== from) {
            const shape = shapeOf(from, values.large ? "large" : "small");
            const lm =
              shape === undefined
                ? await load(from)
                : new LoadedModel({ model: new Model(parseModelConfig(shape), 7) });
            const files = lm.tokenizer === undefined ? standInTokenizer(vocabularyOf(lm)) : {};
            await lm.saveGguf(file, { weights: weights as GgufWeights, files });
            lm.dispose();
          }
          // What the file holds, whatever it was made of: quantised weights are judged by themselves.
          const read = await load(file, { weights: "f32" });
          const vocab = vocabularyOf(read);
          const prompt = Array.from({ length: 9 }, (_, i) => (i * 37 + 5) % vocab);
          const { ids, rows } = await ours(read, prompt, Number(values.tokens));
          read.dispose();
          const { worst, same, places } = compare(rows, await theirs(llama, file, ids), prompt.length);
          const exact = weights === "f32" || weights === "as it is";
          if (exact && (worst > BOUND || same < places)) failed++;
          console.log(`| ${basename(from)} | ${weights} | ${worst.toExponential(1)} | ${same} of ${places} |`);
        } catch (error) {
          console.log(
            `| ${basename(from)} | ${weights} | ${error instanceof Error ? error.message.slice(0, 200) : String(error)} | |`,
          );
        }
      }
  } finally {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  }
  await llama.dispose();
  return failed > 0 ? 1 : 0;
}

process.exit(await main());
