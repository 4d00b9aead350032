/**
 * The bench of this backend, for a GPU machine: `pnpm --filter @statespace/backend-webgpu bench [scan|gemm|decode|prefill|train|ways ..] [--small]`;
 * `ways` decodes with every way to make the captured graph, only when asked for.
 * Every kernel is checked against the CPU reference before anything is timed.
 */
import { currentBackend, registerBackend, setBackend } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";
import { benchGemm, benchGemv } from "./gemm.ts";
import { benchDecode, replayWays, usualWay } from "./decode.ts";
import { benchPrefill, benchTrain } from "./models.ts";
import { relativeError } from "./random.ts";
import { rowText, type Report } from "./report.ts";
import { benchScan } from "./scan.ts";
import { scanResults, type ScanCase } from "./scanCase.ts";

const small = process.argv.includes("--small");
const asked = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const report: Report = (row) => console.log(rowText(row));
const wants = (name: string): boolean => asked.length === 0 || asked.includes(name);

registerBackend(cpuBackend());
registerBackend(webGpuBackend());
const scanCase: ScanCase = { b: 2, l: small ? 40 : 300, d: small ? 32 : 96, n: 16, z: true, D: true, bias: true, initial: true, softplus: true };
await setBackend("cpu");
const reference = await scanResults(scanCase);
await setBackend("webgpu");
console.log((currentBackend() as WebGpuBackend).traits.name);
const out = await scanResults(scanCase);
for (const name of Object.keys(reference)) {
  const error = relativeError(out[name]!, reference[name]!);
  if (!(error < 3e-6)) throw new Error(`scan: ${name} is off by ${error}`);
}
if (wants("scan")) {
  for (const [b, l] of small ? [[1, 64]] : [[8, 2048], [1, 65_536], [1, 2048]]) await benchScan(b!, l!, small ? 64 : 1536, 16, "scan");
}
if (wants("gemm")) {
  const size = small ? 128 : 4096;
  await benchGemm(size, size, size);
  if (!small) {
    await benchGemm(2048, 3072, 768);
    await benchGemm(4096, 80, 1536);
    await benchGemm(80, 1536, 4096);
    for (const [n, k] of [[3072, 768], [768, 1536], [80, 1536], [50_280, 768]]) await benchGemv(n!, k!);
  }
}
if (wants("decode")) await benchDecode(small, ["f32", "f16", "q8", "q4"], [usualWay], small ? 2 : 8, small ? 4 : 64, report);
if (asked.includes("ways")) await benchDecode(small, ["f32", "f16"], replayWays, small ? 1 : 8, small ? 2 : 64, report);
if (wants("prefill")) for (const format of ["f32", "f16"] as const) await benchPrefill(small, format, small ? 32 : 2048);
if (wants("train")) await benchTrain(small, small ? 2 : 4, small ? 16 : 1024);
process.exit(0);
