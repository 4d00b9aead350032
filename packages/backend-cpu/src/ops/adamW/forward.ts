import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** One step of AdamW with decoupled decay, in place; the settings are read when it runs, so that a replay sees new ones. */
export function adamW(backend: CpuBackend, inputs: KernelInputs): TensorInfo[] {
  const param = backend.floats(inputs.param!);
  const m = backend.floats(inputs.m!);
  const v = backend.floats(inputs.v!);
  const grad = backend.floats(inputs.grad!);
  const hyper = backend.floats(inputs.hyper!);
  const gradScale = inputs.gradScale && backend.floats(inputs.gradScale);
  backend.launch(() => {
    const [lr, beta1, beta2, eps, weightDecay, correction1, correction2] = hyper as unknown as number[];
    const scale = gradScale ? gradScale[0]! : 1;
    for (let i = 0; i < param.length; i++) {
      const g = grad[i]! * scale;
      const mean = beta1! * m[i]! + (1 - beta1!) * g;
      const square = beta2! * v[i]! + (1 - beta2!) * g * g;
      m[i] = mean;
      v[i] = square;
      param[i] =
        param[i]! * (1 - lr! * weightDecay!) -
        (lr! * (mean / correction1!)) / (Math.sqrt(square / correction2!) + eps!);
    }
  });
  return [];
}
