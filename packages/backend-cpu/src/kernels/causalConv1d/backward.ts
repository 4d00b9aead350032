import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { CpuBackend } from "../../backend.ts";
import { siluGradient } from "../../math.ts";
import { convArrays, convolveAt } from "./arrays.ts";

/** Each tap hands its share of dY back to the input it read, in x or in the initial state; lastState is a copy of inputs. */
export function causalConv1dGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = convArrays(backend, inputs);
  const { b, l, d, k } = s;
  const names = ["x", "weight", "bias", "initialState"].filter((name) => inputs[name]);
  const grads = names.map((name) => backend.output(inputs[name]!.shape));
  const outs = grads.map((grad) => backend.floats(grad));
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  backend.launch(() => {
    const sums = new Map(names.map((name, i) => [name, new Float64Array(outs[i]!.length)]));
    const [dX, dWeight, dBias, dInitial] = [sums.get("x")!, sums.get("weight")!, sums.get("bias"), sums.get("initialState")];
    const toInput = (i: number, t: number, c: number, value: number): void => {
      if (t >= 0) dX[(i * l + t) * d + c]! += value;
      else if (dInitial) dInitial[(i * (k - 1) + k - 1 + t) * d + c]! += value;
    };
    for (let i = 0; i < b; i++) {
      for (let t = 0; dY && t < l; t++) {
        const first = s.firstTap(i, t);
        for (let c = 0; c < d; c++) {
          const upstream = dY[(i * l + t) * d + c]!;
          const dDot = attrs.silu ? upstream * siluGradient(convolveAt(s, i, t, c, first)) : upstream;
          if (dBias) dBias[c]! += dDot;
          for (let j = first; j < k; j++) {
            const from = t - (k - 1) + j;
            dWeight[c * k + j]! += dDot * s.input(i, from, c);
            toInput(i, from, c, dDot * s.weight[c * k + j]!);
          }
        }
      }
      if (!dLastState) continue;
      for (let j = Math.max(0, s.firstTap(i, l - 1) - 1); j < k - 1; j++) {
        for (let c = 0; c < d; c++) toInput(i, l - (k - 1) + j, c, dLastState[(i * (k - 1) + j) * d + c]!);
      }
    }
    names.forEach((name, i) => outs[i]!.set(sums.get(name)!));
  });
  return grads;
}
