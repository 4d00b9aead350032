import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRandomCheckpoint } from "../bench/randomCheckpoint.ts";

const MIB = 2 ** 20;
const linux = process.platform === "linux";
const title = linux ? "loading 75 million weights of float32" : "the peak of loading is told by Linux only";

interface Figures {
  readonly parameters: number;
  readonly packedMatrices: number;
  readonly packed: number;
  readonly largest: number;
  readonly kept: number;
  readonly peak: number;
  readonly held: number;
}

describe.skipIf(!linux)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "load-peak-"));
  // Its largest tensor, 32 MiB, is a small part: the whole model as float32 (286 MiB), or as half floats beside q4, breaks the bound.
  beforeAll(() => writeRandomCheckpoint(folder, { hidden: 1024, layers: 10, vocabulary: 8192 }), 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const backend of ["wasm", "cpu"])
    it.each(["q4", "q8", "f16", "bf16"])(
      `as %s on ${backend} takes the packed size, one tensor of float32 and 64 MiB at most`,
      async (weights) => {
        const script = new URL("../bench/loadPeak.ts", import.meta.url).pathname;
        const args = ["--folder", folder, "--weights", weights, "--backend", backend, "--json"];
        const { stdout } = await promisify(execFile)(process.execPath, [
          "--conditions=statespace-source",
          script,
          ...args,
        ]);
        const { parameters, packedMatrices, packed, largest, kept, peak, held } = JSON.parse(stdout) as Figures;
        expect([parameters, packedMatrices, largest]).toEqual([75_062_272, 41, 32 * MIB]);
        const bits = { q4: 4.5, q8: 8.5, f16: 16, bf16: 16 }[weights]!;
        expect(packed).toBeLessThan((1.04 * parameters * bits) / 8);
        expect(kept).toBeLessThan(1.01 * packed);
        expect(peak).toBeLessThan(packed + largest + 64 * MIB);
        expect(held).toBeLessThan(packed + largest + 64 * MIB);
      },
      120_000,
    );

  it("of a hybrid takes the same: Falcon-H1-Tiny-90M as q4 on wasm", async () => {
    const script = new URL("../bench/loadPeak.ts", import.meta.url).pathname;
    const args = ["--shape", "falcon-h1-tiny-90m", "--weights", "q4", "--backend", "wasm", "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=statespace-source", script, ...args]);
    const { parameters, packed, largest, peak, held } = JSON.parse(stdout) as Figures;
    expect([parameters, largest]).toEqual([91_131_072, 64 * MIB]);
    expect(packed).toBeLessThan((1.04 * parameters * 4.5) / 8);
    expect(peak).toBeLessThan(packed + largest + 64 * MIB);
    expect(held).toBeLessThan(packed + largest + 64 * MIB);
  }, 120_000);
});
