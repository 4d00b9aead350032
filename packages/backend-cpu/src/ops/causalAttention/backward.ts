import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { attentionArrays } from "./weights.ts";

/**
 * Gradients of the attention; the weights a are computed again. With g_j = dy . v_j and g the mean of g_j under a:
 * dv_j += a_j dy, dscore_j = a_j (g_j - g), dq += scale dscore_j k_j, dk_j += scale dscore_j q; a sink has no value: its score's is -a g.
 */
export function causalAttentionGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = attentionArrays(backend, inputs, attrs);
  const of = [inputs.q!, inputs.k!, inputs.v!, ...(inputs.sink ? [inputs.sink] : [])];
  const outputs = of.map(({ shape }) => backend.output(shape));
  const [outQ, outK, outV] = outputs.map((info) => backend.floats(info)) as [Float32Array, Float32Array, Float32Array];
  const outSink = outputs[3] && backend.floats(outputs[3]);
  const dY = backend.floats(inputs.dY!);
  backend.launch(() => {
    // Keys are shared by queries and heads: their sums run in float64.
    const [dQ, dK, dV] = [new Float64Array(outQ.length), new Float64Array(outK.length), new Float64Array(outV.length)];
    const dSink = new Float64Array(s.h);
    const g = new Float64Array(s.m);
    for (let i = 0; i < s.b; i++) {
      for (let t = 0; t < s.l; t++) {
        for (let head = 0; head < s.h; head++) {
          const count = s.weigh(i, t, head);
          const query = s.queryOffset(i, t, head);
          let mean = 0;
          for (let j = 0; j < count; j++) {
            const at = s.keyOffset(i, s.seen[j]!, head);
            g[j] = 0;
            for (let c = 0; c < s.p; c++) {
              g[j]! += dY[query + c]! * s.v[at + c]!;
              dV[at + c]! += s.weights[j]! * dY[query + c]!;
            }
            mean += s.weights[j]! * g[j]!;
          }
          dSink[head]! -= s.weights[count]! * mean;
          for (let j = 0; j < count; j++) {
            const dScore = s.scale * s.slopes[j]! * s.weights[j]! * (g[j]! - mean);
            const at = s.keyOffset(i, s.seen[j]!, head);
            for (let c = 0; c < s.p; c++) {
              dQ[query + c]! += dScore * s.k[at + c]!;
              dK[at + c]! += dScore * s.q[query + c]!;
            }
          }
        }
      }
    }
    outQ.set(dQ);
    outK.set(dK);
    outV.set(dV);
    outSink?.set(dSink);
  });
  return outputs;
}
