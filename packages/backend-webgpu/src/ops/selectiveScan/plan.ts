import { ShapeError } from "@statespace/core";
import { type KernelAttrs, type KernelInputs, type TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import type { DeviceTraits } from "../../device/device.ts";

/** Extents of a scan. */
export interface ScanExtents {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly n: number;
  readonly g: number;
}

/** How a scan is cut over threads: see the constants at the head of forward.wgsl. */
export interface ScanCut {
  readonly V: number;
  readonly L: number;
  readonly CH: number;
  readonly TS: number;
  /** Backward only: steps from one kept state to the next, a divisor of TS. */
  readonly SUB: number;
  /** Backward only: channels a thread. */
  readonly P: number;
  /** Steps a chunk (a multiple of TS), chunks a row. */
  readonly chunk: number;
  readonly chunks: number;
}

/** What one asks a cut to be; the bench tries others. */
export interface CutWish {
  /** vec4s of states a thread. */
  V: number;
  /** Threads a workgroup. */
  threads: number;
  /** Steps a tile. */
  TS: number;
  /** Backward only: steps from one kept state to the next. */
  SUB: number;
  /** Backward only: channels a thread. */
  P?: number;
  /** Threads in flight to aim for: fewer leave the device idle, more cost another pass over the chunks. */
  inFlight: number;
}

/** The cuts that did best on an H100 (bench/NOTES.md); `whole` where rows need not be cut into chunks to fill the device. */
export const wishes: Record<"forward" | "whole" | "states" | "backward", CutWish> = {
  forward: { V: 1, threads: 128, TS: 8, SUB: 8, inFlight: 98_304 },
  whole: { V: 1, threads: 128, TS: 16, SUB: 16, inFlight: 1 },
  states: { V: 1, threads: 128, TS: 8, SUB: 4, inFlight: 1 },
  backward: { V: 1, threads: 128, TS: 4, SUB: 4, P: 2, inFlight: 98_304 },
};

/** Threads that keep a large device busy without cutting rows. */
const enoughThreads = 40_000;

export function forwardWish({ b, d, n }: ScanExtents): CutWish {
  return b * d * Math.ceil(n / 4) >= enoughThreads ? wishes.whole : wishes.forward;
}

export function scanExtents(inputs: KernelInputs): ScanExtents {
  const [b, l, d] = inputs.u!.shape as [number, number, number];
  const n = inputs.A!.shape[1]!;
  return { b, l, d, n, g: inputs.B!.shape.length === 4 ? inputs.B!.shape[2]! : 1 };
}

const powerOfTwoAbove = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/** Steps that chunks are multiples of. */
const chunkUnit = 16;

/** Each chunk of the forward scan reads the ends of all before it: more of them would cost more than they bring. */
const mostChunks = 48;

/** States a channel takes in the padded layouts. */
export function paddedStates({ V, L }: ScanCut): number {
  return 4 * V * L;
}

/** Bytes of workgroup memory as a function of the cut, per shader. */
export type WorkgroupBytes = (cut: Pick<ScanCut, "V" | "L" | "CH" | "TS" | "P">) => number;

/** Cuts a scan for a device: as wished, made smaller until its workgroup memory and groups fit. */
export function cutScan(
  { b, l, d, n, g }: ScanExtents,
  wish: CutWish,
  traits: DeviceTraits,
  bytes: WorkgroupBytes,
): ScanCut {
  const V = Math.min(wish.V, powerOfTwoAbove(n / 4));
  const L = powerOfTwoAbove(n / (4 * V));
  const threads = Math.min(wish.threads, traits.maxInvocations);
  if (L > threads)
    throw new ShapeError(`selectiveScan: the webgpu backend holds at most n = ${4 * V * threads} states, got ${n}`);
  const P = Math.min(wish.P ?? 1, L, powerOfTwoAbove(d));
  let CH = Math.min((P * threads) / L, powerOfTwoAbove(d));
  // A workgroup stages B and C of one group.
  while (g > 1 && (d / g) % CH !== 0) CH /= 2;
  let TS = wish.TS;
  while (TS > 1 && bytes({ V, L, CH, TS, P }) > traits.maxWorkgroupMemory) TS /= 2;
  while (CH > 1 && bytes({ V, L, CH, TS, P }) > traits.maxWorkgroupMemory) CH /= 2;
  const wanted = Math.max(1, Math.min(mostChunks, Math.round(wish.inFlight / (b * d * L)), Math.floor(l / (2 * TS))));
  // Every pass's tiles divide a chunk.
  const unit = Math.max(TS, chunkUnit);
  const chunk = Math.ceil(Math.ceil(l / wanted) / unit) * unit;
  return { V, L, CH, TS, SUB: Math.min(wish.SUB, TS), P: Math.min(P, CH), chunk, chunks: Math.ceil(l / chunk) };
}

/** The `const`s of a cut. */
export function cutConstants({ V, L, CH, TS }: ScanCut): Pick<ScanCut, "V" | "L" | "CH" | "TS"> {
  return { V, L, CH, TS };
}

/** How the passes of a scan get at its small operands: packed into one buffer, or bound as they are. */
export interface SmallOperands {
  readonly variant: { readonly OPERANDS: "packed" | "apart" };
  readonly buffers: {
    readonly packed?: TensorInfo;
    readonly A?: TensorInfo;
    readonly B?: TensorInfo;
    readonly C?: TensorInfo;
    readonly D?: TensorInfo | undefined;
    readonly deltaBias?: TensorInfo | undefined;
  };
  /** Where the parts of `packed` lie, in elements. */
  readonly offsets: PackedOffsets;
  /** For the carry: the states' rates, states a channel of them, and what brings them to A log2(e). */
  readonly carry: { readonly A: TensorInfo; readonly N: number; readonly scale: number };
  release(): void;
}

type PackedOffsets = Readonly<Record<"offD" | "offBias" | "offRestart" | "offBC", number>>;

/** Buffers that the passes bind when the operands are apart. */
const apartBindings = 12;

/** Prepares the small operands; with room for them, no pass is spent on it. */
export function smallOperands(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  extents: ScanExtents,
  cut: ScanCut,
): SmallOperands {
  const { A, B, C, D, deltaBias, seqIdx } = inputs;
  const N = paddedStates(cut);
  if (!seqIdx && extents.n === N && backend.traits.maxStorageBuffers >= apartBindings) {
    return {
      variant: { OPERANDS: "apart" },
      buffers: { A: A!, B: B!, C: C!, D, deltaBias },
      offsets: { offD: 0, offBias: 0, offRestart: 0, offBC: 0 },
      carry: { A: A!, N, scale: Math.LOG2E },
      release: () => {},
    };
  }
  const { packed, offsets } = packOperands(backend, inputs, extents, N);
  return {
    variant: { OPERANDS: "packed" },
    buffers: { packed },
    offsets,
    carry: { A: packed, N, scale: 1 },
    release: () => backend.release(packed),
  };
}

function packOperands(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  { b, l, d, n, g }: ScanExtents,
  N: number,
): { packed: TensorInfo; offsets: PackedOffsets } {
  const bl = b * l;
  const align = (at: number): number => Math.ceil(at / 4) * 4;
  const offD = d * N;
  const offBias = offD + d;
  const offRestart = offBias + d;
  const offBC = align(offRestart + (inputs.seqIdx ? bl : 0));
  const packed = backend.scratch(offBC + 2 * bl * g * N);
  const offsets = { offD, offBias, offRestart, offBC };
  const { A, B, C, D, deltaBias, seqIdx } = inputs;
  backend.runOver("selectiveScan/pack", Math.max(d * N, bl * g * N, bl, d), 256, {
    params: { dN: d * N, d, bl, gN: g * N, ...offsets, l, n, N },
    buffers: { A: A!, B: B!, C: C!, D, deltaBias, seqIdx, packed },
  });
  return { packed, offsets };
}

/** The switches that every pass of a scan shares. */
export function scanSwitches(inputs: KernelInputs, attrs: KernelAttrs): { HAS_SEQ: boolean; SOFTPLUS: boolean } {
  return { HAS_SEQ: !!inputs.seqIdx, SOFTPLUS: !!attrs.deltaSoftplus };
}
