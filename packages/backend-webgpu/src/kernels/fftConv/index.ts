import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";

/** The long convolution and the inverse transform that makes its filter; summed directly: order l^2, but without a pass through memory. */
export const longConvolutionKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  fftConv: (backend, { u, k, D }) => {
    const [b, l, d] = u!.shape as [number, number, number];
    const y = backend.output([b, l, d]);
    backend.dispatchOver("fftConv/forward", b * l * d, 64, { constants: { HAS_D: !!D }, params: [b, l, d, k!.shape[1]!], bindings: [u, k, D, y] });
    return [y];
  },
  fftConvGrad: (backend, { u, k, D, dY }) => {
    const [b, l, d] = u!.shape as [number, number, number];
    const m = k!.shape[1]!;
    const [dU, dK] = [backend.output(u!.shape), backend.output(k!.shape)];
    const dD = D ? backend.output(D.shape) : undefined;
    backend.dispatchOver("fftConv/forward", b * l * d, 64, { constants: { HAS_D: !!D, REVERSE: true }, params: [b, l, d, m], bindings: [dY, k, D, dU] });
    backend.dispatchOver("fftConv/filterGrad", d * m, 64, { constants: { HAS_D: !!D }, params: [b, l, d, m], bindings: [u, dY, dK, dD] });
    return [dU, dK, ...(dD ? [dD] : [])];
  },
  inverseRealFft: (backend, { x }, { seqLen }) => {
    const [h, m] = x!.shape as [number, number];
    const l = seqLen as number;
    const y = backend.output([h, l]);
    backend.dispatchOver("inverseRealFft/transform", h * l, 64, { constants: { GRAD: false }, params: [h, m, l], bindings: [x, y] });
    return [y];
  },
  inverseRealFftGrad: (backend, { x, dY }, { seqLen }) => {
    const [h, m] = x!.shape as [number, number];
    const dX = backend.output(x!.shape);
    backend.dispatchOver("inverseRealFft/transform", h * m, 64, { constants: { GRAD: true }, params: [h, m, seqLen as number], bindings: [dY, dX] });
    return [dX];
  },
};
