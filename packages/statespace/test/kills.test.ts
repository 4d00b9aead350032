import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { killedRun } from "../scripts/killedRun.ts";

it("a run that is killed goes on as if it was not, bit for bit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kills-"));
  try {
    const { kills, different } = await killedRun(folder, { backend: "cpu", kills: 3, seed: 2 });
    expect(different).toEqual([]);
    expect(kills).toBe(3);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 480_000);
