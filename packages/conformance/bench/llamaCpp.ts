/**
 * Decoding and prefill beside llama.cpp itself, in turns, on the same weights: a GGUF file of random weights that is written here, which both read.
 *
 *     node --conditions statespace-source packages/conformance/bench/llamaCpp.ts --modules DIR [--weights q8] [--threads 2] [--rounds 5] [--tokens 32] [--prompt 512] [--json] [SHAPE ...]
 *
 * DIR is a folder where `npm i --ignore-scripts node-llama-cpp` was run. SHAPE: those below; all unless told. Ratios are of medians of wall time,
 * theirs over ours, and of the least processor time of a turn, all threads together, which tells more on a busy machine.
 * Exit code 1 where a bar is missed (decoding 1.0, of mamba-130m 1.2, prefill 0.7), 2 where llama.cpp is not there.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { load, LoadedModel, Model, parseModelConfig, type GgufWeights, type Session } from "@statespace/models";
import { PUBLISHED_SHAPES } from "./publishedShapes.ts";
import { standInTokenizer } from "./standIn.ts";

/** What of node-llama-cpp is used. */
interface Sequence {
  evaluate(tokens: readonly number[], options: { temperature: number }): AsyncGenerator<number, void, void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  clearHistory(): Promise<void>;
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

type Part = "decode" | "prefill";

/** The least ratio of their time to ours. */
const barOf = (shape: string, part: Part): number => (part === "prefill" ? 0.7 : shape === "mamba-130m" ? 1.2 : 1);

/** An engine that reads a prompt, then says tokens. */
interface Engine {
  read(prompt: readonly number[]): Promise<void>;
  say(count: number): Promise<void>;
}

function oursOf(lm: LoadedModel): Engine {
  let session: Session | undefined;
  const say = async (count: number): Promise<void> => {
    for await (const _ of session!.tokens({ maxNewTokens: count, greedy: true, eosTokenIds: [] }));
  };
  return {
    read: async (prompt) => {
      session?.dispose();
      session = lm.session();
      await session.read(prompt);
      await say(1); // what was read is there
    },
    say,
  };
}

function theirsOf(sequence: Sequence): Engine {
  const say = async (count: number): Promise<void> => {
    let left = count;
    for await (const _ of sequence.evaluate([5], { temperature: 0 })) if (--left === 0) break;
  };
  return {
    read: async (prompt) => {
      await sequence.clearHistory();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1));
      await say(1);
    },
    say,
  };
}

/** Wall and processor time of a piece of work, in milliseconds. */
async function timed(work: () => Promise<void>): Promise<{ wall: number; cpu: number }> {
  const [usage, from] = [process.cpuUsage(), performance.now()];
  await work();
  const wall = performance.now() - from;
  const { user, system } = process.cpuUsage(usage);
  return { wall, cpu: (user + system) / 1000 };
}
const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!;

interface Row {
  readonly shape: string;
  readonly part: Part;
  /** Milliseconds a token, medians. */
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly cpuRatio: number;
  readonly holds: boolean;
}

/** Both engines in turns. */
async function compare(
  shape: string,
  engines: { ours: Engine; theirs: Engine },
  options: { rounds: number; tokens: number; prompt: number },
): Promise<Row[]> {
  const prompt = Array.from({ length: options.prompt }, (_, i) => (i * 37 + 5) % 30_000);
  const times = { ours: { decode: [], prefill: [] }, theirs: { decode: [], prefill: [] } } as Record<
    keyof typeof engines,
    Record<Part, { wall: number; cpu: number }[]>
  >;
  for (let round = -1; round < options.rounds; round++)
    for (const name of ["ours", "theirs"] as const) {
      const prefill = await timed(() => engines[name].read(prompt));
      const decode = await timed(() => engines[name].say(options.tokens));
      if (round < 0) continue;
      times[name].prefill.push(prefill);
      times[name].decode.push(decode);
    }
  return (["decode", "prefill"] as const).map((part) => {
    const count = part === "decode" ? options.tokens : options.prompt;
    const [ours, theirs] = [times.ours[part], times.theirs[part]].map(
      (list) => median(list.map((t) => t.wall)) / count,
    );
    const least = (list: readonly { cpu: number }[]): number => Math.min(...list.map(({ cpu }) => cpu));
    const ratio = theirs! / ours!;
    const cpuRatio = least(times.theirs[part]) / least(times.ours[part]);
    return { shape, part, ours: ours!, theirs: theirs!, ratio, cpuRatio, holds: ratio >= barOf(shape, part) };
  });
}

async function llamaModule(folder: string | undefined): Promise<LlamaModule> {
  try {
    const from = createRequire(join(folder!, "package.json"));
    return (await import(pathToFileURL(from.resolve("node-llama-cpp")).href)) as LlamaModule;
  } catch {
    console.error(
      "node-llama-cpp is not there: npm i --ignore-scripts node-llama-cpp in a folder, and give it as --modules DIR",
    );
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      modules: { type: "string" },
      weights: { type: "string", default: "q8" },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "5" },
      tokens: { type: "string", default: "32" },
      prompt: { type: "string", default: "512" },
      json: { type: "boolean", default: false },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(PUBLISHED_SHAPES);
  const unknown = names.find((name) => PUBLISHED_SHAPES[name] === undefined);
  if (unknown !== undefined) {
    console.error(`there is no shape ${unknown}; there are ${Object.keys(PUBLISHED_SHAPES).join(", ")}`);
    return 2;
  }
  const [threads, rounds, tokens, prompt] = [values.threads, values.rounds, values.tokens, values.prompt].map(Number);
  const { getLlama } = await llamaModule(values.modules);
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: threads });
  await setBackend(wasmBackend({ threads }));
  const folder = mkdtempSync(join(tmpdir(), "statespace-llama-"));
  const weights = values.weights as GgufWeights;
  let held = true;
  if (!values.json) {
    console.log(`${cpus()[0]!.model.trim()}, ${threads} threads, ${weights}, prompts of ${prompt}`);
    console.log("| shape | what | ours, ms a token | llama.cpp | times as fast | by processor time | bar |");
    console.log("| --- | --- | --- | --- | --- | --- | --- |");
  }
  try {
    for (const shape of names) {
      const file = join(folder, `${shape}.gguf`);
      const made = new LoadedModel({ model: new Model(parseModelConfig(PUBLISHED_SHAPES[shape]!), 7) });
      const { encoder } = made.model.resolved;
      const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 0;
      await made.saveGguf(file, { weights, files: standInTokenizer(vocabulary) });
      made.dispose();
      const lm = await load(file, { weights: weights === "q4_k_m" ? "q4" : weights });
      const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
      const context = await model.createContext({
        contextSize: prompt! + tokens! + 64,
        batchSize: prompt,
        sequences: 1,
        threads,
      });
      const engines = { ours: oursOf(lm), theirs: theirsOf(context.getSequence()) };
      const options = { rounds: rounds!, tokens: tokens!, prompt: prompt! };
      for (const row of await compare(shape, engines, options)) {
        held &&= row.holds;
        const { part, ours, theirs, ratio, cpuRatio } = row;
        const cells = [shape, part, ours.toFixed(2), theirs.toFixed(2), ratio.toFixed(2), cpuRatio.toFixed(2)];
        console.log(values.json ? JSON.stringify(row) : `| ${cells.join(" | ")} | >= ${barOf(shape, part)} |`);
      }
      await context.dispose();
      await model.dispose();
      lm.dispose();
      rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  await llama.dispose();
  return held ? 0 : 1;
}

process.exit(await main());
