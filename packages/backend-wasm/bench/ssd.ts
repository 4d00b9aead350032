// The scan of Mamba-2 at l = 2048, p = 64, n = 128: in chunks as matrix products against the recurrence, both in WebAssembly.
import { WasmBackend } from "../src/index.ts";
import {
  ssdScanChunked,
  ssdScanChunkedGrad,
  ssdScanRecurrent,
  ssdScanRecurrentGrad,
} from "../src/ops/ssdScan/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const [b, l, p, g, n] = [1, 2048, 64, 1, 128];
const attrs = { dtSoftplus: true, dtMin: 0, dtMax: Number.POSITIVE_INFINITY, chunkSize: 128, returnLastState: false };

type Info = { dataId: object; shape: number[]; dtype: "float32" };
function contenders(backend: WasmBackend, h: number): Contender[] {
  const make = (shape: number[], seed: number, map = (x: number): number => x): Info => ({
    dataId: backend.write(
      randomFloats(
        shape.reduce((x, y) => x * y),
        seed,
      ).map(map),
      shape,
      "float32",
    ),
    shape,
    dtype: "float32",
  });
  const inputs = {
    x: make([b, l, h, p], 2),
    dt: make([b, l, h], 3, (x) => x - 3),
    A: make([h], 4, (x) => -1 - Math.abs(x)),
    B: make([b, l, g, n], 5),
    C: make([b, l, g, n], 6),
    D: make([h], 7),
  };
  const label = `h = ${h}, ${backend.machine.flavour}, ${backend.threads} thread${backend.threads > 1 ? "s" : ""}`;
  const dispose = (outputs: Info[]): void => outputs.forEach(({ dataId }) => backend.disposeData(dataId));
  const upstream = { ...inputs, dY: make([b, l, h, p], 8) };
  return [
    { name: `chunks (${label})`, run: () => dispose(ssdScanChunked(backend, inputs, attrs) as Info[]) },
    { name: `recurrence (${label})`, run: () => dispose(ssdScanRecurrent(backend, inputs, attrs) as Info[]) },
    { name: `backward, chunks (${label})`, run: () => dispose(ssdScanChunkedGrad(backend, upstream, attrs) as Info[]) },
    {
      name: `backward, recurrence (${label})`,
      run: () => dispose(ssdScanRecurrentGrad(backend, upstream, attrs) as Info[]),
    },
  ];
}

const list: Contender[] = [];
for (const flavour of ["relaxed", "plain"] as const) {
  for (const threads of [1, 2]) {
    const backend = await WasmBackend.start({ flavour, threads });
    for (const h of [1, 24]) list.push(...contenders(backend, h));
  }
}
const timings = await interleave(list, Number(process.argv[2] ?? 7), 2);
for (const [i, { name, min, median, spread }] of timings.entries()) {
  const ratio = i % 2 === 0 ? `, ${(timings[i + 1]!.median / median).toFixed(2)}x the recurrence` : "";
  console.log(
    `${name.padEnd(56)} ${min.toFixed(2).padStart(8)} ms best, ${median.toFixed(2).padStart(8)} median, spread ${spread.toFixed(2)}${ratio}`,
  );
}
process.exit();
