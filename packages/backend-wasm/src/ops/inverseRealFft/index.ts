import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import { nextPowerOfTwo } from "@statespace/core/math";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";

/** What both directions take: the transform's length, tables, and a workspace for eight rows a thread. */
interface Transform {
  readonly h: number;
  readonly l: number;
  readonly size: number;
  readonly tables: TensorInfo;
  readonly workspace: TensorInfo;
}

function transform(backend: WasmBackend, h: number, l: number, run: (values: Transform, work: number) => void): void {
  const size = nextPowerOfTwo(l) === l ? l : nextPowerOfTwo(2 * l - 1);
  const floats = { tables: sizes.realFftTables(l, size), workspace: backend.threads * sizes.realFftFloats(l, size) };
  backend.withSpace(floats, (space) => run({ h, l, size, ...space }, h * size * Math.ceil(Math.log2(size + 1))));
}

/** Real sequences from the first half of their spectra, any length. */
function inverseRealFft(backend: WasmBackend, { x }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const h = x!.shape[0]!;
  const l = seqLen as number;
  const y = backend.output([h, l]);
  transform(backend, h, l, (values, work) => call.inverseRealFft(backend, { y, x: x!, ...values }, work));
  return [y];
}

function inverseRealFftGrad(backend: WasmBackend, { x, dY }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const dx = backend.output(x!.shape);
  transform(backend, x!.shape[0]!, seqLen as number, (values, work) =>
    call.inverseRealFftGrad(backend, { dx, dY: dY!, ...values }, work),
  );
  return [dx];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { inverseRealFft, inverseRealFftGrad };
