import { mul, reshape, type Tensor } from "@statespace/core";
import { copy, mamba3Scan, mamba3ScanStep, sliceAxis } from "@statespace/core/ops";
import type { LayerState } from "../../layers/mixer.ts";
import { rotate, type Pairing } from "../../layers/rotate.ts";
import { accumulateAngles, advanceAngle, turnOf } from "./rotation.ts";

/** What the scan of Mamba-3 takes; for one step the same without the axis l. */
export interface RotatedScanInputs {
  readonly q: Tensor; // [b, l, h, r, n], bias added
  readonly k: Tensor; // [b, l, h, r, n], bias added
  readonly v: Tensor; // [b, l, h, r, p]
  readonly adt: Tensor; // [b, l, h]
  readonly dt: Tensor; // [b, l, h]
  readonly trap: Tensor; // [b, l, h]
  /** How fast each pair turns, before tanh. */
  readonly rates: Tensor; // [b, l, h, s], or [b, l, 1, s]
  readonly D: Tensor; // [h]
  readonly z: Tensor | undefined; // [b, l, h, r, p]
}

/** Settings of `rotatedScan`. */
export interface RotatedScanOptions {
  /** Official SISO checkpoints pair neighbours, MIMO ones halves. */
  readonly pairing: Pairing;
  readonly chunkSize?: number;
  readonly initialState?: LayerState | undefined;
  readonly returnState?: boolean;
  readonly seqIdx?: Tensor | undefined;
}

/**
 * Rotation and scan of whole sequences. The state is what carries on: the angle so far [b, h, s], the state matrix [b, h, p, n],
 * and the last token's rotated k [b, h, r, n] and v [b, h, r, p], which the trapezoidal rule still needs.
 *
 * Only differences of angles matter, so packed sequences need no restart of the angle.
 */
export function rotatedScan(inputs: RotatedScanInputs, options: RotatedScanOptions): { y: Tensor; state?: LayerState } {
  const { v, adt, dt, trap, D, z } = inputs;
  const { initialState, returnState = false, seqIdx, pairing, chunkSize } = options;
  const angle = accumulateAngles(inputs.rates, dt, initialState?.angle); // [b, l, h, s]
  const turn = turnOf(angle, inputs.q.shape.at(-1)!, pairing);
  const q = rotate(inputs.q, turn);
  const k = rotate(inputs.k, turn);
  const { y, lastState } = mamba3Scan(
    {
      q,
      k,
      v,
      adt,
      dt,
      trap,
      D,
      z,
      initialState: initialState?.ssm,
      initialK: initialState?.k,
      initialV: initialState?.v,
      seqIdx,
    },
    { returnLastState: returnState, ...(chunkSize === undefined ? {} : { chunkSize }) },
  );
  if (!returnState) return { y };
  return { y, state: { angle: lastToken(angle), ssm: lastState!, k: lastToken(k), v: lastToken(v) } };
}

/** One token; the state is changed in place. */
export function rotatedStep(inputs: RotatedScanInputs, state: LayerState, pairing: Pairing): Tensor {
  const { v, adt, dt, trap, D, z } = inputs;
  const angle = advanceAngle(inputs.rates, dt, state.angle!);
  const turn = turnOf(angle, inputs.q.shape.at(-1)!, pairing);
  const { y } = mamba3ScanStep({
    q: rotate(inputs.q, turn),
    k: rotate(inputs.k, turn),
    v,
    adt,
    dt,
    trap,
    D,
    z,
    state: state.ssm!,
    lastK: state.k!,
    lastV: state.v!,
  });
  copy({ destination: state.angle!, source: angle });
  return y;
}

/** x[:, -1] with its own memory: a slice may be a view, which would keep the whole sequence. */
function lastToken(x: Tensor): Tensor {
  const [b, l, ...rest] = x.shape as [number, number, ...number[]];
  return mul(reshape(sliceAxis(x, 1, l - 1, 1), [b, ...rest]), 1);
}
