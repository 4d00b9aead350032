// Products with one row of x: how fast each format's weights stream, from cache and from memory, beside a mere read of as much memory.
import { type PackedFormat } from "@statespace/core";
import { packFromF32 } from "@statespace/core/backend";
import { WasmBackend } from "../src/index.ts";
import { wasmKernels } from "../src/ops/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const k = 768;
const sizes = { "in cache": 768, "from memory": 50280 };
const formats = ["f32", "f16", "q8", "q4"] as const;
const flavour = (process.argv[2] ?? "relaxed") as "relaxed" | "plain";
const list: (Contender & { bytes: number })[] = [];
for (const threads of [1, 2]) {
  const backend = await WasmBackend.start({ threads, flavour });
  const x = { dataId: backend.write(randomFloats(k), [1, k], "float32"), shape: [1, k], dtype: "float32" as const };
  for (const [where, n] of Object.entries(sizes)) {
    const values = randomFloats(n * k, 3);
    for (const format of formats) {
      const weight =
        format === "f32"
          ? { dataId: backend.write(values, [n, k], "float32"), shape: [n, k], dtype: "float32" as const }
          : backend.pack(packFromF32(values, [n, k], format as PackedFormat), [n, k], format);
      const bytes = n * k * { f32: 4, f16: 2, q8: 34 / 32, q4: 18 / 32 }[format];
      const repeats = Math.ceil(40e6 / bytes);
      const run = (): void => {
        for (let i = 0; i < repeats; i++)
          backend.disposeData((wasmKernels.linear!(backend, { x, weight }, {}) as { dataId: object }).dataId);
      };
      list.push({
        name: `${format} ${where} (${threads} thread${threads > 1 ? "s" : ""})`,
        run,
        bytes: bytes * repeats,
      });
    }
  }
}
/** The ceiling of a thread: eight stretches read side by side, nothing but added. */
const memory = new Float64Array(20e6).fill(1);
let total = 0;
function plainRead(): void {
  const stretch = memory.length / 8;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < stretch; i++) {
    a += memory[i]! + memory[i + 4 * stretch]!;
    b += memory[i + stretch]! + memory[i + 5 * stretch]!;
    c += memory[i + 2 * stretch]! + memory[i + 6 * stretch]!;
    d += memory[i + 3 * stretch]! + memory[i + 7 * stretch]!;
  }
  total += a + b + c + d;
}
list.push({ name: "plain read from memory (1 thread)", run: plainRead, bytes: memory.byteLength });
for (const [i, { name, min, median, cpu, spread }] of (
  await interleave(list, Number(process.argv[3] ?? 7), 3)
).entries()) {
  const rate = (ms: number): string => (list[i]!.bytes / ms / 1e6).toFixed(1).padStart(6);
  console.log(
    `${name.padEnd(34)} ${rate(min)} GB/s best, ${rate(median)} median, ${rate(cpu)} by processor time, spread ${spread.toFixed(2)}`,
  );
}
if (!(total > 0)) throw new Error("nothing was read");
process.exit();
