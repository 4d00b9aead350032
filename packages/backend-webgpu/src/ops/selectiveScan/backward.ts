import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { fillWith } from "../make/fill.ts";
import { sumsOf } from "../shared/sums.ts";
import {
  cutConstants,
  cutScan,
  paddedStates,
  scanExtents,
  scanSwitches,
  smallOperands,
  wishes,
  type ScanCut,
  type ScanExtents,
  type WorkgroupBytes,
} from "./plan.ts";

const sumsY = (hasZ: boolean): number => (hasZ ? 1 : 0);

function backwardBytes(subgroups: boolean, hasZ: boolean): WorkgroupBytes {
  return ({ V, L, CH, TS, P }) => {
    const CT = CH / Math.min(P, CH);
    const staged = 3 * (Math.min(P, CH) * (TS + 1) + 1) * CT + 4 * L * (2 * TS * V + 1) + TS + 2 * CT * L;
    const ways = 2 + sumsY(hasZ);
    const N = 4 * V * L;
    if (subgroups) return 4 * (staged + ways * (TS + 1) * CH + ((CT * L) / 32) * TS * 2 * N);
    return 4 * (staged + ways * CH * (L * (TS + 1) + 1) + Math.min(2, TS) * CT * (2 * N + 4) + TS * 2 * N);
  };
}

const statesBytes: WorkgroupBytes = ({ V, L, CH, TS }) => 4 * (3 * (TS + 1) * CH + 4 * L * (2 * TS * V + 1) + TS);

/** True where the sums over threads may go through shuffles: aligned sets of 32 threads must share a subgroup. */
function useSubgroups(backend: WebGpuBackend, { d, g }: ScanExtents, { L, CH, P }: ScanCut): boolean {
  return (
    sumsOf(backend.traits) === "subgroup" && L <= 16 && ((CH / P) * L) % 32 === 0 && (g === 1 || (d / g) % CH === 0)
  );
}

/** Where the parts of the scratch buffers lie, in elements. */
function layout(
  { b, l, d, n }: ScanExtents,
  cut: ScanCut,
): Record<"tiles" | "cum" | "end" | "sum" | "adjoint" | "work" | "partA" | "sums", number> {
  const { chunks, SUB, CH, chunk } = cut;
  const N = paddedStates(cut);
  const tiles = ((chunks - 1) * chunk + Math.ceil((l - (chunks - 1) * chunk) / 16) * 16) / SUB;
  const cum = b * tiles * d * N;
  const end = cum + b * tiles * d;
  const sum = end + b * chunks * d * n;
  const adjoint = sum + b * chunks * d;
  const partA = Math.ceil(d / CH) * b * l * 2 * N;
  return {
    tiles,
    cum,
    end,
    sum,
    adjoint,
    work: adjoint + b * chunks * d * n,
    partA,
    sums: partA + b * chunks * d * (n + 2),
  };
}

/** The wished cut; where its kept states would not fit one binding, fewer of them are kept. */
function cutBackward(
  backend: WebGpuBackend,
  extents: ScanExtents,
  hasZ: boolean,
): { subgroups: boolean; cut: ScanCut } {
  for (let steps = wishes.backward.SUB; ; steps *= 2) {
    const wish = { ...wishes.backward, TS: Math.max(wishes.backward.TS, steps), SUB: steps };
    const cutFor = (shuffles: boolean): ScanCut =>
      cutScan(extents, wish, backend.traits, backwardBytes(shuffles, hasZ));
    const subgroups = useSubgroups(backend, extents, cutFor(true));
    const cut = cutFor(subgroups);
    if (steps === 16 || 4 * layout(extents, cut).work <= backend.traits.maxBinding) return { subgroups, cut };
  }
}

/** Gradients of the selective scan, in the order of the op's differentiable inputs; states are recomputed tile by tile. */
export function selectiveScanGrad(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = scanExtents(inputs);
  const { b, l, d, n, g } = extents;
  const { subgroups, cut } = cutBackward(backend, extents, !!inputs.z);
  const statesCut = cutScan(
    extents,
    { ...wishes.states, TS: Math.max(wishes.states.TS, cut.SUB) },
    backend.traits,
    statesBytes,
  );
  const { chunk, chunks, CH } = cut;
  const at = layout(extents, cut);
  const dY = inputs.dY ?? zeros(backend, inputs.u!);
  const operands = smallOperands(backend, inputs, extents, cut);
  const { variant, buffers, offsets, carry } = operands;
  const work = backend.scratch(at.work);
  const sums = backend.scratch(at.sums);
  const dInitial = inputs.initialState ? backend.output(inputs.initialState.shape) : undefined;
  const switches = scanSwitches(inputs, attrs);
  const extentsAndOffsets = { l, d, n, g, chunk, chunks, ...offsets, tiles: at.tiles };
  const read = { u: inputs.u!, delta: inputs.delta!, z: inputs.z, ...buffers, dy: dY };

  backend.run("selectiveScan/states", {
    variant,
    constants: { ...cutConstants(statesCut), SUB: cut.SUB, ...switches, ADJOINT: chunks > 1 || !!dInitial },
    params: { ...extentsAndOffsets, offCum: at.cum, offEnd: at.end, offSum: at.sum, offAdjoint: at.adjoint },
    buffers: { ...read, work },
    grid: [Math.ceil(d / statesCut.CH), chunks, b],
  });
  const total = b * d * n;
  const [x, y] = foldGrid(Math.ceil(total / 64));
  backend.run("selectiveScan/carry", {
    params: {
      d,
      n,
      N: carry.N,
      chunks,
      total,
      offStates: at.end,
      offSum: at.sum,
      offAdjoint: at.adjoint,
      scale: carry.scale,
    },
    buffers: { A: carry.A, initial: inputs.initialState, states: work, dLast: inputs.dLastState, dInitial },
    grid: [x, y, 2],
  });

  // du, dDelta and dz share a buffer: three bindings fewer, so that default limits suffice. Their parts are aligned.
  const size = b * l * d;
  const stride = Math.ceil(size / 64) * 64;
  const grads = backend.scratch((inputs.z ? 3 : 2) * stride);
  backend.run("selectiveScan/backward", {
    variant: { ...variant, SUMS: subgroups ? "subgroup" : "workgroup" },
    constants: {
      ...cutConstants(cut),
      SUB: cut.SUB,
      P: cut.P,
      ...switches,
      Y: sumsY(!!inputs.z),
      ...(subgroups ? {} : { K: Math.min(2, cut.TS), SS: cut.L * (cut.TS + 1) + 1 }),
    },
    params: {
      ...extentsAndOffsets,
      offCum: at.cum,
      offEnd: at.end,
      offAdjoint: at.adjoint,
      offDelta: stride,
      offZ: 2 * stride,
      offA: at.partA,
      bl: b * l,
    },
    buffers: { ...read, work, grads, sums },
    grid: [Math.ceil(d / CH), chunks, b],
  });
  const dB = backend.output(inputs.B!.shape);
  const dC = backend.output(inputs.C!.shape);
  const N = paddedStates(cut);
  backend.runOver("selectiveScan/sumBC", b * l * g * 2 * N, 128, {
    params: { bl: b * l, g, n, N, tiles: Math.ceil(d / g / CH) },
    buffers: { sums, dB, dC },
  });
  // dA, dD and dDeltaBias lie side by side in every block's sums, and so in what they add up to.
  const width = d * (n + 2);
  const parameters = backend.scratch(width);
  backend.runOver("selectiveScan/sumRows", width, 64, {
    params: { count: width, rows: b * chunks, offset: at.partA },
    buffers: { parts: sums, out: parameters },
  });
  const shape = inputs.u!.shape;
  const result = [
    backend.view(grads, shape, 0),
    backend.view(grads, shape, stride),
    backend.view(parameters, inputs.A!.shape, 0),
    dB,
    dC,
    ...(inputs.D ? [backend.view(parameters, inputs.D.shape, d * n)] : []),
    ...(inputs.z ? [backend.view(grads, shape, 2 * stride)] : []),
    ...(inputs.deltaBias ? [backend.view(parameters, inputs.deltaBias.shape, d * n + d)] : []),
    ...(dInitial ? [dInitial] : []),
  ];
  operands.release();
  backend.release(work, sums, grads, parameters, ...(inputs.dY ? [] : [dY]));
  return result;
}

function zeros(backend: WebGpuBackend, like: TensorInfo): TensorInfo {
  const out = backend.output(like.shape);
  fillWith(backend, out, 0);
  return out;
}
