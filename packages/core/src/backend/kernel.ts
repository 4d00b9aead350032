import type { TensorInfo } from "./types.ts";

/** Inputs of a kernel by name; optional ones are absent, not undefined. */
export type KernelInputs = Readonly<Record<string, TensorInfo>>;

/** Attributes of a kernel: plain values, no tensors. */
export type KernelAttrs = Readonly<Record<string, unknown>>;

/**
 * One kernel on one backend. Shapes and dtypes were checked by the op; outputs are made by
 * `backend.output`, in the order the op declares. In-place kernels return no output for what they change.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Kernel<Backend = any> = (
  backend: Backend,
  inputs: KernelInputs,
  attrs: KernelAttrs,
) => TensorInfo | readonly TensorInfo[];

/** The kernels of a backend by name: base kernels, ops, and gradients (`selectiveScanGrad`). */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type KernelTable<Backend = any> = Readonly<Record<string, Kernel<Backend>>>;
