import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledCheckpoint } from "statespace";
import { afterAll, beforeAll, expect, it } from "vitest";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fine-tune-"));
const base = fileURLToPath(bundledCheckpoint());
const [texts, lines] = [join(folder, "text.txt"), join(folder, "lines.jsonl")];
beforeAll(() => {
  writeFileSync(texts, "The sea was calm and the ship went down. ".repeat(40));
  writeFileSync(
    lines,
    '{"prompt": "Who?", "completion": " Ahab."}\n{"prompt": "What?", "completion": " The whale."}\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function train(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--conditions=statespace-source", cli, "train", "--backend", "cpu", ...args]);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

const SHORT = ["--steps", "2", "--batch-size", "1", "--seq-len", "16", "--held-out", "0"];

it("trains an adapter on a checkpoint with packed weights, and resumes it", async () => {
  const out = join(folder, "adapter");
  const args = ["--init", base, "--data", lines, "--out", out, "--lora", "--rank", "2", "--weights", "q8", ...SHORT];
  args.push("--round-activations");
  const first = await train([...args, "--save-every", "1", "--tensorboard", "--recompute"]);
  expect(first.stderr).toMatch(/step 2 {2}end/);
  expect(first.stdout).toMatch(/of [\d,]+ weights, 2 steps; loss \d/);
  expect(first.code).toBe(0);
  expect(readdirSync(out)).toEqual(
    expect.arrayContaining(["adapter_config.json", "adapter_model.safetensors", "metrics.jsonl", "checkpoints"]),
  );
  expect(JSON.parse(readFileSync(join(out, "adapter_config.json"), "utf8"))).toMatchObject({
    r: 2,
    base_model_name_or_path: base,
  });
  const board = readdirSync(out).find((name) => name.startsWith("events.out.tfevents."));
  expect(readFileSync(join(out, board!)).toString("latin1").split("train/loss")).toHaveLength(3);
  const more = await train([...args.map((word, i) => (args[i - 1] === "--steps" ? "3" : word)), "--resume", "--json"]);
  const events = more.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; step?: number });
  expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["resumed", "step", "end", "trained"]));
  expect(events.filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual([3]);
});

it("trains all weights but some on a text, and writes a whole model", async () => {
  const out = join(folder, "whole");
  const { code, stderr } = await train([
    "--init",
    base,
    "--data",
    texts,
    "--out",
    out,
    "--freeze",
    "embeddings",
    "--optimizer",
    "lion",
    ...SHORT,
  ]);
  expect(stderr).toMatch(/step 2 {2}end/);
  expect(code).toBe(0);
  expect(readdirSync(out)).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]));
});

it.each<[string, string[], RegExp]>([
  [
    "a place that would replace what is read",
    ["--init", base, "--data", "x.txt", "--out", base],
    /--out is the checkpoint that --init/,
  ],
  ["no data", ["--init", base, "--out", "x"], /--data is needed/],
  [
    "an adapter's option without one",
    ["--init", base, "--data", texts, "--out", "x", "--rank", "4"],
    /--rank goes with --lora/,
  ],
  [
    "rounding without an adapter",
    ["--init", base, "--data", texts, "--out", "x", "--round-activations"],
    /--round-activations goes with --lora/,
  ],
  ["an option of --init without it", ["--config", "x.json", "--lora"], /--lora goes with --init/],
  [
    "an optimiser that is none",
    ["--init", base, "--data", texts, "--out", "x", "--optimizer", "adam"],
    /must be adamW or adamW8 or lion or muon, got "adam"/,
  ],
  ["both", ["--config", "x.json", "--init", base], /give one of them/],
  ["a file that is not there", ["--init", base, "--data", "nowhere.txt", "--out", "x"], /nowhere.txt cannot be read/],
  [
    "packed weights without an adapter",
    ["--init", base, "--data", texts, "--out", join(folder, "no"), "--weights", "q8"],
    /packed as q8 cannot be trained/,
  ],
])("refuses %s", async (_, args, message) => {
  const { code, stderr } = await train(args);
  expect(stderr).toMatch(message);
  expect(code).not.toBe(0);
});
