/**
 * Compares models here with llama.cpp, which reads the GGUF files that are written here. In float32: the log probabilities of every token after each of a
 * text, and whether greedy decoding goes the same way. In fewer bits: how far the log probabilities of float32 are in llama.cpp of a file of its own quantiser
 * and of our file, of which ours may be no farther; and how far our file here is from llama.cpp with the same weights as floats, on a backend that multiplies
 * in float32 as the other then does. WASM rounds what it multiplies with weights of 8 bits, as llama.cpp does: each is one draw of the same noise, the
 * largest of which is higher or lower by chance, so that figure is shown beside llama.cpp's and judged nowhere.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/llamaCpp.ts --modules DIR [--weights f32,f16,q8] [--tokens 64] [MODEL ...]
 *
 * DIR is a folder where `npm i --ignore-scripts node-llama-cpp` was run. MODEL is a folder, a GGUF file, or a family whose random model of a small or, with
 * --large, of 90 million weights or more is taken (`all` is each of them); the tiny models of the golden vectors unless told. --python PYTHON calls llama.cpp's
 * quantiser (python3 unless told; no packages needed).
 * Exit code 1 where a bound is missed, 2 where llama.cpp is not there.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { ArgumentError, setBackend } from "@statespace/core";
import { startBackend } from "@statespace/core/backend";
import { folderSource, openGguf } from "@statespace/files";
import { load, LoadedModel, Model, parseModelConfig, type GgufWeights } from "@statespace/models";
import { standInTokenizer } from "../bench/standIn.ts";
import { openLlamaCpp, type LlamaCpp } from "./llamaCppEngine.ts";
import { distance, greedyIds, logProbabilities, type Distance } from "./logProbabilities.ts";
import { shapeOf, SHAPES } from "./shapes.ts";

/** Largest difference of log probabilities that are computed in float32 from the same weights. */
const BOUND = 1e-3;
const GGUF = /\.gguf$/i;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" },
    python: { type: "string", default: "python3" },
    large: { type: "boolean", default: false },
    weights: { type: "string", default: "f32,f16,q8" },
    tokens: { type: "string", default: "64" },
  },
});

const vocabularyOf = ({ model }: LoadedModel): number =>
  model.resolved.encoder.kind === "embedding" ? model.resolved.encoder.vocabSize : 0;

async function open(from: string): Promise<LoadedModel> {
  const shape = shapeOf(from, options.large ? "large" : "small");
  return shape === undefined ? await load(from) : new LoadedModel({ model: new Model(parseModelConfig(shape), 7) });
}

/** What float32 says: the text, and the log probabilities after each of its tokens in llama.cpp. */
interface Reference {
  readonly ids: readonly number[];
  readonly promptLength: number;
  readonly rows: readonly Float32Array[];
  /** How far float32 here is from it. */
  readonly ours: Distance;
}

async function reference(
  llama: LlamaCpp,
  file: string,
): Promise<{ readonly found: Reference; readonly weights: number }> {
  const lm = await load(file, { weights: "f32" });
  try {
    const vocab = vocabularyOf(lm);
    const prompt = Array.from({ length: 9 }, (_, i) => (i * 37 + 5) % vocab);
    const ids = await greedyIds(lm, prompt, Number(options.tokens));
    const rows = await llama.logProbabilities(file, ids);
    const ours = distance(await logProbabilities(lm, ids), rows, prompt.length);
    const weights = lm.model.parameters.reduce((sum, { size }) => sum + size, 0);
    return { found: { ids, promptLength: prompt.length, rows, ours }, weights };
  } finally {
    lm.dispose();
  }
}

/** How many tensors of two files are the same, byte for byte. */
async function sameBytes(own: string, theirs: string): Promise<string> {
  const [a, b] = await Promise.all([own, theirs].map((path) => openGguf(folderSource(dirname(path)), basename(path))));
  let same = 0;
  for (const key of b!.entries.keys()) {
    if (a!.entries.get(key)?.dtype !== b!.entries.get(key)!.dtype) continue;
    const [x, y] = [(await a!.read(key)).bytes, (await b!.read(key)).bytes];
    if (Buffer.compare(x, y) === 0) same++;
  }
  return `${same} of ${b!.entries.size}`;
}

const figure = ({ worst, rms }: Distance): string => `${worst.toExponential(1)} (${rms.toExponential(1)})`;
const greedy = ({ same, places }: Distance): string => `${same} of ${places}`;

/** A line of the table for weights of fewer bits, and whether our file is within llama.cpp's own distance there, and within the bound here. */
async function fewerBits(
  llama: LlamaCpp,
  weights: "f16" | "q8",
  { exact, file }: { readonly exact: string; readonly file: string },
  { ids, promptLength, rows }: Reference,
): Promise<{ readonly line: string; readonly ok: boolean }> {
  const theirFile = `${file}.theirs.gguf`;
  llama.quantize(exact, theirFile, weights);
  const bytes = await sameBytes(file, theirFile);
  const own = distance(await llama.logProbabilities(theirFile, ids), rows, promptLength);
  rmSync(theirFile);
  const there = distance(await llama.logProbabilities(file, ids), rows, promptLength);
  // As the file has them: matrices stay packed.
  const here = distance(await logProbabilitiesOf(file, "wasm", ids), rows, promptLength);
  const same = distance(
    await logProbabilitiesOf(file, "cpu", ids),
    await llama.logProbabilities(await widened(file), ids),
    promptLength,
  );
  rmSync(wide(file));
  const ok = there.worst <= own.worst && same.worst <= BOUND;
  const figures = [own, there, here, same].map(figure).join(" | ");
  return { line: `${bytes} | ${figures} | ${greedy(here)}`, ok };
}

async function logProbabilitiesOf(file: string, backend: string, ids: readonly number[]): Promise<Float32Array[]> {
  const lm = await load(file, { backend });
  const rows = await logProbabilities(lm, ids);
  lm.dispose();
  return rows;
}

const wide = (file: string): string => `${file}.wide.gguf`;

/** The same weights as floats, as they are read here. */
async function widened(file: string): Promise<string> {
  const lm = await load(file, { weights: "f32" });
  await lm.saveGguf(wide(file), { weights: "f32" });
  lm.dispose();
  return wide(file);
}

/** The lines of a model. @returns how many bounds are missed */
async function judge(llama: LlamaCpp, from: string, folder: string): Promise<number> {
  const name = basename(from);
  const wanted = options.weights.split(",");
  const given = GGUF.test(from);
  const exact = given ? from : join(folder, `${name}-f32.gguf`);
  const files = new Map<string, string>([["f32", exact]]);
  if (!given) {
    const lm = await open(from);
    const text = lm.tokenizer === undefined ? standInTokenizer(vocabularyOf(lm)) : {};
    for (const weights of new Set(["f32", ...wanted])) {
      const file = join(folder, `${name}-${weights}.gguf`);
      await lm.saveGguf(file, { weights: weights as GgufWeights, files: text });
      files.set(weights, file);
    }
    lm.dispose();
  }
  let missed = 0;
  const { found, weights } = await reference(llama, exact);
  const model = `${name} (${(weights / 1e6).toPrecision(3)} M)`;
  const { ours } = found;
  const exactly = ours.worst <= BOUND && ours.same === ours.places;
  if (!exactly) missed++;
  console.log(
    `| ${model} | ${given ? "as it is" : "f32"} | | | | | ${figure(ours)} | ${greedy(ours)} | ${exactly ? "yes" : "NO"} |`,
  );
  for (const each of wanted) {
    if (given || each === "f32") continue;
    const { line, ok } = await fewerBits(llama, each as "f16" | "q8", { exact, file: files.get(each)! }, found);
    if (!ok) missed++;
    console.log(`| ${model} | ${each} | ${line} | ${ok ? "yes" : "NO"} |`);
  }
  if (!given) for (const file of files.values()) rmSync(file);
  return missed;
}

async function main(): Promise<number> {
  const llama = await openLlamaCpp(options.modules, options.python);
  if (llama === undefined) {
    console.error(
      "llama.cpp is not there: npm i --ignore-scripts node-llama-cpp in a folder, and give it as --modules DIR",
    );
    return 2;
  }
  await startBackend(cpuBackend());
  await setBackend(wasmBackend());
  const golden = fileURLToPath(new URL("../golden/hf/", import.meta.url));
  const all = positionals.includes("all") ? SHAPES : positionals;
  const models = all.length > 0 ? all : readdirSync(golden).map((name) => join(golden, name));
  const folder = mkdtempSync(join(tmpdir(), "statespace-gguf-"));
  let missed = 0;
  console.log(
    "Largest difference of log probabilities from those of float32 in llama.cpp, and the root of their mean square; in the last column but two of our file on a backend that multiplies in float32 from llama.cpp's with the same weights as floats.\n\n" +
      "| model | weights | tensors as llama.cpp's, byte for byte | llama.cpp's file there | our file there | our file here (WASM) | our file here, same weights there | same greedy token here | within |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
  );
  try {
    for (const from of models) {
      try {
        missed += await judge(llama, from, folder);
      } catch (error) {
        // What no architecture of llama.cpp can say is no fault.
        if (!(error instanceof ArgumentError)) throw error;
        console.log(`| ${basename(from)} | ${error.message.slice(0, 200)} | | | | | | |`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
    await llama.dispose();
  }
  return missed > 0 ? 1 : 0;
}

process.exit(await main());
