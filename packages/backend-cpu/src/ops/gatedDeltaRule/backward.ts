import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { correct, deltaArrays, type Correction, type DeltaArrays, type Unit } from "./token.ts";

/** Tokens between two states that are kept. */
const CHUNK = 64;

/** Inputs that get a gradient, in the order the op declares. */
const DIFFERENTIABLE = ["q", "k", "v", "g", "beta", "initialState"] as const;
type Gradients = Partial<Record<(typeof DIFFERENTIABLE)[number], Float64Array>>;

/**
 * Gradients of the gated delta rule. States are kept at chunk boundaries and recomputed inside a chunk; the adjoint G of the state goes
 * backwards. With D the decayed state, r = v - D^T k, e = beta r and state = D + k e^T,
 *
 *     G += scale q dy^T;   de = G^T k;   dr = beta de;   dD = G - k dr^T;   G of the token before = exp(g) dD
 */
export function backward(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = deltaArrays(backend, inputs, attrs);
  const names = DIFFERENTIABLE.filter((name) => inputs[name]);
  const outputs = names.map((name) => backend.output(inputs[name]!.shape));
  const targets = outputs.map((info) => backend.floats(info));
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  backend.launch(() => {
    const grads: Gradients = Object.fromEntries(names.map((name, i) => [name, new Float64Array(targets[i]!.length)]));
    for (let row = 0; row < s.b * s.h; row++) headGradients(s, row, grads, dY, dLastState);
    names.forEach((name, i) => targets[i]!.set(grads[name]!));
  });
  return outputs;
}

function headGradients(
  s: DeltaArrays,
  row: number,
  grads: Gradients,
  dY: Float32Array | undefined,
  dLastState: Float32Array | undefined,
): void {
  const size = s.n * s.p;
  const [i, head] = [Math.floor(row / s.h), row % s.h];
  const state = new Float64Array(size);
  if (s.initialState) state.set(s.initialState.subarray(row * size, (row + 1) * size));
  const starts: Float64Array[] = [];
  for (let t = 0; t < s.l; t++) {
    if (t % CHUNK === 0) starts.push(state.slice());
    correct(s, state, i, t, head);
  }
  const adjoint = new Float64Array(size);
  if (dLastState) adjoint.set(dLastState.subarray(row * size, (row + 1) * size));
  for (let chunk = starts.length - 1; chunk >= 0; chunk--) {
    const from = chunk * CHUNK;
    const corrections: Correction[] = [];
    for (let t = from; t < Math.min(s.l, from + CHUNK); t++) corrections.push(correct(s, starts[chunk]!, i, t, head));
    for (let t = from + corrections.length - 1; t >= from; t--) {
      const at = (i * s.l + t) * s.h + head;
      tokenGradients(s, at, corrections[t - from]!, adjoint, grads, dY?.subarray(at * s.p, (at + 1) * s.p));
      // The state before is another sequence's: nothing flows into it, nor did its decay matter.
      if (s.restarts(i, t)) adjoint.fill(0);
    }
  }
  grads.initialState?.set(adjoint, row * size);
}

/** What one token adds to every gradient; `adjoint` goes from after the token to before it. */
function tokenGradients(
  s: DeltaArrays,
  at: number,
  { decayed, missing, key }: Correction,
  adjoint: Float64Array,
  grads: Gradients,
  dY: Float32Array | undefined,
): void {
  const { n, p } = s;
  const beta = s.beta[at]!;
  const query = s.query(at);
  const dError = new Float64Array(p);
  const dQuery = new Float64Array(n);
  const dKey = new Float64Array(n);
  for (let row = 0; row < n; row++)
    for (let c = 0; c < p; c++) {
      const e = row * p + c;
      const dy = s.scale * (dY?.[c] ?? 0);
      dQuery[row]! += dy * (decayed[e]! + key.vector[row]! * beta * missing[c]!);
      adjoint[e]! += dy * query.vector[row]!;
      dError[c]! += adjoint[e]! * key.vector[row]!;
    }
  let dBeta = 0;
  for (let c = 0; c < p; c++) {
    dBeta += dError[c]! * missing[c]!;
    grads.v![at * p + c] = beta * dError[c]!;
  }
  grads.beta![at] = dBeta;
  for (let row = 0; row < n; row++)
    for (let c = 0; c < p; c++) {
      const e = row * p + c;
      dKey[row]! += adjoint[e]! * beta * missing[c]! - decayed[e]! * beta * dError[c]!;
      adjoint[e]! -= key.vector[row]! * beta * dError[c]!;
      grads.g![s.wide ? at * n + row : at]! += adjoint[e]! * decayed[e]!;
      adjoint[e]! *= s.decay(at, row);
    }
  grads.q!.set(throughLength(query, dQuery), at * n);
  grads.k!.set(throughLength(key, dKey), at * n);
}

/** The gradient of a vector that was divided by its length. */
function throughLength({ vector, length }: Unit, gradient: Float64Array): Float64Array {
  if (length === undefined) return gradient;
  const along = gradient.reduce((sum, value, i) => sum + value * vector[i]!, 0);
  return gradient.map((value, i) => (value - vector[i]! * along) / length);
}
