import type { KernelInputs, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants } from "../../kernels.gen.ts";
import { formatNumber } from "../linear/packed.ts";
import { sizeOf } from "../shapes.ts";

/** Choices up to which each is multiplied by itself: ordering them first would cost more than an expert that is read twice. */
const FEW_CHOICES = 32;

/** The choices in the order of their experts. */
interface Ordered {
  readonly starts: TensorInfo; // int32 [e + 1]
  readonly order: TensorInfo; // int32 [count]
  readonly count: number;
  readonly experts: number;
  readonly s: number;
}

function inOrder(backend: WasmBackend, ids: TensorInfo, experts: number): Ordered {
  const count = sizeOf(ids.shape);
  const starts = backend.output([experts + 1], "int32");
  const order = backend.output([count], "int32");
  call.orderByExpert(backend, { starts, order, ids, count, experts }, 2 * count);
  return { starts, order, count, experts, s: ids.shape.at(-1)! };
}

/** Rows of x in the order of the experts: `s` choices share a row. Back: rows in that order to their choices. */
function move(
  backend: WasmBackend,
  { starts, order, count, experts }: Ordered,
  x: TensorInfo,
  n: number,
  s: number,
  back = false,
): TensorInfo {
  const y = backend.output([count, n]);
  call.moveChoices(backend, { y, x, order, starts, count, s, experts, n, back }, 2 * count * n);
  return y;
}

function release(backend: WasmBackend, ...tensors: readonly TensorInfo[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

/** y_rs = W_(ids_rs) x_r. */
function expertLinear(backend: WasmBackend, { x, weight, ids }: KernelInputs): TensorInfo {
  const [experts, n, k] = weight!.shape as [number, number, number];
  const count = sizeOf(ids!.shape);
  const shape = [...ids!.shape, n];
  const format = formatNumber(backend.formatOf(weight!));
  const work = 2 * count * n * k;
  if (count <= FEW_CHOICES) {
    const y = backend.output(shape);
    const s = ids!.shape.at(-1)!;
    if (count > 0)
      call.expertRows(backend, { y, x: x!, weight: weight!, ids: ids!, count, s, experts, n, k, format }, work);
    return y;
  }
  const ordered = inOrder(backend, ids!, experts);
  const { starts } = ordered;
  const a = move(backend, ordered, x!, k, ordered.s);
  const c = backend.output([count, n]);
  call.linearByExpert(backend, { c, a, weight: weight!, starts, experts, n, k, rowB: 1, columnB: k, format }, work);
  const rows = move(backend, ordered, c, n, 1, true);
  const y = backend.alias(rows, shape);
  release(backend, a, c, rows, starts, ordered.order);
  return y;
}

/** dX_r = the sum over s of W^T dY_rs; dW_e = the sum over the choices of e of dY_rs x_r^T. */
function expertLinearGrad(backend: WasmBackend, { x, weight, ids, dY }: KernelInputs): TensorInfo[] {
  const [experts, n, k] = weight!.shape as [number, number, number];
  const ordered = inOrder(backend, ids!, experts);
  const { starts, order, count, s } = ordered;
  const [dX, dWeight] = [backend.output(x!.shape), backend.output(weight!.shape)];
  const work = 2 * count * n * k;
  const dy = move(backend, ordered, dY!, n, 1);
  const xs = move(backend, ordered, x!, k, s);
  call.outerByExpert(backend, { c: dWeight, dy, x: xs, starts, experts, n, k }, work);
  const c = backend.output([count, k]);
  const format = constants.FORMAT_F32;
  const strides = { n: k, k: n, rowB: k, columnB: 1 };
  call.linearByExpert(backend, { c, a: dy, weight: weight!, starts, experts, ...strides, format }, work);
  const dxs = move(backend, ordered, c, k, 1, true);
  call.sumAxis(backend, { y: dX, x: dxs, outer: count / s, count: s, inner: k }, count * k);
  release(backend, dy, xs, c, dxs, starts, order);
  return [dX, dWeight];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { expertLinear, expertLinearGrad };
