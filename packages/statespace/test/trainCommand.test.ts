import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setBackend } from "@statespace/core";
import { wasmBackend } from "@statespace/backend-wasm";
import { openSource } from "@statespace/files";
import { loadTokenizer } from "@statespace/text";
import { evaluate, fromPretrained, modelObjective, type TrainingEvent } from "@statespace/models";
import { evaluationBatches, loadFixture, splitText } from "@statespace/datasets";
import { afterEach, beforeEach, expect, it } from "vitest";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const recipe = {
  data: { fixture: "moby-dick-opening.txt" },
  tokenizer: { kind: "bpe", vocabSize: 320 },
  model: { hidden_size: 32, num_hidden_layers: 1, state_size: 8 },
  optimizer: { learningRate: 0.01 },
  steps: 60,
  batchSize: 2,
  seqLen: 32,
  rows: "contiguous",
  evaluation: { every: 30, tokens: 128, finalTokens: 256 },
  checkpoints: { every: 7 },
  seed: 5,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "train-command-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Sitting {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; `interruptAt` sends an interrupt once that step was told. */
async function statespaceTrain(settings: object, args: readonly string[], interruptAt?: number): Promise<Sitting> {
  const config = join(folder, "recipe.json");
  await writeFile(config, JSON.stringify(settings));
  const child = spawn(
    process.execPath,
    ["--conditions=statespace-source", cli, "train", "--config", config, "--backend", "wasm", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (!sent && interruptAt !== undefined && stdout.includes(`"step":${interruptAt},`)) sent = child.kill("SIGINT");
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

async function losses(output: string): Promise<(string | number)[][]> {
  const lines = (await readFile(join(output, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as TrainingEvent);
  return events.flatMap((event) =>
    event.kind === "step" || event.kind === "evaluation" ? [[event.kind, event.step, event.loss]] : [],
  );
}

it("writes a folder that loads as a Hugging Face checkpoint, with the held-out figures it reports", async () => {
  const output = join(folder, "model");
  const { code, stdout, stderr } = await statespaceTrain(recipe, ["--out", output]);
  expect(stderr).toMatch(/step 60 {2}end \(all steps done\)/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/bits per byte/);
  expect((await readdir(output)).sort()).toEqual([
    "best",
    "checkpoints",
    "config.json",
    "generation_config.json",
    "metrics.jsonl",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
  ]);
  const report = JSON.parse(await readFile(join(output, "training.json"), "utf8")) as {
    recipe: object;
    steps: number;
    heldOut: { loss: number; bitsPerByte: number };
    lossCurve: number[][];
  };
  expect([report.recipe, report.steps, report.lossCurve.length]).toEqual([recipe, 60, 60]);

  await setBackend(wasmBackend());
  const model = await fromPretrained(output);
  const tokenizer = (await loadTokenizer(openSource(output)))!;
  const text = splitText(new TextDecoder().decode(await loadFixture("moby-dick-opening.txt")), {
    validation: 0,
    test: 0.05,
  }).test;
  const again = await evaluate(
    modelObjective(model, { carryState: true }),
    evaluationBatches(tokenizer.encode(text).subarray(0, 257), 2048),
  );
  // The same weights and sums; a fresh process may use another SIMD path.
  expect(Math.abs(again.loss / report.heldOut.loss - 1)).toBeLessThan(1e-5);
  model.dispose();
});

it("leaves a checkpoint at an interrupt, and goes on from it as if nothing had happened", async () => {
  const [whole, torn] = [join(folder, "whole"), join(folder, "torn")];
  expect((await statespaceTrain(recipe, ["--out", whole])).code).toBe(0);
  const first = await statespaceTrain(recipe, ["--out", torn, "--json"], 11);
  expect(first.stderr).toMatch(/aborted/);
  expect(first.code).toBe(130);
  const refused = await statespaceTrain(recipe, ["--out", torn]);
  expect(refused.stderr).toMatch(/checkpoints already/);
  const second = await statespaceTrain(recipe, ["--out", torn, "--resume", "--json"]);
  expect(second.code).toBe(0);
  expect(await losses(torn)).toEqual(await losses(whole));
  expect(await readFile(join(torn, "model.safetensors"))).toEqual(await readFile(join(whole, "model.safetensors")));
  for (const line of `${first.stdout}${second.stdout}`.trimEnd().split("\n"))
    expect(JSON.parse(line)).toHaveProperty("kind");
});

it("keeps the weights of the best evaluation, not of the last", async () => {
  const output = join(folder, "model");
  // A rate this high destroys what the first steps learnt.
  const settings = {
    ...recipe,
    optimizer: { learningRate: 3 },
    schedule: { kind: "cosine", warmUp: 1 },
    clipNorm: 1000,
    steps: 30,
    evaluation: { every: 1, tokens: 128, finalTokens: 128 },
  };
  await statespaceTrain(settings, ["--out", output]);
  const report = JSON.parse(await readFile(join(output, "training.json"), "utf8")) as {
    heldOut: { loss: number };
    evaluations: { loss: number }[];
  };
  const evaluations = report.evaluations.map(({ loss }) => loss);
  expect(evaluations.at(-1)).toBeGreaterThan(1.01 * Math.min(...evaluations));
  // Both were measured on the same tokens; the report rounds to six digits.
  expect(Math.abs(report.heldOut.loss / Math.min(...evaluations) - 1)).toBeLessThan(1e-5);
});

it.each([
  [{ ...recipe, model: { hidden_size: -4 } }, /recipe: model: .*hidden_size/],
  [{ ...recipe, model: { vocab_size: 9 } }, /recipe: model.vocab_size comes from the data/],
  [{ ...recipe, data: { texts: ["missing.txt"] } }, /missing.txt cannot be read/],
  [{ ...recipe, batchsize: 3 }, /recipe: batchsize is not a setting/],
])("ends with status 1 and the key for a recipe that is wrong: %#", async (settings, message) => {
  const { code, stderr } = await statespaceTrain(settings, ["--out", join(folder, "model")]);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(1);
});

it("asks for what it needs", async () => {
  const { code, stderr } = await statespaceTrain(recipe, []);
  expect(stderr).toMatch(/--out is needed/);
  expect(code).toBe(2);
});
