import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Rng } from "@statespace/core";

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

/** Everything that a checkpoint can hold: two kinds of moments, a carried state, a moving average, the best weights. */
const RECIPE = {
  data: { fixture: "moby-dick-opening.txt" },
  tokenizer: { kind: "byte" },
  model: { hidden_size: 16, num_hidden_layers: 1, state_size: 4 },
  optimizer: { kind: "muon", learningRate: 0.01 },
  ema: 0.9,
  batchSize: 2,
  seqLen: 16,
  rows: "contiguous",
  evaluation: { every: 10, tokens: 64, finalTokens: 64 },
  checkpoints: { every: 5 },
  seed: 5,
};
/** Files of a checkpoint that must be equal; `training.json` has times in it. */
const FILES = ["model", "optimizer", "carried", "average"].map((name) => `${name}.safetensors`);

/** What came of a run that was killed. */
export interface KilledRun {
  readonly kills: number;
  /** Files that differ from those of the run that was not; none, or there is a fault. */
  readonly different: readonly string[];
}

/** How often, and from which seed the moments are drawn. */
export interface KillOptions {
  readonly backend: string;
  readonly kills: number;
  readonly seed: number;
  readonly onKill?: (count: number, step: number) => void;
}

/**
 * Trains a small model by the command line, once in peace, and once killed (-9) at random moments and resumed until it is done; compares all that
 * both wrote in the end, byte for byte.
 */
export async function killedRun(folder: string, { backend, kills, seed, onKill }: KillOptions): Promise<KilledRun> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, "recipe.json");
  // A sitting comes some fifteen steps further; a quick machine goes on for many before the signal is there.
  await writeFile(config, JSON.stringify({ ...RECIPE, steps: 40 * kills + 30 }));
  const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
  await sitting(["--config", config, "--out", whole, "--backend", backend, "--json"]);
  const rng = new Rng(seed);
  let count = 0;
  while (count < kills) {
    const words = ["--config", config, "--out", parts, "--backend", backend, "--json", "--resume"];
    const killed = await sitting(words, { lines: 1 + rng.integer(30), milliseconds: rng.uniform(0, 30) });
    if (killed === undefined) break;
    count++; // apart: where nobody listens, the arguments of a call are not evaluated
    onKill?.(count, killed);
  }
  await sitting(["--config", config, "--out", parts, "--backend", backend, "--json", "--resume"]);
  return { kills: count, different: await differences(whole, parts) };
}

/** Runs the command to its end, or kills it so long after so many lines. Returns the step it was at, undefined where it ended. */
async function sitting(
  words: readonly string[],
  kill?: { readonly lines: number; readonly milliseconds: number },
): Promise<number | undefined> {
  const child = spawn(process.execPath, ["--conditions=statespace-source", CLI, "train", ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [lines, step, errors] = [0, 0, ""];
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().split("\n")) {
      if (line === "") continue;
      lines++;
      step = Number(/"step":(\d+)/.exec(line)?.[1] ?? step);
    }
    if (kill !== undefined && lines >= kill.lines) timer ??= setTimeout(() => child.kill("SIGKILL"), kill.milliseconds);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (...end) => resolve(end));
  });
  clearTimeout(timer);
  if (signal === "SIGKILL") return step;
  if (code !== 0) throw new Error(`train ${words.join(" ")}: exit ${code}: ${errors}`);
  return undefined;
}

async function differences(whole: string, parts: string): Promise<string[]> {
  const newest = async (folder: string): Promise<string> =>
    (await readdir(join(folder, "checkpoints")))
      .filter((name) => name.startsWith("step-"))
      .sort()
      .at(-1)!;
  const name = await newest(whole);
  const files = ["model.safetensors", "best/model.safetensors", ...FILES.map((file) => `checkpoints/${name}/${file}`)];
  const different: string[] = [];
  for (const file of files) {
    const [a, b] = await Promise.all(
      [whole, parts].map((folder) => readFile(join(folder, file)).catch(() => undefined)),
    );
    if (a === undefined || b === undefined || !a.equals(b)) different.push(file);
  }
  const left = (await readdir(join(parts, "checkpoints"))).filter((each) => !/^step-\d+$/.test(each));
  return [...different, ...left];
}
