import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { siluGradient } from "../../math.ts";
import { convolveAt, convWindow, type ConvWindow } from "./window.ts";

/** Each tap hands its share of dY back to the line it read, in x or in the initial state; lastState is a copy of lines. */
export function causalConv1dGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const window = convWindow(backend, inputs);
  const { b, l, d, k } = window;
  const gradOf = (name: string): TensorInfo | undefined => inputs[name] && backend.output(inputs[name].shape);
  const [x, weight, bias, initialState] = [gradOf("x")!, gradOf("weight")!, gradOf("bias"), gradOf("initialState")];
  const [dX, dWeight] = [backend.floats(x), backend.floats(weight)];
  const [dBias, dInitial] = [bias && backend.floats(bias), initialState && backend.floats(initialState)];
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  const before = (k - 1) * d;
  backend.launch(() => {
    const sums = { weight: new Float64Array(d * k), bias: new Float64Array(d) };
    const lines = new Float64Array(before + l * d);
    const dLines = new Float64Array(lines.length);
    for (let i = 0; i < b; i++) {
      window.loadRow(i, lines);
      dLines.fill(0);
      if (dY) goBack(window, i, dY, attrs.silu as boolean, lines, dLines, sums);
      if (dLastState) {
        const from = Math.max(0, window.firstTap(i, l - 1) - 1) * d;
        for (let j = from; j < before; j++) dLines[l * d + j]! += dLastState[i * before + j]!;
      }
      dInitial?.set(dLines.subarray(0, before), i * before);
      dX.set(dLines.subarray(before), i * l * d);
    }
    dWeight.set(sums.weight);
    dBias?.set(sums.bias);
  });
  return [x, weight, bias, initialState].filter((grad) => grad !== undefined);
}

function goBack(
  window: ConvWindow,
  i: number,
  dY: Float32Array,
  silu: boolean,
  lines: Float64Array,
  dLines: Float64Array,
  sums: { weight: Float64Array; bias: Float64Array },
): void {
  const { l, d, k, weight } = window;
  for (let t = 0; t < l; t++) {
    const first = window.firstTap(i, t);
    for (let c = 0; c < d; c++) {
      const upstream = dY[(i * l + t) * d + c]!;
      const dDot = silu ? upstream * siluGradient(convolveAt(window, lines, t, c, first)) : upstream;
      sums.bias[c]! += dDot;
      for (let j = first; j < k; j++) {
        sums.weight[c * k + j]! += dDot * lines[(t + j) * d + c]!;
        dLines[(t + j) * d + c]! += dDot * weight[c * k + j]!;
      }
    }
  }
}
