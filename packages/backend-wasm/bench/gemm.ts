// GEMM at 512 x 768 x 3072, one linear layer of mamba-130m on 512 tokens: all transpositions, batched, 1 and 2 threads.
import { WasmBackend } from "../src/index.ts";
import { wasmKernels } from "../src/ops/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const [m, k, n] = [512, 768, 3072];
const matMul = wasmKernels.matMul!;

function contenders(backend: WasmBackend): Contender[] {
  const make = (shape: number[]) => ({
    dataId: backend.write(randomFloats(shape.reduce((x, y) => x * y)), shape, "float32"),
    shape,
    dtype: "float32" as const,
  });
  const label = `${backend.machine.flavour}, ${backend.threads} thread${backend.threads > 1 ? "s" : ""}`;
  const list: Contender[] = [];
  for (const [transposeA, transposeB] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const a = make(transposeA ? [1, k, m] : [1, m, k]);
    const b = make(transposeB ? [1, n, k] : [1, k, n]);
    const run = (): void => {
      const out = matMul(backend, { a, b }, { transposeA, transposeB });
      backend.disposeData((out as { dataId: object }).dataId);
    };
    list.push({ name: `${transposeA ? "A^T" : "A"} ${transposeB ? "B^T" : "B"} (${label})`, run });
  }
  const a = make([8, 64, k]);
  const b = make([8, k, n]);
  list.push({
    name: `8 of 64 rows (${label})`,
    run: () => void backend.disposeData((matMul(backend, { a, b }, {}) as { dataId: object }).dataId),
  });
  return list;
}

const flavours = (process.argv[2] ?? "relaxed").split(",") as ("relaxed" | "plain")[];
const list: Contender[] = [];
for (const flavour of flavours)
  for (const threads of [1, 2]) list.push(...contenders(await WasmBackend.start({ flavour, threads })));
for (const { name, min, median, spread } of await interleave(list, Number(process.argv[3] ?? 9), 4)) {
  const rate = (ms: number): string => ((2 * m * n * k) / ms / 1e6).toFixed(1).padStart(6);
  console.log(`${name.padEnd(40)} ${rate(min)} GFLOP/s best, ${rate(median)} median, spread ${spread.toFixed(2)}`);
}
process.exit();
