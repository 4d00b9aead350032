import { ArgumentError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { MICROSOFT, type Dialect, type OnnxWeights } from "./dialect.ts";

/** How an ONNX file is written. */
export interface SaveOnnxOptions {
  /**
   * Version of the standard operators; default 20, whose recurrences are `Scan` and which every runtime of the last years has. 27 has `LinearAttention` and
   * `CausalConvWithState`, which runtimes are only learning.
   */
  readonly opset?: 20 | 27 | undefined;
  /** `onnxruntime` takes the same two operators from onnxruntime's own domain, com.microsoft, at opset 20; "standard" unless told. */
  readonly operators?: "standard" | "onnxruntime" | undefined;
  /**
   * How matrices are kept; "f32" unless told. `q8` and `q4` are blocks of 32, as `quantize` makes them, by onnxruntime's `MatMulNBits` and `GatherBlockQuantized`;
   * matrices whose rows are no whole blocks stay f32.
   */
  readonly weights?: OnnxWeights | undefined;
  /**
   * How S4D, S5 and LSSL run: "recurrence", with states in and out, unless told; "convolution" with a filter as long as the sequence, which is then read whole and has no
   * states.
   */
  readonly view?: "recurrence" | "convolution" | undefined;
  /** Weights in a file beside the model (`NAME.data`), as models of 2 GB and more must have; those above 64 MB unless told. */
  readonly externalData?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const OPTION_NAMES: readonly (keyof SaveOnnxOptions)[] = [
  "opset",
  "operators",
  "weights",
  "view",
  "externalData",
  "signal",
];
/** Names that others have for them, in camel case. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  abortSignal: "signal",
  opsetVersion: "opset",
  dtype: "weights",
  quantization: "weights",
  mode: "view",
};

/** What the options say. @throws ArgumentError naming the one that is wrong */
export function dialectOf(caller: string, options: SaveOnnxOptions): Dialect {
  const { opset = 20, operators = "standard", weights = "f32", view = "recurrence" } = options;
  if (opset !== 20 && opset !== 27) throw new ArgumentError(`${caller}: opset must be 20 or 27, got ${String(opset)}`);
  oneOf(caller, "operators", operators, ["standard", "onnxruntime"]);
  oneOf(caller, "weights", weights, ["f32", "q8", "q4"]);
  oneOf(caller, "view", view, ["recurrence", "convolution"]);
  if (operators === "onnxruntime" && opset === 27)
    throw new ArgumentError(`${caller}: operators = onnxruntime has opset 20, got 27, whose operators are standard`);
  return { opset, weights, view, fused: operators === "onnxruntime" ? MICROSOFT : opset === 27 ? "" : undefined };
}

function oneOf(caller: string, option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const meant = nearestName(String(value), known);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  throw new ArgumentError(
    `${caller}: ${option} must be one of ${known.join(", ")}, got ${JSON.stringify(value) ?? String(value)}${hint}`,
  );
}
