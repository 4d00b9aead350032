import type { Kernel, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";

/** Threads that keep a device busy, and the least tokens a chunk that are worth a thread and another pass. */
const wantedThreads = 16_384;
const leastChunk = 32;

interface Cut {
  readonly b: number;
  readonly l: number;
  readonly n: number;
  readonly chunk: number;
  readonly chunks: number;
}

function cutScan(shape: readonly number[]): Cut {
  const [b, l, n] = shape as [number, number, number];
  const wanted = Math.max(1, Math.min(Math.ceil(wantedThreads / (b * n)), Math.floor(l / leastChunk)));
  const chunk = Math.max(1, Math.ceil(l / wanted));
  return { b, l, n, chunk, chunks: Math.max(1, Math.ceil(l / chunk)) };
}

/**
 * What every chunk starts from, [b, chunks, n, 2]: the initial state itself where there is one chunk, else scratch to be released.
 * `reduce` writes each chunk's end from zero, and the product of its decays, into [b, chunks, n, 4].
 */
function chunkStarts(
  backend: WebGpuBackend,
  { b, n, chunks }: Cut,
  initial: TensorInfo | undefined,
  reduce: (ends: TensorInfo) => void,
): TensorInfo | undefined {
  if (chunks === 1) return initial;
  const ends = backend.scratch(4 * b * chunks * n);
  const starts = backend.scratch(2 * b * chunks * n);
  reduce(ends);
  backend.runOver("diagonalScan/carry", b * n, 32, {
    params: { count: b * n, n, chunks },
    buffers: { initial, ends, starts },
  });
  backend.release(ends);
  return starts;
}

const forward: Kernel<WebGpuBackend> = (backend, { ABar, Bu, initialState }, { reverse, returnLastState }) => {
  const cut = cutScan(Bu!.shape);
  const { b, l, n, chunk, chunks } = cut;
  const states = backend.output([b, l, n, 2]);
  const last = returnLastState ? backend.output([b, n, 2]) : undefined;
  const params = { b, l, n, chunk, chunks };
  const switches = { VARYING: ABar!.shape.length === 4, REVERSE: !!reverse };
  const read = { ABar: ABar!, Bu: Bu! };
  const starts = chunkStarts(backend, cut, initialState, (ends) =>
    backend.runOver("diagonalScan/forward", b * chunks * n, 32, {
      constants: { ...switches, REDUCE: true },
      params,
      buffers: { ...read, states: ends },
    }),
  );
  backend.runOver("diagonalScan/forward", b * chunks * n, 32, {
    constants: switches,
    params,
    buffers: { ...read, starts, states, lastState: last },
  });
  if (starts && starts !== initialState) backend.release(starts);
  return last ? [states, last] : [states];
};

const backward: Kernel<WebGpuBackend> = (
  backend,
  { ABar, Bu, initialState, states, dStates, dLastState },
  { reverse },
) => {
  const cut = cutScan(Bu!.shape);
  const { b, l, n, chunk, chunks } = cut;
  const VARYING = ABar!.shape.length === 4;
  const dABar = backend.output(ABar!.shape);
  const sums = VARYING ? dABar : backend.scratch(2 * b * chunks * n);
  const dBu = backend.output(Bu!.shape);
  const dInitial = initialState ? backend.output(initialState.shape) : undefined;
  const params = { b, l, n, chunk, chunks };
  const switches = { VARYING, REVERSE: !!reverse };
  const operands = { ABar: ABar!, states: states!, dStates, dBu };
  const starts = chunkStarts(backend, cut, dLastState, (ends) =>
    backend.runOver("diagonalScan/backward", b * chunks * n, 32, {
      constants: { ...switches, REDUCE: true },
      params,
      buffers: { ...operands, dABar: ends },
    }),
  );
  backend.runOver("diagonalScan/backward", b * chunks * n, 32, {
    constants: switches,
    params,
    buffers: { ...operands, initialState, starts, dABar: sums, dInitial },
  });
  if (starts && starts !== dLastState) backend.release(starts);
  if (!VARYING) {
    foldAxis(backend, foldOps.sum, sums, 1, b * chunks, 2 * n, dABar);
    backend.release(sums);
  }
  return [dABar, dBu, ...(dInitial ? [dInitial] : [])];
};

/** The scan of diagonal complex state space models, in chunks: reduce, carry, apply. */
export const kernels: KernelTable<WebGpuBackend> = {
  diagonalScan: forward,
  diagonalScanGrad: backward,
};
