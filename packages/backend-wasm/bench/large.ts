// What reads a tensor of 2.2 GiB, whose end has addresses above 2^31: every result against plain JavaScript. Not a test: it takes 5 GB
// and some minutes. `node --conditions=statespace-source bench/large.ts [THREADS]`
import { OutOfMemoryError, readFloats, setBackend, tensor, type Tensor } from "@statespace/core";
import { opTable } from "@statespace/core/backend";
import { wasmBackend } from "../src/index.ts";

const [rows, width] = [1_152_001, 512];
await setBackend(wasmBackend({ threads: Number(process.argv[2] ?? 1) }));
const host = Float32Array.from({ length: rows * width }, (_, i) => ((i % 1009) - 504) / 504 + (i > 2 ** 29 ? 0.25 : 0));
const x = tensor(host, [rows, width]);
const row = (i: number): Float32Array => host.subarray(i * width, (i + 1) * width);
const weights = Float32Array.from({ length: width }, (_, i) => Math.sin(i));
const weighted = (i: number): number => row(i).reduce((sum, value, j) => sum + value * weights[j]!, 0);
const columns = new Float64Array(width);
for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) columns[j]! += row(i)[j]!;
const total = columns.reduce((a, b) => a + b);

let wrong = 0;
async function check(name: string, y: Tensor, want: (i: number) => number): Promise<void> {
  const got = await readFloats(y);
  const off = got.reduce((worst, value, i) => Math.max(worst, Math.abs(value - want(i)) / (1 + Math.abs(want(i)))), 0);
  if (!(off < 1e-4)) wrong++;
  console.log(`${off < 1e-4 ? "ok    " : "NOT OK"} ${name}: off by ${off.toExponential(1)}`);
  y.dispose();
}
const run = (op: string, inputs: Readonly<Record<string, Tensor>>, attrs = {}): Tensor =>
  opTable[op]!.run(inputs, attrs).y as Tensor;

const ids = [0, rows - 1, rows - 2, 1_060_000, 5];
const chosen = tensor(Int32Array.from(ids), [ids.length], "int32");
const ofChosen = (i: number): number => row(ids[Math.floor(i / width)]!)[i % width]!;
const w = tensor(weights, [1, width]);
await check(
  "slice",
  run("slice", { x }, { begin: [rows - 3, 5], size: [3, 7] }),
  (i) => row(rows - 3 + Math.floor(i / 7))[5 + (i % 7)]!,
);
await check("slice of a column", run("slice", { x }, { begin: [0, 511], size: [rows, 1] }), (i) => row(i)[511]!);
await check("gather", run("gather", { x, indices: chosen }, { axis: 0 }), ofChosen);
await check("embedding", run("embedding", { weight: x, ids: chosen }), ofChosen);
await check("sum of rows", run("sum", { x }, { axes: [1] }), (i) => row(i).reduce((a, b) => a + b, 0));
await check("sum of columns", run("sum", { x }, { axes: [0] }), (i) => columns[i]!);
await check("sum of all", run("sum", { x }, { axes: [0, 1] }), () => total);
await check("max of rows", run("max", { x }, { axes: [1] }), (i) => row(i).reduce((a, b) => Math.max(a, b)));
await check("argMax of rows", run("argMax", { x }, { axis: 1 }), (i) =>
  row(i).reduce((best, v, j) => (v > row(i)[best]! ? j : best), 0),
);
await check(
  "matMul",
  run("matMul", { a: run("reshape", { x }, { shape: [1, rows, width] }), b: tensor(weights, [1, width, 1]) }),
  weighted,
);
await check("linear by a weight that large", run("linear", { x: w, weight: x }), weighted);
await check("linear of that many rows", run("linear", { x, weight: w }), weighted);
try {
  run("add", { a: x, b: w });
  wrong++;
  console.log("NOT OK another as large fits into 4 GiB");
} catch (error) {
  if (!(error instanceof OutOfMemoryError)) throw error;
  console.log(`ok     ${error.message}`);
}
process.exit(wrong > 0 ? 1 : 0);
