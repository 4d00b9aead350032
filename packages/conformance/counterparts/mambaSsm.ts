/**
 * Compares models here with the form of the mamba_ssm package, both ways: Mamba, Mamba-2 and Mamba-3 (MIMO too), and hybrids of them with attention.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/mambaSsm.ts [--python PYTHON] [--large] [--json] [CASE ...]
 *
 * PYTHON has torch (what PYTHON says, or python3). The package itself needs CUDA; `mamba_ssm_state_dict.py` makes what its save_pretrained leaves (pytorch_model.bin,
 * config.json), takes folders as its from_pretrained does, every name and shape and no other, and computes the logits in float64, token by token. Each model is read here, and its logits
 * compared; converted by `statespace convert --to mamba_ssm` of what was read, its tensors must have the same names, types and bits there, its settings be the same, and its logits too.
 * Then golden checkpoints of transformers go the one way. With --large the models have about 90 million weights. Exit code 1 where something differs, 2 where there is no torch.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, setBackend, tensor, tidy } from "@statespace/core";
import { convert, fromPretrained } from "@statespace/models";
import { logitsBound } from "../src/golden/languageModel.ts";

const SCRIPT = fileURLToPath(new URL("mamba_ssm_state_dict.py", import.meta.url));
const GOLDEN = fileURLToPath(new URL("../golden/hf/", import.meta.url));
const [BATCH, LENGTH] = [2, 21];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: process.env["PYTHON"] ?? "python3" },
    large: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

/** A model that Python made. */
interface Made {
  readonly name: string;
  readonly dtype: string;
  readonly vocabulary: number;
  readonly weights: number;
}
/** What a folder is there. */
type Answer = { readonly error: string } | { readonly tensors: number; readonly different: readonly string[] };
interface Task {
  readonly folder: string;
  readonly ids: readonly (readonly number[])[];
  readonly like?: string;
}
interface Row {
  readonly model: string;
  readonly weights: string;
  readonly tensors: number;
  /** Largest differences of logits by the largest: of the files that came, here; of those that went, there; what is allowed. */
  readonly read: number | undefined;
  readonly written: number;
  readonly bound: number;
  readonly different: readonly string[];
}

function python(...args: readonly string[]): string {
  return execFileSync(options.python, [SCRIPT, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 }); // prettier-ignore
}

const lines = <T>(text: string): T[] => text.trim().split("\n").map((line) => JSON.parse(line) as T); // prettier-ignore

/** Loads folders there; their logits lie in them afterwards. */
function run(work: string, tasks: readonly Task[]): readonly Answer[] {
  const file = join(work, "tasks.json");
  writeFileSync(file, JSON.stringify(tasks));
  return lines<Answer>(python("run", file));
}

const idsOf = (vocabulary: number): readonly (readonly number[])[] =>
  Array.from({ length: BATCH }, (_, row) => Array.from({ length: LENGTH }, (__, i) => (7 * i * i + 11 * i + 3 + 29 * row) % vocabulary)); // prettier-ignore

function theirLogits(folder: string): Float64Array {
  return new Float64Array(new Uint8Array(readFileSync(join(folder, "logits.bin"))).buffer);
}

async function ourLogits(folder: string): Promise<{ logits: Float32Array; vocabulary: number; roundings: number }> {
  const model = await fromPretrained(folder, { notice: () => undefined });
  try {
    const { vocabSize: vocabulary } = model;
    const ids = tensor(Int32Array.from(idsOf(vocabulary).flat()), [BATCH, LENGTH], { backend: model.backend });
    const output = tidy(() => model.forward(ids).output);
    const logits = await readFloats(output);
    output.dispose();
    ids.dispose();
    return { logits, vocabulary, roundings: logitsBound(model, 1) };
  } finally {
    model.dispose();
  }
}

/** The largest difference, by the largest logit; not a number where they are not as many. */
function distance(ours: Float32Array, theirs: Float64Array): number {
  const largest = theirs.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const off = theirs.reduce((most, x, i) => Math.max(most, Math.abs(x - (ours[i] ?? Number.NaN))), 0);
  return ours.length === theirs.length && largest > 0 ? off / largest : Number.NaN;
}

/** Where one of mamba_ssm's own models goes, and what it became. */
async function there(work: string, made: Made): Promise<Row> {
  const [from, to] = [join(work, made.name), join(work, `${made.name}-converted`)];
  const { logits, roundings } = await ourLogits(from);
  await convert(from, to, { to: "mamba_ssm", notice: () => undefined });
  const ids = idsOf(made.vocabulary);
  const [own, converted] = run(work, [{ folder: from, ids }, { folder: to, ids, like: from }]); // prettier-ignore
  for (const answer of [own!, converted!]) if ("error" in answer) throw new Error(answer.error);
  const { tensors, different } = converted as Extract<Answer, { tensors: number }>;
  const [read, written] = [from, to].map((folder) => distance(logits, theirLogits(folder))) as [number, number];
  const weights = `${(made.weights / 1e6).toFixed(made.weights < 1e7 ? 1 : 0)} M ${made.dtype}`;
  return { model: made.name, weights, tensors, read, written, bound: roundings, different };
}

/** A checkpoint of transformers in mamba_ssm's form. */
async function out(work: string, name: string): Promise<Row> {
  const to = join(work, name);
  const { logits, vocabulary, roundings } = await ourLogits(join(GOLDEN, name));
  await convert(join(GOLDEN, name), to, { to: "mamba_ssm", notice: () => undefined });
  const [answer] = run(work, [{ folder: to, ids: idsOf(vocabulary) }]);
  if ("error" in answer!) throw new Error(answer.error);
  const written = distance(logits, theirLogits(to));
  return { model: `${name} of transformers`, weights: "float32", tensors: answer!.tensors, read: undefined, written, bound: roundings, different: [] }; // prettier-ignore
}

const figure = (x: number | undefined): string => (x === undefined ? "" : x.toExponential(1));

async function tell(name: string, make: () => Promise<Row>): Promise<void> {
  try {
    const row = await make();
    const ok = row.written <= row.bound && (row.read ?? 0) <= row.bound && row.different.length === 0;
    if (!ok) process.exitCode = 1;
    if (options.json) return console.log(JSON.stringify({ ...row, ok }));
    const same = row.read === undefined ? "" : row.different.length === 0 ? "the same" : row.different.slice(0, 3).join("; "); // prettier-ignore
    const cells = [row.model, row.weights, row.tensors, figure(row.read), same, figure(row.written), figure(row.bound), ok ? "ok" : "NOT OK"]; // prettier-ignore
    console.log(`| ${cells.join(" | ")} |`);
  } catch (error) {
    process.exitCode = 1;
    console.log(options.json ? JSON.stringify({ model: name, ok: false, why: (error as Error).message }) : `| ${name} | ${(error as Error).message.slice(0, 300)} | | | | | | NOT OK |`); // prettier-ignore
  }
}

async function main(): Promise<void> {
  if (spawnSync(options.python, ["-c", "import torch"], { stdio: "ignore" }).status !== 0) {
    console.error(`${options.python} has no torch: pip install torch, and give that interpreter as --python PYTHON`);
    process.exit(2);
  }
  await setBackend(wasmBackend());
  const work = mkdtempSync(join(tmpdir(), "statespace-mamba-ssm-"));
  try {
    if (!options.json) {
      console.log("| model | weights | tensors | read here: logits off by | converted: names, types, bits, settings | there: logits off by | allowed | |"); // prettier-ignore
      console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
    }
    for (const made of lines<Made>(python("make", work, options.large ? "large" : "small", ...positionals))) {
      await tell(made.name, () => there(work, made));
      for (const folder of [made.name, `${made.name}-converted`]) rmSync(join(work, folder), { recursive: true, force: true }); // prettier-ignore
    }
    if (positionals.length === 0 && !options.large)
      for (const name of ["mamba-tiny", "mamba2-tiny"]) await tell(name, () => out(work, name));
  } finally {
    rmSync(work, { recursive: true });
  }
}

await main();
