/** How the matrices of an ONNX file are kept. */
export type OnnxWeights = "f32" | "q8" | "q4";

/** Which operators a graph is made of, and how it keeps its matrices. */
export interface Dialect {
  /** Version of the standard operators. */
  readonly opset: 20 | 27;
  /** Domain of the operators LinearAttention and CausalConvWithState; without one, convolutions and recurrences are made of others. */
  readonly fused: "" | "com.microsoft" | undefined;
  readonly weights: OnnxWeights;
  /** How the layers that are filters, S4D, S5 and LSSL, run. */
  readonly view: "recurrence" | "convolution";
}

/** What every runtime of the last years has. */
export const PLAIN: Dialect = { opset: 20, fused: undefined, weights: "f32", view: "recurrence" };

/** The domain of the operators of onnxruntime that are not standard. */
export const MICROSOFT = "com.microsoft";
