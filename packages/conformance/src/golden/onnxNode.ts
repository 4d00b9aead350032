import { fromFloat32Array, toFloat64Array } from "@statespace/files";
import type { GoldenCase } from "./goldenCase.ts";
import { expectedOf } from "./inputs.ts";
import type { GoldenRow } from "./row.ts";

/** An output of one of ONNX's node tests beside what the test expects, by the tolerances of the test itself. */
export function nodeRow(golden: GoldenCase, tensor: string, actual: Float64Array): GoldenRow {
  const { rtol, atol, dtype } = golden.attrs as { rtol: number; atol: number; dtype: string };
  const expected = expectedOf(golden, `out.${tensor}`);
  return {
    tensor,
    actual: dtype === "float16" ? halves(actual) : actual,
    expected,
    bound: expected.map((x) => atol + rtol * Math.abs(x)),
    reason: `the case's own: ${atol} + ${rtol} of each value`,
  };
}

/** Values as an operator whose outputs are halves gives them. */
function halves(values: Float64Array): Float64Array {
  const bytes = fromFloat32Array(Float32Array.from(values), "F16");
  return Float64Array.from(toFloat64Array({ dtype: "F16", shape: [values.length], bytes }));
}
