import { nextPowerOfTwo, type KernelInputs, type TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

interface Extents {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly m: number;
  /** A transform length at which nothing of the first l outputs wraps around. */
  readonly size: number;
  readonly work: number;
}

function extentsOf({ u, k }: KernelInputs): Extents {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  const size = nextPowerOfTwo(l + Math.min(m, l));
  return { b, l, d, m, size, work: (b + 1) * d * size * Math.ceil(Math.log2(size)) };
}

function words(backend: WasmBackend, { u, k, D }: KernelInputs, { b, l, d, m, size }: Extents): number[] {
  return [backend.at(u!), backend.at(k!), backend.maybeAt(D), b, l, d, m, size];
}

/** y = k * u + D u, causal. */
export function fftConv(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const y = backend.output(inputs.u!.shape);
  const perThread = 16 * extents.size;
  backend.withWorkspace(2 * extents.size + backend.threads * perThread, (workspace) => {
    backend.call("fftConv", [backend.at(y), workspace, perThread, ...words(backend, inputs, extents)], extents.work);
  });
  return [y];
}

export function fftConvGrad(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { u, k, D, dY } = inputs;
  const grads = [u, k, D].map((x) => x && backend.output(x.shape));
  const perThread = 32 * extents.size;
  backend.withWorkspace(2 * extents.size + backend.threads * perThread, (workspace) => {
    const addresses = grads.map((x) => backend.maybeAt(x));
    backend.call(
      "fftConvGrad",
      [...addresses, backend.at(dY!), workspace, perThread, ...words(backend, inputs, extents)],
      2 * extents.work,
    );
  });
  return grads.filter((x) => x !== undefined);
}
