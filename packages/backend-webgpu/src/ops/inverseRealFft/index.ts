import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { transform } from "../fftConv/fft.ts";

/** Powers of two from here on go through the fast transform; other lengths are summed directly, at a cost of l^2. */
const leastFast = 64;

function isFast(l: number): boolean {
  return l >= leastFast && Number.isInteger(Math.log2(l));
}

/** Real sequences from half their spectra. */
export function inverseRealFft(backend: WebGpuBackend, { x }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  if (isFast(l)) {
    const back = transform(backend, l, h, true, { from: "halfSpectrum", source: x! });
    backend.dispatchOver("fftConv/finish", h * l, 64, {
      constants: { TO: 2 },
      params: [l, h, 0, 0, 1, 0, 0, h * l],
      bindings: [back, undefined, undefined, y, undefined],
    });
    backend.release(back);
  } else
    backend.dispatchOver("inverseRealFft/transform", h * l, 64, {
      constants: { GRAD: false },
      params: [h, m, l],
      bindings: [x, y],
    });
  return [y];
}

/** Its adjoint: the forward transform of dy. */
export function inverseRealFftGrad(
  backend: WebGpuBackend,
  { x, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const dX = backend.output(x!.shape);
  if (isFast(l)) {
    const spectrum = transform(backend, l, h, false, { from: "filters", reals: dY!, l, m: l });
    backend.dispatchOver("fftConv/finish", h * m, 64, {
      constants: { TO: 3 },
      params: [l, h, 0, 0, 1, 0, 0, h * m],
      bindings: [spectrum, undefined, undefined, dX, undefined],
    });
    backend.release(spectrum);
  } else
    backend.dispatchOver("inverseRealFft/transform", h * m, 64, {
      constants: { GRAD: true },
      params: [h, m, l],
      bindings: [dY, dX],
    });
  return [dX];
}
