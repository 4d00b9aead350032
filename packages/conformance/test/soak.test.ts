import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { registerBackend, stopBackend } from "@statespace/core";
import { afterAll, expect, it } from "vitest";
import { growth, type Held } from "../src/soak/held.ts";
import { soak } from "../src/soak/run.ts";

const HELD: Held = {
  handles: 10,
  storages: 9,
  storageBytes: 1000,
  backendBytes: 4000,
  heapBytes: 1_000_000,
  residentBytes: 5_000_000,
};

it("is flat within its share, and one tensor more is told", () => {
  expect(growth(HELD, { ...HELD, heapBytes: 1_009_000, backendBytes: 3000, residentBytes: 9e9 }, 0.01)).toEqual([]);
  expect(growth(HELD, { ...HELD, handles: 11, heapBytes: 1_011_000 }, 0.01)).toEqual([
    "handles was 10, is 11",
    "heapBytes was 1000000, is 1011000: 1.10 % more",
  ]);
  expect(growth(HELD, { ...HELD, storages: 8, storageBytes: 900 }, 0.01)).toHaveLength(2);
});

afterAll(() => {
  for (const name of ["cpu", "wasm"]) stopBackend(name);
});

// The heap settles after thousands of steps only: short runs are judged on what is counted.
it.each([cpuBackend(), wasmBackend({ threads: 2 })])(
  "$name: counts return after tokens, steps and aborts",
  async (backend) => {
    registerBackend(backend);
    const parts: string[] = [];
    for await (const { part, done, before, after } of soak(backend.name, {
      tokens: 60,
      steps: 20,
      aborts: 40,
      seed: 2,
    })) {
      parts.push(`${done} ${part}`);
      const { handles, storages, storageBytes } = before;
      expect(after, part).toMatchObject({ handles, storages, storageBytes });
      expect(storages).toBeGreaterThan(20);
    }
    expect(parts).toEqual(["60 tokens", "20 steps", "40 aborts"]);
  },
);
