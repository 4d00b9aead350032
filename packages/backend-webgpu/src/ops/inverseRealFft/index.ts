import type { KernelAttrs, KernelInputs, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { transform } from "../fftConv/fft.ts";

/** Powers of two from here on go through the fast transform; other lengths are summed directly, at a cost of l^2. */
const leastFast = 64;

function isFast(l: number): boolean {
  return l >= leastFast && Number.isInteger(Math.log2(l));
}

/** Real sequences from half their spectra. */
function inverseRealFft(backend: WebGpuBackend, { x }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  if (isFast(l)) {
    const back = transform(backend, l, h, true, { from: "halfSpectrum", source: x! });
    backend.runOver("fftConv/finish", h * l, 64, {
      constants: { TO: 2 },
      params: { N: l, rows: h, b: 0, l: 0, d: 1, m: 0, firstPair: 0, count: h * l },
      buffers: { x: back, y: y },
    });
    backend.release(back);
  } else
    backend.runOver("inverseRealFft/transform", h * l, 64, {
      constants: { GRAD: false },
      params: { h, m, l },
      buffers: { x: x!, y },
    });
  return [y];
}

/** Its adjoint: the forward transform of dy. */
function inverseRealFftGrad(backend: WebGpuBackend, { x, dY }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const dX = backend.output(x!.shape);
  if (isFast(l)) {
    const spectrum = transform(backend, l, h, false, { from: "filters", reals: dY!, l, m: l });
    backend.runOver("fftConv/finish", h * m, 64, {
      constants: { TO: 3 },
      params: { N: l, rows: h, b: 0, l: 0, d: 1, m: 0, firstPair: 0, count: h * m },
      buffers: { x: spectrum, y: dX },
    });
    backend.release(spectrum);
  } else
    backend.runOver("inverseRealFft/transform", h * m, 64, {
      constants: { GRAD: true },
      params: { h, m, l },
      buffers: { x: dY!, y: dX },
    });
  return [dX];
}

/** The inverse transform of half a spectrum, and its adjoint. */
export const kernels: KernelTable<WebGpuBackend> = { inverseRealFft, inverseRealFftGrad };
