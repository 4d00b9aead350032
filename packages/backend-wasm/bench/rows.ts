// Products of 1 to 512 rows with each format's weights: what further rows cost. Run: node bench/rows.ts [flavour] [rounds] [formats] [rows] [n x k]
import { type PackedFormat } from "@statespace/core";
import { packFromF32 } from "@statespace/core/backend";
import { WasmBackend } from "../src/index.ts";
import { wasmKernels } from "../src/ops/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const [
  flavour = "relaxed",
  rounds = "7",
  formats = "f32,f16,q8,q4",
  rows = "1,2,4,8,12,16,32,64,512",
  size = "3072x768",
] = process.argv.slice(2);
const [n, k] = size.split("x").map(Number) as [number, number];
const backend = await WasmBackend.start({ threads: 1, flavour: flavour as "relaxed" | "plain" });
const values = randomFloats(n * k, 3);
const list: (Contender & { products: number; bytes: number })[] = [];
for (const format of formats.split(",")) {
  const weight =
    format === "f32"
      ? { dataId: backend.write(values, [n, k], "float32"), shape: [n, k], dtype: "float32" as const }
      : backend.pack(packFromF32(values, [n, k], format as PackedFormat), [n, k], format as PackedFormat);
  for (const m of rows.split(",").map(Number)) {
    const x = {
      dataId: backend.write(randomFloats(m * k), [m, k], "float32"),
      shape: [m, k],
      dtype: "float32" as const,
    };
    const repeats = Math.ceil(1e8 / (m * n * k));
    const run = (): void => {
      for (let i = 0; i < repeats; i++)
        backend.disposeData((wasmKernels.linear!(backend, { x, weight }, {}) as { dataId: object }).dataId);
    };
    const bytes = n * k * { f32: 4, f16: 2, bf16: 2, q8: 34 / 32, q4: 18 / 32 }[format as PackedFormat | "f32"];
    list.push({ name: `${format} ${m}`, run, products: m * n * k * repeats, bytes: bytes * repeats });
  }
}
for (const [i, { name, min, cpu }] of (await interleave(list, Number(rounds), 2)).entries()) {
  const { products, bytes } = list[i]!;
  const best = Math.min(min, cpu);
  console.log(
    `${name.padEnd(10)} ${(products / best / 1e6).toFixed(1).padStart(7)} GMAC/s, weights at ${(bytes / best / 1e6).toFixed(1).padStart(6)} GB/s`,
  );
}
process.exit();
