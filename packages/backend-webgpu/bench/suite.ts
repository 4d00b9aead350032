import { registerBackend, setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { cpuBackend } from "@statespace/backend-cpu";
import { webGpuBackend, type Precision, type WebGpuBackend } from "../src/index.ts";
import { benchChunked, chunkedCases, smallChunkedCases } from "./chunked.ts";
import { benchDecode, replayWays, usualWay, type WeightFormat } from "./decode.ts";
import { benchGemm, benchGemv } from "./gemm.ts";
import { benchPrefill, benchTrain } from "./models.ts";
import { relativeError } from "./random.ts";
import type { Report } from "./report.ts";
import { benchScan } from "./scan.ts";
import { scanResults, type ScanCase } from "./scanCase.ts";

/** What can be run. `ways` decodes with every way to make the captured graph. */
export const benches = ["scan", "chunked", "gemm", "decode", "prefill", "train", "ways"] as const;
export type Bench = (typeof benches)[number];

/** How much: for a software device, a laptop, a data centre's card. */
export const sizes = ["small", "medium", "full"] as const;
export type Size = (typeof sizes)[number];

interface Extents {
  /** A tiny model instead of mamba-130m. */
  readonly tiny: boolean;
  readonly checked: ScanCase;
  /** b, l, d; always 16 states. */
  readonly scans: readonly (readonly [number, number, number])[];
  /** m, n, k. */
  readonly gemms: readonly (readonly [number, number, number])[];
  /** n, k. */
  readonly gemvs: readonly (readonly [number, number])[];
  readonly formats: readonly WeightFormat[];
  readonly rounds: number;
  readonly tokens: number;
  readonly prompt: number;
  /** b, l. */
  readonly train: readonly [number, number];
}

const withAll = { z: true, D: true, bias: true, initial: true, softplus: true };

const extents: Readonly<Record<Size, Extents>> = {
  small: {
    tiny: true,
    checked: { b: 2, l: 40, d: 32, n: 16, ...withAll },
    scans: [[1, 64, 64]],
    gemms: [[128, 128, 128]],
    gemvs: [],
    formats: ["f32", "f16", "q8", "q4"],
    rounds: 2,
    tokens: 4,
    prompt: 32,
    train: [2, 16],
  },
  medium: {
    tiny: false,
    checked: { b: 2, l: 300, d: 96, n: 16, ...withAll },
    scans: [
      [1, 2048, 1536],
      [4, 2048, 1536],
    ],
    gemms: [
      [1024, 1024, 1024],
      [2048, 3072, 768],
    ],
    gemvs: [[3072, 768]],
    formats: ["f32", "f16", "q8"],
    rounds: 4,
    tokens: 32,
    prompt: 512,
    train: [1, 256],
  },
  full: {
    tiny: false,
    checked: { b: 2, l: 300, d: 96, n: 16, ...withAll },
    scans: [
      [8, 2048, 1536],
      [1, 65_536, 1536],
      [1, 2048, 1536],
    ],
    gemms: [
      [4096, 4096, 4096],
      [2048, 3072, 768],
      [4096, 80, 1536],
      [80, 1536, 4096],
    ],
    gemvs: [
      [3072, 768],
      [768, 1536],
      [80, 1536],
      [50_280, 768],
    ],
    formats: ["f32", "f16", "q8", "q4"],
    rounds: 8,
    tokens: 64,
    prompt: 2048,
    train: [4, 1024],
  },
};

/** Opens the device, and checks the scan and its gradients against the CPU reference: nothing is timed that is wrong. Returns the device's name. */
async function openChecked(checked: ScanCase, precision: Precision): Promise<string> {
  registerBackend(cpuBackend());
  registerBackend(webGpuBackend({ precision }));
  await setBackend("cpu");
  const reference = await scanResults(checked);
  await setBackend("webgpu");
  const out = await scanResults(checked);
  for (const name of Object.keys(reference)) {
    const error = relativeError(out[name]!, reference[name]!);
    if (!(error < 3e-6)) throw new Error(`scan: ${name} is off by ${error}`);
  }
  const { name, refused } = (currentBackend() as WebGpuBackend).traits;
  return [name, `precision ${precision}`, ...refused].join(", ");
}

/** Runs benches one after the other; `progress` hears what comes next. */
export async function runSuite(
  asked: readonly Bench[],
  size: Size,
  report: Report,
  progress: (what: string) => void | Promise<void> = () => {},
  precision: Precision = "highest",
): Promise<void> {
  const { tiny, checked, scans, gemms, gemvs, formats, rounds, tokens, prompt, train } = extents[size];
  await progress("checking against the CPU");
  const device = await openChecked(checked, precision);
  report({ bench: "device", shape: size, figures: device });
  const runs: Readonly<Record<Bench, () => Promise<void>>> = {
    scan: async () => {
      for (const [b, l, d] of scans) await benchScan(b, l, d, 16, report);
    },
    chunked: async () => {
      for (const c of size === "full" ? chunkedCases : smallChunkedCases) await benchChunked(c, report);
    },
    gemm: async () => {
      for (const [m, n, k] of gemms) await benchGemm(m, n, k, report);
      for (const [n, k] of gemvs) await benchGemv(n, k, report);
    },
    decode: () => benchDecode(tiny, formats, [usualWay], rounds, tokens, report),
    prefill: async () => {
      for (const format of ["f32", "f16"] as const) await benchPrefill(tiny, format, prompt, report);
    },
    train: () => benchTrain(tiny, ...train, report),
    ways: () => benchDecode(tiny, ["f32", "f16"], replayWays, rounds, tokens, report),
  };
  for (const name of benches) {
    if (!asked.includes(name)) continue;
    await progress(name);
    await runs[name]();
  }
}
