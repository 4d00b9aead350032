import { cpuBackend, Rng, setBackend } from "statespace";
import {
  fromHalf,
  packBytes,
  PACKED_FORMATS,
  packedWeight,
  packFromF32,
  packRows,
  QUANT_BLOCK,
} from "@statespace/core/backend";
import { readPacked, rowLength, toHalf, unpackToF32, WeightWriter } from "@statespace/core/backend";

await setBackend(cpuBackend());
const [values, shape] = [Float32Array.from(new Rng(1).normals(2 * QUANT_BLOCK)), [2, QUANT_BLOCK]] as const;
for (const format of PACKED_FORMATS) {
  const bytes = packFromF32(values, shape, format);
  console.log(
    format,
    packBytes(shape, format),
    bytes.length,
    unpackToF32(bytes, shape, format)[0]!.toFixed(4),
    values[0]!.toFixed(4),
  );
}
const bytes = new Uint8Array(packBytes(shape, "q8"));
packRows(values, "q8", bytes); // into memory that is there
const weight = packedWeight(bytes, shape, "q8");
console.log((await readPacked(weight)).length, rowLength(shape, "q8"), fromHalf(toHalf(0.1))); // 68; 32; 0.1 as a half
const writer = new WeightWriter(shape, "q4"); // a weight that comes row by row
console.log(writer.rows, writer.complete);
