import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { attentionArrays } from "./weights.ts";

/** y_t = sum_j softmax_j(scale q_t . k_j) v_j over the keys that query t sees. */
export function causalAttention(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = attentionArrays(backend, inputs, attrs);
  const y = backend.output(inputs.q!.shape);
  const out = backend.floats(y);
  backend.launch(() => {
    const sum = new Float64Array(s.p);
    for (let i = 0; i < s.b; i++) {
      for (let t = 0; t < s.l; t++) {
        for (let head = 0; head < s.h; head++) {
          const count = s.weigh(i, t, head);
          sum.fill(0);
          for (let j = 0; j < count; j++) {
            const at = s.keyOffset(i, s.seen[j]!, head);
            for (let c = 0; c < s.p; c++) sum[c]! += s.weights[j]! * s.v[at + c]!;
          }
          out.set(sum, s.queryOffset(i, t, head));
        }
      }
    }
  });
  return [y];
}
