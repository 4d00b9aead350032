import { add, exp, relu, sigmoid, softplus, type Tensor } from "@statespace/core";
import type { PositiveTransform } from "./config.ts";

/** The positive quantity that a stored parameter stands for. */
export function positive(transform: PositiveTransform, stored: Tensor): Tensor {
  if (transform === "exp") return exp(stored);
  if (transform === "relu") return add(relu(stored), 1e-4);
  if (transform === "sigmoid") return sigmoid(stored);
  if (transform === "softplus") return softplus(stored);
  return stored;
}

/** Inverse of `positive`; values below 1e-4 are stored as that. */
export function storePositive(transform: PositiveTransform, value: number): number {
  const x = Math.max(value, 1e-4);
  if (transform === "exp") return Math.log(x);
  if (transform === "sigmoid") return Math.log(x / (1 - x));
  if (transform === "softplus") return x + Math.log(-Math.expm1(-x));
  return x;
}
