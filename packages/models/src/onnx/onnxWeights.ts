import type { Parameter } from "@statespace/core";
import { fromHalf } from "@statespace/core/backend";
import { fromFloat32Array, quantize, type OnnxConstant } from "@statespace/files";
import { VALUES_AT_ONCE, type RowSource } from "../families/rows.ts";
import { rowLength } from "../families/weightNames.ts";
import type { OnnxWeights } from "./dialect.ts";
import type { GraphBuilder, PackedMatrix } from "./graphBuilder.ts";
import { BLOCK, bitsOf } from "./matrixGraph.ts";

/** A tensor of an ONNX file that is made of a weight, some rows at a time. */
export interface StoredWeight extends Omit<OnnxConstant, "data"> {
  readonly byteLength: number;
  bytes(rows: RowSource): AsyncGenerator<Uint8Array, void, undefined>;
}

/** The tensors that the weights of a graph are kept in. */
export function storedWeights(graph: GraphBuilder): readonly StoredWeight[] {
  const { weights } = graph.dialect;
  const derived = graph.derived.map(({ name, shape, values }): StoredWeight => ({
    name,
    type: "float32",
    shape,
    byteLength: 4 * shape.reduce((a, b) => a * b, 1),
    bytes: async function* (rows) {
      yield fromFloat32Array(await values(rows), "F32").slice();
    },
  }));
  const own = [...graph.weights].flatMap(([name, parameter]) => {
    const { shape, size } = parameter;
    const packed = graph.packed.get(name);
    if (packed === undefined)
      return [
        stored(name, "float32", shape, 4 * size, plain(parameter), (values) => fromFloat32Array(values, "F32").slice()),
      ];
    const { quants, scales, n, k } = packed;
    const blocks = k / BLOCK;
    const bytes = (BLOCK * bitsOf(weights)) / 8;
    const matrix = { parameter, ...packed };
    return [
      stored(quants, "uint8", [n, blocks, bytes], n * blocks * bytes, matrix, (values) => quantsOf(values, weights)),
      stored(scales, "float32", [n, blocks], 4 * n * blocks, matrix, (values) => scalesOf(values, weights)),
    ];
  });
  return [...own, ...derived];
}

/** Rows of a tensor that a weight is stored as. */
interface StoredRows extends Pick<PackedMatrix, "n" | "k" | "beside"> {
  readonly parameter: Parameter;
}

function plain(parameter: Parameter): StoredRows {
  const k = rowLength(parameter.shape);
  return { parameter, n: parameter.size / k, k, beside: 1 };
}

/** Some of the rows; where matrices stand side by side, a row has one of each. */
async function rowsOf(
  { parameter, n, k, beside }: StoredRows,
  rows: RowSource,
  from: number,
  count: number,
): Promise<Float32Array> {
  // prettier-ignore
  if (beside === 1) return rows(parameter, from, count);
  const out = new Float32Array(count * k);
  const width = k / beside;
  for (let matrix = 0; matrix < beside; matrix++) {
    const part = await rows(parameter, matrix * n + from, count);
    for (let row = 0; row < count; row++)
      out.set(part.subarray(row * width, (row + 1) * width), row * k + matrix * width);
  }
  return out;
}

function stored(
  name: string,
  type: OnnxConstant["type"],
  shape: readonly number[],
  byteLength: number,
  matrix: StoredRows,
  made: (values: Float32Array) => Uint8Array,
): StoredWeight {
  return {
    name,
    type,
    shape,
    byteLength,
    bytes: async function* (rows) {
      const step = Math.max(1, Math.floor(VALUES_AT_ONCE / matrix.k));
      for (let row = 0; row < matrix.n; row += step)
        yield made(await rowsOf(matrix, rows, row, Math.min(step, matrix.n - row)));
    },
  };
}

/** The blocks of values, a half float and whole numbers each, as packed weights here have them. */
function blocksOf(values: Float32Array, weights: OnnxWeights): { readonly data: Uint8Array; readonly size: number } {
  const type = weights === "q4" ? "Q4_0" : "Q8_0";
  return { data: quantize(type, values), size: weights === "q4" ? 18 : 34 };
}

function scalesOf(values: Float32Array, weights: OnnxWeights): Uint8Array {
  const { data, size } = blocksOf(values, weights);
  const scales = Float32Array.from({ length: data.length / size }, (_, block) =>
    fromHalf(data[block * size]! | (data[block * size + 1]! << 8)),
  );
  return fromFloat32Array(scales, "F32").slice();
}

/** Numbers from 0 on, of which half of all stands for 0; those of four bits in pairs of neighbours, the first in the lower half. */
function quantsOf(values: Float32Array, weights: OnnxWeights): Uint8Array {
  const { data, size } = blocksOf(values, weights);
  const out = new Uint8Array((data.length / size) * (size - 2));
  for (let block = 0, at = 0; block < data.length; block += size) {
    if (weights === "q8") for (let i = 0; i < BLOCK; i++) out[at++] = data[block + 2 + i]! ^ 0x80;
    else {
      // Ours has element i beside element i + 16.
      const of = (i: number): number => (i < 16 ? data[block + 2 + i]! & 15 : data[block + 2 + i - 16]! >> 4);
      for (let i = 0; i < BLOCK; i += 2) out[at++] = of(i) | (of(i + 1) << 4);
    }
  }
  return out;
}
