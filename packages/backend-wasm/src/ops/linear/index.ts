import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { gemm } from "../gemm.ts";
import { sizeOf } from "../shapes.ts";
import { FORMAT_NUMBERS } from "./packed.ts";

/** Rows of x up to which a packed weight is multiplied as it lies; beyond, unpacking it into panels pays. */
const FEW_ROWS = 8;

/** y = x W^T + bias: one product with the bias added to the first block. */
export function linear(backend: WasmBackend, { x, weight, bias }: KernelInputs): TensorInfo {
  const [n, k] = weight!.shape as [number, number];
  const m = sizeOf(x!.shape) / k;
  const y = backend.output([...x!.shape.slice(0, -1), n]);
  const format = FORMAT_NUMBERS[backend.formatOf(weight!)];
  if (format !== 0 && m <= FEW_ROWS) {
    const args = [backend.at(y), backend.at(x!), backend.atPacked(weight!), backend.maybeAt(bias), m, n, k, format];
    backend.call("linearPacked", args, 2 * m * n * k);
    return y;
  }
  gemm(backend, {
    a: { at: backend.at(x!), row: k, column: 1 },
    b: { at: backend.atPacked(weight!), row: 1, column: k },
    c: backend.at(y),
    bias: backend.maybeAt(bias),
    m,
    n,
    k,
    format,
  });
  return y;
}

/** dx = dY W, dW = dY^T x, dbias = column sums of dY. */
export function linearGrad(backend: WasmBackend, { x, weight, bias, dY }: KernelInputs): TensorInfo[] {
  const [n, k] = weight!.shape as [number, number];
  const m = sizeOf(x!.shape) / k;
  const dx = backend.output(x!.shape);
  const dWeight = backend.output(weight!.shape);
  const upstream = backend.at(dY!);
  gemm(backend, {
    a: { at: upstream, row: n, column: 1 },
    b: { at: backend.at(weight!), row: k, column: 1 },
    c: backend.at(dx),
    m,
    n: k,
    k: n,
  });
  gemm(backend, {
    a: { at: upstream, row: 1, column: n },
    b: { at: backend.at(x!), row: k, column: 1 },
    c: backend.at(dWeight),
    m: n,
    n: k,
    k: m,
  });
  if (!bias) return [dx, dWeight];
  const dBias = backend.output(bias.shape);
  backend.call("sumAxis", [backend.at(dBias), upstream, 1, m, n], m * n);
  return [dx, dWeight, dBias];
}
