/**
 * Runs what `export-recipe` writes in PyTorch, and compares its losses with those of the same recipe here.
 *
 *   PYTHON=python3 pnpm --filter statespace export-check [--processes 2] [--model mamba2]
 *
 * PYTHON needs torch, transformers and accelerate. The losses of 20 steps may differ by 1e-3 of their size, as may the loss on what is held out of
 * what PyTorch saved, loaded here.
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { evaluate, fromPretrained, modelObjective } from "@statespace/models";
import { parseRecipe } from "../src/training/recipe.ts";
import { openTrainingData } from "../src/training/trainingData.ts";

const BOUND = 1e-3;
const { values } = parseArgs({
  options: { processes: { type: "string", default: "1" }, model: { type: "string", default: "mamba" } },
});
const python = process.env["PYTHON"] ?? "python3";
const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

const MODELS: Readonly<Record<string, object>> = {
  mamba: { hidden_size: 32, num_hidden_layers: 2, state_size: 8 },
  mamba2: {
    model_type: "mamba2",
    hidden_size: 32,
    num_hidden_layers: 2,
    state_size: 16,
    head_dim: 16,
    num_heads: 4,
    n_groups: 1,
    chunk_size: 16,
  },
};
const recipe = {
  data: { fixture: "moby-dick-opening.txt" },
  tokenizer: { kind: "bpe", vocabSize: 320 },
  model: MODELS[values.model],
  optimizer: { learningRate: 5e-3 },
  schedule: { kind: "wsd", warmUp: 0.2 },
  steps: 20,
  batchSize: 4,
  seqLen: 24,
  accumulate: 2,
  evaluation: { every: 20, tokens: 512, finalTokens: 512 },
  seed: 3,
};

function ran(command: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: "utf8", env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: exit ${status}\n${stderr}`);
  return stdout;
}

interface Event {
  readonly kind: string;
  readonly loss: number;
}
const eventsOf = (text: string, kind: string): number[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Event)
    .filter((event) => event.kind === kind)
    .map(({ loss }) => loss);

if (spawnSync(python, ["-c", "import torch, transformers, accelerate"]).status !== 0) {
  console.error(`${python} has no torch, transformers or accelerate; PYTHON names one that has them`);
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "export-"));
try {
  await mkdir(folder, { recursive: true });
  const config = join(folder, "recipe.json");
  await writeFile(config, JSON.stringify(recipe));
  const node = ["--conditions=statespace-source", cli];
  const words = ["train", "--config", config, "--out", join(folder, "here"), "--backend", "cpu", "--json"];
  const here = eventsOf(ran(process.execPath, [...node, ...words]), "step");
  const exported = join(folder, "exported");
  ran(process.execPath, [...node, "export-recipe", "--config", config, "--out", exported]);
  const script = [join(exported, "train.py"), "--cpu"];
  const many = ["-m", "torch.distributed.run", "--nproc-per-node", values.processes, ...script];
  const env = { ...process.env, OMP_NUM_THREADS: "1", ACCELERATE_USE_CPU: "true" };
  const told = ran(python, values.processes === "1" ? script : many, env);
  const there = eventsOf(told, "step");
  const off = here.map((loss, i) => Math.abs(loss - there[i]!) / loss);
  const largest = off.every(Number.isFinite) ? Math.max(...off) : Infinity;
  await setBackend(cpuBackend());
  const parsed = parseRecipe(recipe);
  const data = await openTrainingData(parsed, folder);
  const model = await fromPretrained(join(exported, "trained"));
  const { loss } = await evaluate(modelObjective(model, { carryState: true }), data.heldOut(512).batches());
  const held = eventsOf(told, "evaluation")[0]!;
  const loaded = Math.abs(loss - held) / held;
  console.log(
    `${values.model}, ${values.processes} process(es): ${here.length} losses, ${here[0]!.toFixed(4)} to ${here.at(-1)!.toFixed(4)}, differ by ${largest.toExponential(1)}; loaded back, the held-out loss ${loss.toFixed(5)} differs by ${loaded.toExponential(1)}`,
  );
  if (!(largest < BOUND && loaded < BOUND) || here.length !== 20) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
