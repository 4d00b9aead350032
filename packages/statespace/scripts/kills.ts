/**
 * Kills a training run (-9) at random moments, resumes it each time, and compares what it wrote in the end with a run in peace, byte for byte.
 *
 *   pnpm --filter statespace kills [--backend cpu,wasm,webgpu] [--kills 30] [--seed 1]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killedRun } from "./killedRun.ts";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "cpu,wasm" },
    kills: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
  },
});
for (const backend of values.backend.split(",")) {
  const folder = await mkdtemp(join(tmpdir(), "kills-"));
  try {
    const steps: number[] = [];
    const { kills, different } = await killedRun(folder, {
      backend,
      kills: Number(values.kills),
      seed: Number(values.seed),
      onKill: (_, step) => void steps.push(step),
    });
    const verdict = different.length === 0 ? "bit-equal" : `differs: ${different.join(", ")}`;
    console.log(`${backend}: ${kills} kills, after steps ${steps.join(" ")}: ${verdict}`);
    if (different.length > 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}
