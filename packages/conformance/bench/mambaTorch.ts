import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ignored, type Problem, type Trainer } from "./mambaProblem.ts";

const script = join(import.meta.dirname, "mamba_torch.py");

function save({ weights, config, batch, ids, targets, learningRate }: Problem): string[] {
  const folder = mkdtempSync(join(tmpdir(), "mamba-torch-"));
  let offset = 0;
  const index = Object.fromEntries(
    [...weights].map(([name, { shape, values }]) => {
      const entry = { shape, offset, size: values.length };
      offset += values.length;
      return [name, entry];
    }),
  );
  const { nLayer, dState, dConv, dtRank, normEps } = config;
  const setting = {
    weights: index,
    nLayer,
    dState,
    dConv,
    dtRank,
    eps: normEps,
    batch,
    ids: [...ids],
    targets: [...targets],
    ignored,
    learningRate,
  };
  const files = [join(folder, "weights.json"), join(folder, "weights.bin")] as const;
  writeFileSync(files[0], JSON.stringify(setting));
  writeFileSync(
    files[1],
    Buffer.concat(
      [...weights.values()].map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    ),
  );
  return [...files];
}

/** PyTorch in a process of its own that trains one step a line; undefined, said on stderr, where this Python has no torch. */
export async function trainTorch(
  problem: Problem,
  form: "loop" | "parallel",
  threads: number,
  python: string,
): Promise<Trainer | undefined> {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: "passive" };
  const child = spawn(python, [script, ...save(problem), form, String(threads)], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (text) => (complaint += String(text)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python}: ${complaint.trim().split("\n").at(-1)}`);
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  let hello: Record<string, unknown>;
  try {
    await once(child, "spawn");
    hello = await answer();
  } catch (error) {
    console.error(`PyTorch is left out: ${(error as Error).message}`);
    return undefined;
  }
  return {
    label: `PyTorch ${String(hello["torch"])}, ${form} scan, ${String(hello["threads"])} threads`,
    note:
      form === "loop" ? "the recurrence as a loop over time" : "up and down sweeps in place, backward pass of its own",
    async step() {
      child.stdin.write("step\n");
      return (await answer())["loss"] as number;
    },
    close: () => void child.kill(),
  };
}
