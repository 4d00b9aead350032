import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What of node-llama-cpp is used. */
interface Sequence {
  controlledEvaluate(
    input: (readonly [number, { generateNext: { probabilities: true } }])[],
  ): Promise<({ next: { probabilities?: Map<number, number> } } | undefined)[]>;
}
interface Llama {
  loadModel(options: object): Promise<{
    createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
    dispose(): Promise<void>;
  }>;
  dispose(): Promise<void>;
}

/** llama.cpp as node-llama-cpp brings it. */
export interface LlamaCpp {
  /** Log probabilities of all tokens after each token of a text, in a file's model. */
  logProbabilities(file: string, ids: readonly number[]): Promise<Float32Array[]>;
  /** Its own quantiser. @throws Error where there is no Python to call it, or it fails */
  quantize(from: string, to: string, type: keyof typeof FILE_TYPES): void;
  dispose(): Promise<void>;
}

/** Numbers of llama_ftype. */
export const FILE_TYPES = {
  f32: 0,
  f16: 1,
  q4: 2,
  q4_1: 3,
  q8: 7,
  q5: 8,
  q5_1: 9,
  q4_k_s: 14,
  q4_k_m: 15,
  q5_k_s: 16,
  q5_k_m: 17,
  q6_k: 18,
  iq4_nl: 25,
  bf16: 32,
} as const;

/**
 * @param modules a folder where `npm i --ignore-scripts node-llama-cpp` was run
 * @param python calls the library's quantiser; it needs no packages
 * @returns undefined where llama.cpp is not there
 */
export async function openLlamaCpp(modules: string | undefined, python: string): Promise<LlamaCpp | undefined> {
  if (modules === undefined) return undefined;
  let llama: Llama;
  try {
    const path = createRequire(join(modules, "package.json")).resolve("node-llama-cpp");
    const module = (await import(pathToFileURL(path).href)) as { getLlama(options: object): Promise<Llama> };
    llama = await module.getLlama({ gpu: false, build: "never", logLevel: "error" });
  } catch {
    return undefined;
  }
  return {
    logProbabilities: (file, ids) => logProbabilities(llama, file, ids),
    quantize: (from, to, type) => quantize(modules, python, from, to, FILE_TYPES[type]),
    dispose: () => llama.dispose(),
  };
}

async function logProbabilities(llama: Llama, file: string, ids: readonly number[]): Promise<Float32Array[]> {
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: ids.length + 8,
    sequences: 1,
    // Its threads wait in loops, so that more of them than idle processors are slower than one.
    threads: 1,
    flashAttention: false,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  const results = await context
    .getSequence()
    .controlledEvaluate(ids.map((id) => [id, { generateNext: { probabilities: true } }] as const));
  await context.dispose();
  await model.dispose();
  return results.map((result) => {
    const found = result!.next.probabilities!;
    // Those that it leaves out are too small for its float.
    const row = new Float32Array(1 + [...found.keys()].reduce((most, id) => Math.max(most, id), 0)).fill(-Infinity);
    for (const [id, p] of found) row[id] = Math.log(p);
    return row;
  });
}

function quantize(modules: string, python: string, from: string, to: string, type: number): void {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const system = { linux: "linux", darwin: "mac", win32: "win" }[process.platform as string] ?? process.platform;
  const pattern = `node_modules/@node-llama-cpp/${system}-${arch}*/bins/*/*ggml-base.*`;
  const [library] = globSync(pattern, { cwd: modules }).toSorted((a, b) => a.length - b.length);
  if (library === undefined) throw new Error(`there is no ${pattern} in ${modules}`);
  const script = fileURLToPath(new URL("llama_cpp_quantize.py", import.meta.url));
  const ran = spawnSync(python, [script, join(modules, dirname(library)), from, to, String(type)], {
    encoding: "utf8",
  });
  if (ran.status !== 0)
    throw new Error(`llama.cpp's quantiser: ${ran.error?.message ?? ran.stderr.trim().split("\n").at(-1)}`);
}
