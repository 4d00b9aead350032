import { add, gelu, mul, relu, sigmoid, silu, square, type Tensor } from "@statespace/core";
import type { MlpConfig } from "./mlpConfig.ts";

/** The name of an activation. */
export type Activation = MlpConfig["activation"];

/** Twice the root of 2 / pi. */
const SLOPE = 2 * Math.sqrt(2 / Math.PI);

/**
 * The activations that configs name. `geluTanh` is gelu by its tanh formula (Hendrycks & Gimpel, arXiv 1606.08415), here by the sigmoid of
 * twice the argument, which is the same and exact to rounding where gelu is nearly 0.
 */
export const activations: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  silu,
  gelu,
  geluTanh: (x) => mul(x, sigmoid(mul(x, add(mul(square(x), 0.044715 * SLOPE), SLOPE)))),
  relu2: (x) => square(relu(x)),
};
