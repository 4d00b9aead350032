// Adapters go to PEFT and come back: `node --conditions=statespace-source packages/conformance/counterparts/peftRoundTrip.ts --python PYTHON`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, Rng, setBackend, tensor } from "@statespace/core";
import { parseSafetensors, toFloat64Array } from "@statespace/files";
import {
  addAdapter,
  fromPretrained,
  loadAdapter,
  saveAdapter,
  type Adapter,
  type AdapterOptions,
  type Model,
} from "@statespace/models";

const USAGE = `usage: peftRoundTrip.ts [--python PYTHON] [--family NAME]
Writes adapters that PEFT loads, loads adapters that PEFT writes, and compares logits, beside and merged. PYTHON (or PEFT_PYTHON) is a Python that
has torch, transformers and peft. Exit 1 if any differ.`;

const golden = join(import.meta.dirname, "../golden/hf");
const IDS = [0, 1].map((row) => Array.from({ length: 13 }, (_, i) => (11 * i + 7 * row + 3) % 96));
/** Logits of float32 models beside float64 ones, in units of the largest: the layers of the delta rule alone account for 280 roundings. */
const BOUND = 512 * 2 ** -24;

/** An adapter on a tiny checkpoint: our options, and what they are in PEFT's words. */
interface Case {
  readonly family: string;
  readonly options: AdapterOptions & { readonly targetModules: string | readonly string[] };
}

const attention = ["q_proj", "v_proj"];
const CASES: readonly Case[] = [
  { family: "mamba-tiny", options: { targetModules: ["in_proj", "x_proj"], rank: 4 } },
  {
    family: "falcon-mamba-tiny",
    options: { targetModules: ["in_proj", "x_proj", "dt_proj"], rank: 2, useRslora: true },
  },
  { family: "mamba2-tiny", options: { targetModules: ["in_proj"], rank: 4, useDora: true } },
  { family: "granite-h-tiny", options: { targetModules: "all-linear", rank: 3, alpha: 5 } },
  {
    family: "granite-h-tiny",
    options: {
      targetModules: [...attention, "input_linear"],
      rank: 4,
      useDora: true,
      modulesToSave: ["lm_head", "norm"],
    },
  },
  {
    family: "falcon-h1-tiny",
    options: { targetModules: [...attention, "in_proj", "gate_proj"], rank: 4, alphaPattern: { in_proj: 2 } },
  },
  {
    family: "bamba-tiny",
    options: { targetModules: ".*\\.(k_proj|up_proj|in_proj)", rank: 2, rankPattern: { "layers.0.*in_proj": 5 } },
  },
  {
    family: "nemotron-h-tiny",
    options: { targetModules: [...attention, "up_proj"], rank: 2, modulesToSave: ["embeddings"] },
  },
  { family: "lfm2-tiny", options: { targetModules: ["in_proj", "w1", "k_proj"], rank: 4, layersToTransform: [0, 1] } },
  { family: "qwen3.5-tiny", options: { targetModules: "all-linear", rank: 2, useDora: true } },
  {
    family: "qwen3.5-tiny",
    options: { targetModules: ["q_proj", "in_proj_qkv", "in_proj_z"], rank: 4, useRslora: true },
  },
  { family: "qwen3-next-tiny", options: { targetModules: [...attention, "in_proj_qkvz", "in_proj_ba"], rank: 2 } },
  { family: "granite-h-moe-tiny", options: { targetModules: "all-linear", rank: 2 } },
  { family: "lfm2-moe-tiny", options: { targetModules: "all-linear", rank: 2 } },
  { family: "jamba-tiny", options: { targetModules: [...attention, "in_proj", "dt_proj"], rank: 2 } },
  { family: "zamba2-tiny", options: { targetModules: ["in_proj"], rank: 2 } },
  { family: "recurrent-gemma-tiny", options: { targetModules: "all-linear", rank: 2 } },
  { family: "olmo-hybrid-tiny", options: { targetModules: [...attention, "o_proj", "g_proj"], rank: 4 } },
];

const PEFT_NAMES: Readonly<Partial<Record<keyof AdapterOptions, string>>> = {
  rank: "r",
  alpha: "lora_alpha",
  targetModules: "target_modules",
  modulesToSave: "modules_to_save",
  layersToTransform: "layers_to_transform",
  rankPattern: "rank_pattern",
  alphaPattern: "alpha_pattern",
  useRslora: "use_rslora",
  useDora: "use_dora",
};

function peftSettings(options: AdapterOptions): Record<string, unknown> {
  const named = Object.entries(options).map(([name, value]) => [PEFT_NAMES[name as keyof AdapterOptions]!, value]);
  return { lora_alpha: 8, ...Object.fromEntries(named) };
}

async function logitsOf(model: Model): Promise<Float32Array> {
  const x = tensor(Int32Array.from(IDS.flat()), [IDS.length, IDS[0]!.length]);
  const { output } = model.forward(x);
  const values = await readFloats(output);
  for (const t of [x, output]) t.dispose();
  return values;
}

function disturb(adapter: Adapter): void {
  const rng = new Rng(3);
  for (const parameter of adapter.parameters) {
    const [, last] = /\.(lora_[AB])\.weight$/.exec(parameter.name) ?? [];
    if (last === "lora_B") parameter.assign(Float32Array.from({ length: parameter.size }, () => rng.normal(0, 0.05)));
  }
}

async function theirLogits(folder: string, name: "logits" | "merged"): Promise<Float64Array> {
  const file = join(folder, "logits.safetensors");
  return toFloat64Array(parseSafetensors(new Uint8Array(await readFile(file)), file).tensors.get(name)!);
}

function difference(a: ArrayLike<number>, b: Float64Array): number {
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.length === b.length
    ? b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0) / scale
    : Infinity;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { python: { type: "string" }, family: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const python = values.python ?? process.env["PEFT_PYTHON"];
  if (python === undefined || (python.includes("/") && !existsSync(python))) {
    console.error(`${python === undefined ? "no Python was named" : `${python} is not there`}\n\n${USAGE}`);
    return 2;
  }
  await setBackend(cpuBackend());
  const root = mkdtempSync(join(tmpdir(), "peft-"));
  const cases = CASES.filter(({ family }) => values.family === undefined || family === values.family);
  const jobs = [];
  const ours: Float32Array[] = [];
  const oursMerged: Float32Array[] = [];
  for (const [i, { family, options }] of cases.entries()) {
    const base = join(golden, family);
    const model = await fromPretrained(base);
    const adapter = await addAdapter(model, { ...options, notice: () => undefined });
    disturb(adapter);
    const job = {
      name: `${i}`,
      base,
      ours: join(root, `${i}`, "ours"),
      theirs: join(root, `${i}`, "theirs"),
      ids: IDS,
      settings: peftSettings(options),
    };
    await saveAdapter(adapter, job.ours, { baseModel: base });
    ours.push(await logitsOf(model));
    await adapter.merge();
    oursMerged.push(await logitsOf(model));
    model.dispose();
    jobs.push(job);
  }
  const list = join(root, "jobs.json");
  writeFileSync(list, JSON.stringify(jobs));
  const { stdout, stderr, status } = spawnSync(python, [join(import.meta.dirname, "peft_round_trip.py"), list], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) {
    console.error(`${python} failed:\n${stderr}`);
    return 2;
  }
  const answers = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { ok: boolean; why?: string });
  console.log(
    "| base | adapter | ours in PEFT | merged | PEFT's here | merged |\n| --- | --- | --- | --- | --- | --- |",
  );
  let failed = 0;
  for (const [i, job] of jobs.entries()) {
    const { family, options } = cases[i]!;
    const label = `| ${family} | ${JSON.stringify(options).replaceAll("|", "\\|")}`;
    const answer = answers[i];
    if (answer?.ok !== true) {
      failed++;
      console.log(`${label} | ${answer?.why ?? "no answer"} | | | |`);
      continue;
    }
    const figures = [
      difference(ours[i]!, await theirLogits(job.ours, "logits")),
      difference(oursMerged[i]!, await theirLogits(job.ours, "merged")),
    ];
    const model = await fromPretrained(job.base);
    const adapter = await loadAdapter(model, job.theirs);
    figures.push(difference(await logitsOf(model), await theirLogits(job.theirs, "logits")));
    await adapter.merge();
    figures.push(difference(await logitsOf(model), await theirLogits(job.theirs, "merged")));
    model.dispose();
    if (figures.some((figure) => !(figure <= BOUND))) failed++;
    console.log(`${label} | ${figures.map((figure) => figure.toExponential(1)).join(" | ")} |`);
  }
  console.log(
    `${jobs.length - failed} of ${jobs.length} agree: largest difference of a logit at most ${BOUND.toExponential(1)} of the largest`,
  );
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
