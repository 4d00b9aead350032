import { FormatError } from "@statespace/core";
import { openGguf, openSource, toFloat64Array } from "@statespace/files";
import type { GoldenCase } from "./goldenCase.ts";
import type { GoldenRow } from "./row.ts";

/** Golden group `gguf`: every block type of `blocks.gguf` beside the values that Python's `gguf` package reads from it, bit for bit. */
export async function compareGguf({ folder, tensors }: GoldenCase): Promise<GoldenRow[]> {
  const file = await openGguf(openSource(folder), "blocks.gguf");
  if (file === undefined) throw new FormatError(`${folder}/blocks.gguf is missing`);
  return Promise.all(
    Object.entries(tensors).map(async ([tensor, { data }]) => ({
      tensor,
      actual: toFloat64Array(await file.read(tensor)),
      expected: Float64Array.from(data),
      bound: 0,
      reason:
        "a block's values are exact products of small integers and its scales, rounded to float32 as the reader does",
    })),
  );
}
