/** Tries the cuts of the scan and the tiles of the matrix product on a GPU, each checked before it is timed. */
import { registerBackend, setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { cpuBackend } from "@statespace/backend-cpu";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";
import { wishes } from "../src/ops/selectiveScan/plan.ts";
import { relativeError } from "./random.ts";
import { rowText } from "./report.ts";
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
    if (bad.length > 0)
      console.log(
        `WRONG ${label} inFlight ${inFlight}: ${bad.map((name) => `${name} ${relativeError(out[name]!, reference[name]!).toExponential(1)}`).join(" ")}`,
      );
    ok &&= bad.length === 0;
  }
  return ok;
}

const quick = process.argv.includes("--quick");
type Cut = [V: number, threads: number, TS: number, SUB: number, P: number];
const cuts: Record<"forward" | "backward", Cut[]> = {
  forward: [[1, 128, 8, 8, 1]],
  backward: [
    [1, 128, 4, 4, 2],
    [1, 128, 8, 4, 2],
    [1, 64, 4, 4, 2],
    [1, 128, 4, 4, 1],
    [1, 256, 4, 4, 2],
    [1, 128, 4, 4, 4],
    [1, 128, 4, 2, 4],
  ],
};
const sizes: [number, number, number[]][] = [
  [8, 2048, [49_152, 147_456]],
  [1, 2048, [98_304, 196_608]],
  [1, 65_536, [98_304]],
];
const right = new Set<string>();
for (const direction of ["forward", "backward"] as const) {
  for (const cut of quick ? cuts[direction].slice(0, 1) : cuts[direction]) {
    const [V, threads, TS, SUB, P] = cut;
    Object.assign(wishes[direction], { V, threads, TS, SUB, P });
    if (await check(`${direction} ${cut.join()}`)) right.add(`${direction} ${cut.join()}`);
  }
}
for (const [b, l, inFlights] of quick ? [] : sizes) {
  for (const direction of ["forward", "backward"] as const) {
    for (const cut of cuts[direction]) {
      if (!right.has(`${direction} ${cut.join()}`)) continue;
      for (const inFlight of inFlights) {
        const [V, threads, TS, SUB, P] = cut;
        Object.assign(wishes[direction], { V, threads, TS, SUB, P, inFlight });
        await benchScan(b, l, 1536, 16, (row) => console.log(rowText(row)), ` SUB${SUB} P${P}`, [direction]);
      }
    }
  }
}
process.exit(0);
