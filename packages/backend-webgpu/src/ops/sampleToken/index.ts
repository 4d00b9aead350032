import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";

/** Chooses each row's next token in place, in one dispatch. */
function sampleToken(
  backend: WebGpuBackend,
  { logits, settings, random, id, counts }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const [b, v] = logits!.shape as [number, number];
  const logprob = attrs.logprob ? backend.output([b]) : undefined;
  const scratch = backend.scratch(2 * b * v);
  backend.run("sampleToken/sampleToken", {
    // All of a vocabulary goes through one workgroup; a thread's sums take 10 bytes of its memory.
    constants: { WG: backend.traits.maxInvocations >= 512 ? 512 : 256 },
    params: { v },
    buffers: {
      logits: logits!,
      settings: settings!,
      random: random!,
      ids: id!,
      counts,
      scratch,
      logprobs: logprob,
    },
    grid: [b, 1, 1],
  });
  backend.release(scratch);
  return logprob ? [logprob] : [];
}

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { sampleToken };
