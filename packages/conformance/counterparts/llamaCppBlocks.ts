/**
 * Reads files of llama.cpp's quantiser, of each type, beside Python's gguf package: every value, bit for bit. In float32 also whether greedy decoding goes the
 * same way as in llama.cpp.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/llamaCppBlocks.ts --modules DIR --python PYTHON [--large] [MODEL ...]
 *
 * DIR is a folder where `npm i --ignore-scripts node-llama-cpp` was run, PYTHON has gguf. MODEL is a folder, or a family whose random model of a small or, with
 * --large, of 90 million weights or more is taken; each of them unless told. Exit code 1 where something differs, 2 where llama.cpp or gguf is not there.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { folderSource, openGguf, toFloat32Array } from "@statespace/files";
import { load, LoadedModel, Model, parseModelConfig } from "@statespace/models";
import { standInTokenizer } from "../bench/standIn.ts";
import { FILE_TYPES, openLlamaCpp, type LlamaCpp } from "./llamaCppEngine.ts";
import { distance, greedyIds, logProbabilities } from "./logProbabilities.ts";
import { shapeOf, SHAPES } from "./shapes.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" },
    python: { type: "string", default: "python3" },
    large: { type: "boolean", default: false },
  },
});

/** What Python's package finds in a file. */
type Found = Readonly<Record<string, { readonly type: string; readonly sum: string }>>;

function readByPython(file: string): Found {
  const script = fileURLToPath(new URL("gguf_values.py", import.meta.url));
  const ran = spawnSync(options.python, [script, file], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (ran.status !== 0)
    throw new Error(`gguf of Python: ${ran.error?.message ?? ran.stderr.trim().split("\n").at(-1)}`);
  return JSON.parse(ran.stdout) as Found;
}

/** Tensors of each type of a file, and how many of them have the same values here, bit for bit. */
async function compare(file: string): Promise<ReadonlyMap<string, { same: number; all: number }>> {
  const own = (await openGguf(folderSource(dirname(file)), basename(file)))!;
  const counts = new Map<string, { same: number; all: number }>();
  for (const [name, { type, sum }] of Object.entries(readByPython(file))) {
    const count = counts.get(type) ?? { same: 0, all: 0 };
    counts.set(type, count);
    count.all++;
    const values = toFloat32Array(await own.read(name));
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (createHash("sha256").update(bytes).digest("hex") === sum) count.same++;
  }
  return counts;
}

/** Places of 64 tokens and the last of their prompt at which llama.cpp, too, finds the token most probable that greedy decoding takes here. */
async function greedyOf(llama: LlamaCpp, file: string): Promise<{ readonly same: number; readonly places: number }> {
  const lm = await load(file, { weights: "f32" });
  const { encoder } = lm.model.resolved;
  const vocab = encoder.kind === "embedding" ? encoder.vocabSize : 0;
  const prompt = Array.from({ length: 9 }, (_, i) => (i * 37 + 5) % vocab);
  const ids = await greedyIds(lm, prompt, 64);
  const rows = await logProbabilities(lm, ids);
  lm.dispose();
  return distance(rows, await llama.logProbabilities(file, ids), prompt.length);
}

async function judge(llama: LlamaCpp, from: string, folder: string): Promise<boolean> {
  const shape = shapeOf(from, options.large ? "large" : "small");
  const lm = shape === undefined ? await load(from) : new LoadedModel({ model: new Model(parseModelConfig(shape), 7) });
  const { encoder } = lm.model.resolved;
  const files =
    lm.tokenizer === undefined ? standInTokenizer(encoder.kind === "embedding" ? encoder.vocabSize : 0) : {};
  const [exact, theirs] = [join(folder, "exact.gguf"), join(folder, "theirs.gguf")];
  await lm.saveGguf(exact, { weights: "f32", files });
  lm.dispose();
  let ok = true;
  for (const type of Object.keys(FILE_TYPES) as (keyof typeof FILE_TYPES)[]) {
    llama.quantize(exact, theirs, type);
    const counts = await compare(theirs);
    const greedy = type === "f32" ? await greedyOf(llama, theirs) : undefined;
    const same = [...counts.values()].every((count) => count.same === count.all);
    ok &&= same && greedy?.same === greedy?.places;
    const cell = [...counts].map(([name, count]) => `${name} ${count.same} of ${count.all}`).join(", ");
    console.log(
      `| ${basename(from)} | ${type} | ${cell} | ${greedy === undefined ? "" : `${greedy.same} of ${greedy.places}`} | ${same ? "yes" : "NO"} |`,
    );
  }
  return ok;
}

async function main(): Promise<number> {
  const llama = await openLlamaCpp(options.modules, options.python);
  if (llama === undefined || spawnSync(options.python, ["-c", "import gguf"]).status !== 0) {
    console.error(
      "llama.cpp or gguf is not there: npm i --ignore-scripts node-llama-cpp in a folder and give it as --modules DIR, pip install gguf for --python PYTHON",
    );
    return 2;
  }
  await setBackend(wasmBackend());
  const folder = mkdtempSync(join(tmpdir(), "statespace-blocks-"));
  let ok = true;
  console.log(
    "| model | llama.cpp's file of | tensors with the values of Python's gguf, bit for bit | same greedy token | all |\n| --- | --- | --- | --- | --- |",
  );
  try {
    for (const from of positionals.length > 0 ? positionals : SHAPES) ok = (await judge(llama, from, folder)) && ok;
  } finally {
    rmSync(folder, { recursive: true });
    await llama.dispose();
  }
  return ok ? 0 : 1;
}

process.exit(await main());
