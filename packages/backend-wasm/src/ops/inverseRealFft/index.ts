import { nextPowerOfTwo, type KernelAttrs, type KernelInputs, type TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import type { KernelNumber } from "../../binaries.gen.ts";

/** Both directions take the same words: an output, an input, and a workspace for eight rows a thread. */
function transform(
  backend: WasmBackend,
  kernel: KernelNumber,
  output: TensorInfo,
  input: TensorInfo,
  h: number,
  l: number,
): void {
  const size = nextPowerOfTwo(l) === l ? l : nextPowerOfTwo(2 * l - 1);
  const perThread = 8 * l + 16 * size;
  const shared = 2 * size + 2 * 4 * Math.ceil(l / 4);
  backend.withWorkspace(shared + backend.threads * perThread, (workspace) => {
    backend.call(
      kernel,
      [backend.at(output), backend.at(input), h, l, size, workspace, perThread],
      h * size * Math.ceil(Math.log2(size + 1)),
    );
  });
}

/** Real sequences from the first half of their spectra, any length. */
export function inverseRealFft(backend: WasmBackend, { x }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const h = x!.shape[0]!;
  const l = seqLen as number;
  const y = backend.output([h, l]);
  transform(backend, "inverseRealFft", y, x!, h, l);
  return [y];
}

export function inverseRealFftGrad(
  backend: WasmBackend,
  { x, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const dX = backend.output(x!.shape);
  transform(backend, "inverseRealFftGrad", dX, dY!, x!.shape[0]!, seqLen as number);
  return [dX];
}
