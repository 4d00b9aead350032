/** Tries the cuts of the scan and the tiles of the matrix product on a GPU, each checked before it is timed. */
import { currentBackend, registerBackend, setBackend } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";
import { wishes, type CutWish } from "../src/kernels/selectiveScan/plan.ts";
import { benchGemm, benchGemv } from "./gemm.ts";
import { relativeError } from "./random.ts";
import { benchScan } from "./scan.ts";
import { scanResults, type ScanCase } from "./scanCase.ts";

registerBackend(cpuBackend());
registerBackend(webGpuBackend());
const small: ScanCase = { b: 2, l: 300, d: 96, n: 16, z: true, D: true, bias: true, initial: true, softplus: true };
await setBackend("cpu");
const reference = await scanResults(small);
await setBackend("webgpu");
console.log(JSON.stringify((currentBackend() as WebGpuBackend).traits));

async function check(label: string): Promise<boolean> {
  let ok = true;
  for (const inFlight of [1024, 8192]) {
    const saved = [wishes.forward.inFlight, wishes.backward.inFlight];
    wishes.forward.inFlight = wishes.backward.inFlight = inFlight;
    const out = await scanResults(small);
    [wishes.forward.inFlight, wishes.backward.inFlight] = saved as [number, number];
    const bad = Object.keys(reference).filter((name) => !(relativeError(out[name]!, reference[name]!) < 3e-6));
    if (bad.length > 0) console.log(`WRONG ${label} inFlight ${inFlight}: ${bad.map((name) => `${name} ${relativeError(out[name]!, reference[name]!).toExponential(1)}`).join(" ")}`);
    ok &&= bad.length === 0;
  }
  return ok;
}

const quick = process.argv.includes("--quick");
const forwards: [number, number, number][] = [[1, 128, 8], [1, 128, 16], [1, 256, 8], [1, 64, 8], [2, 64, 8], [2, 128, 8], [4, 64, 8], [4, 128, 4]];
const backwards: [number, number, number][] = [[1, 128, 8], [1, 256, 8], [1, 64, 8], [1, 128, 4], [1, 256, 4], [2, 64, 8], [2, 128, 4], [1, 128, 16]];
for (const [direction, cuts] of [["forward", forwards], ["backward", backwards]] as const) {
  for (const [V, threads, TS] of quick ? cuts.slice(0, 1) : cuts) {
    Object.assign(wishes[direction], { V, threads, TS });
    const label = `${direction} V${V} threads ${threads} TS${TS}`;
    if (!(await check(label))) {
      const traits = (currentBackend() as unknown as { traits: { subgroupMin: number } }).traits;
      traits.subgroupMin = 0;
      await check(`${label} without subgroups`);
      traits.subgroupMin = 32;
      continue;
    }
    if (quick) continue;
    for (const inFlight of [49_152, 196_608]) {
      wishes[direction].inFlight = inFlight;
      await benchScan(8, 2048, 1536, 16, "", [direction]);
      if (inFlight > 50_000) await benchScan(1, 2048, 1536, 16, "", [direction]);
    }
  }
}
if (!quick) {
  await benchGemm(4096, 4096, 4096);
  await benchGemm(4096, 80, 1536);
  await benchGemm(80, 1536, 4096);
  await benchGemv(3072, 768);
  await benchGemv(768, 1536);
  await benchGemv(50_280, 768);
}
process.exit(0);
