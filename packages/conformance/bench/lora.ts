// Steps of an adapter beside those of all weights, and beside PyTorch with PEFT, in turns; losses must agree before anything is timed.
// Processor time is that of all threads: on a shared machine, with --threads 1, it is what tells.
//   node --conditions=statespace-source bench/lora.ts [--shape mamba2-130m] [--python PATH] [--rounds N] [--only full,adapter,torch] [--recompute] [--logitsAtOnce N] [--folder DIR]
// The most that the backend held is of all that ran until then, the making of the checkpoint too: --only one trainer, and --folder with one that is made, tell of a step.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { AdamW, memory, readFloats, Rng, setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import {
  adapterObjective,
  addAdapter,
  fromPretrained,
  Model,
  modelObjective,
  nextTokenTargets,
  parseModelConfig,
  saveAdapter,
  savePretrained,
  trainStep,
  type Trainable,
  type TrainingBatch,
} from "@statespace/models";

const { values: options } = parseArgs({
  options: {
    shape: { type: "string", default: "mamba2-130m" },
    backend: { type: "string", default: "wasm" },
    threads: { type: "string", default: "2" },
    batch: { type: "string", default: "4" },
    length: { type: "string", default: "256" },
    rank: { type: "string", default: "8" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    recompute: { type: "boolean", default: false },
    logitsAtOnce: { type: "string", default: String(2 ** 26) },
    folder: { type: "string" },
    python: { type: "string" },
  },
});
const how = { recompute: options.recompute, logitsAtOnce: Number(options.logitsAtOnce) };
const RATE = 1e-3;
/** Sums of some thousand f32 terms in another order, and a few steps of AdamW from B = 0. */
const AGREEMENT = 2e-3;
/** Steps before timing, whose losses are compared. */
const CHECKED = 2;

const mamba2 = {
  model_type: "mamba2",
  state_size: 128,
  head_dim: 64,
  n_groups: 1,
  expand: 2,
  tie_word_embeddings: true,
};
const falconH1 = {
  model_type: "falcon_h1",
  tie_word_embeddings: true,
  mamba_d_head: 32,
  mamba_n_groups: 1,
  mamba_rms_norm: false,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 64,
};
const SHAPES: Readonly<Record<string, Record<string, unknown>>> = {
  "mamba2-130m": { ...mamba2, hidden_size: 768, num_hidden_layers: 24, num_heads: 24, vocab_size: 50288 },
  "mamba2-small": { ...mamba2, hidden_size: 256, num_hidden_layers: 4, num_heads: 8, vocab_size: 4096 },
  "falcon-h1-90m": {
    ...falconH1,
    hidden_size: 512,
    num_hidden_layers: 24,
    intermediate_size: 768,
    mamba_d_ssm: 768,
    mamba_n_heads: 24,
    mamba_d_state: 64,
    vocab_size: 32768,
  },
};

interface Step {
  readonly loss: number;
  /** Processor time, in milliseconds. */
  readonly busy: number;
}

interface Trainer {
  readonly label: string;
  step(): Promise<Step>;
  close(): void;
}

const shape = SHAPES[options.shape];
if (shape === undefined) throw new Error(`--shape: there are ${Object.keys(SHAPES).join(", ")}`);
const backend = { cpu: cpuBackend(), wasm: wasmBackend({ threads: Number(options.threads) }), webgpu: webGpuBackend() }[
  options.backend
];
if (backend === undefined) throw new Error("--backend: there are cpu, wasm, webgpu");
await setBackend(backend);

const [b, l] = [Number(options.batch), Number(options.length)];
const config = parseModelConfig(shape);
const rng = new Rng(1);
const ids = Int32Array.from({ length: b * l }, () => rng.integer(Number(shape["vocab_size"])));
const batch: TrainingBatch = { inputs: ids, shape: [b, l], targets: nextTokenTargets(ids, l), targetShape: [b, l] };
const folder = options.folder ?? mkdtempSync(join(tmpdir(), "lora-bench-"));
const [base, adapterFolder] = [join(folder, "base"), join(folder, "adapter")];
if (!existsSync(adapterFolder)) {
  const model = new Model(config, 1);
  await savePretrained(model, base);
  const adapter = await addAdapter(model, { rank: Number(options.rank), seed: 1 });
  await saveAdapter(adapter, adapterFolder, { baseModel: base });
  model.dispose();
}

function ours(label: string, trainable: Trainable, model: Model): Trainer {
  const optimizer = new AdamW(trainable.parameters, { learningRate: RATE, weightDecay: 0 });
  const random = new Rng(2);
  return {
    label,
    async step() {
      const before = process.cpuUsage();
      const { measures } = trainStep(trainable, optimizer, [batch], { learningRate: RATE, rng: random });
      const [loss] = await readFloats(measures);
      measures.dispose();
      const { user, system } = process.cpuUsage(before);
      return { loss: loss!, busy: (user + system) / 1000 };
    },
    close() {
      optimizer.dispose();
      model.dispose();
    },
  };
}

async function oursWithAdapter(weights: "f32" | "q8" | "q4", roundActivations = false): Promise<Trainer> {
  const model = await fromPretrained(base, { weights });
  const adapter = await addAdapter(model, { rank: Number(options.rank), seed: 1 });
  const label = `adapter of rank ${options.rank}, base ${weights}${roundActivations ? ", rounded" : ""}`;
  return ours(label, adapterObjective(adapter, { roundActivations, ...how }), model);
}

async function torch(python: string): Promise<Trainer | undefined> {
  const file = join(folder, "batch.json");
  writeFileSync(file, JSON.stringify({ ids: [...ids], shape: [b, l] }));
  const args = [join(import.meta.dirname, "lora_torch.py"), base, adapterFolder, file, options.threads, String(RATE)];
  const env = { ...process.env, OMP_NUM_THREADS: options.threads, OMP_WAIT_POLICY: "passive" };
  const child = spawn(python, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (text) => (complaint += String(text)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python}: ${complaint.trim().split("\n").at(-1)}`);
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  try {
    await once(child, "spawn");
    const hello = await answer();
    return {
      label: `PyTorch ${String(hello["torch"])} + PEFT, ${String(hello["threads"])} threads`,
      async step() {
        child.stdin.write("step\n");
        return (await answer()) as unknown as Step;
      },
      close: () => void child.kill(),
    };
  } catch (error) {
    console.error(`PyTorch is left out: ${(error as Error).message}`);
    return undefined;
  }
}

const makers: Readonly<Record<string, () => Promise<Trainer | undefined>>> = {
  full: async () => {
    const model = await fromPretrained(base);
    return ours("all weights", modelObjective(model, how), model);
  },
  adapter: () => oursWithAdapter("f32"),
  "adapter q8": () => oursWithAdapter("q8"),
  "adapter q8 rounded": () => oursWithAdapter("q8", true),
  "adapter q4 rounded": () => oursWithAdapter("q4", true),
  torch: async () => (options.python === undefined ? undefined : torch(options.python)),
};
const trainers: { readonly trainer: Trainer; readonly times: number[]; readonly busy: number[] }[] = [];
const MIB = 1 << 20;
let reference: number[] | undefined;
for (const [name, make] of Object.entries(makers)) {
  if (options.only !== "" && !options.only.split(",").includes(name)) continue;
  const before = memory().bytes;
  const trainer = await make();
  if (trainer === undefined) continue;
  const losses: number[] = [];
  for (let i = 0; i < CHECKED; i++) losses.push((await trainer.step()).loss);
  const held = ((memory().bytes - before) / MIB).toFixed(0);
  console.error(
    `${trainer.label}: losses ${losses.map((loss) => loss.toFixed(4)).join(", ")}; holds ${held} MiB; backend ${(currentBackend().memory().heldBytes / MIB).toFixed(0)} and process ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`,
  );
  trainers.push({ trainer, times: [], busy: [] });
  if (name === "adapter" || name === "torch") {
    reference ??= losses;
    if (!losses.every((loss, i) => Math.abs(loss - reference![i]!) < AGREEMENT * Math.abs(loss)))
      throw new Error(`${trainer.label}: losses ${losses.join(", ")}, ours ${reference.join(", ")}`);
  }
}
for (let round = 0; round < Number(options.rounds); round++)
  for (const { trainer, times, busy } of trainers) {
    const from = performance.now();
    busy.push((await trainer.step()).busy);
    times.push(performance.now() - from);
  }
console.log(`${options.shape}, b ${b}, l ${l}, ${options.backend}, ${cpus().length} x ${cpus()[0]?.model}`);
for (const { trainer, times, busy } of trainers) {
  if (times.length === 0) continue;
  const sorted = times.toSorted((x, y) => x - y);
  const median = sorted[sorted.length >> 1]!;
  console.log(
    `${trainer.label.padEnd(44)} ${median.toFixed(0).padStart(7)} ms a step (best ${sorted[0]!.toFixed(0)}) ${((1000 * b * l) / median).toFixed(0).padStart(7)} tokens/s, processor time ${Math.min(...busy).toFixed(0)} ms at least`,
  );
  trainer.close();
}
process.exit();
