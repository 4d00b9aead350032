import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";

/** Chooses each row's next token in place. */
function sampleToken(
  backend: WasmBackend,
  { logits, settings, random, id, counts }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const [b, v] = logits!.shape as [number, number];
  const logprob = attrs.logprob ? backend.output([b]) : undefined;
  // Rows are all there is to share out.
  const work = b === 1 ? 0 : 8 * b * v;
  backend.withSpace({ workspace: backend.threads * 4 * v }, (space) => {
    const state = { ids: id!, random: random!, counts, logprob };
    call.sampleToken(backend, { ...state, logits: logits!, settings: settings!, b, v, ...space }, work);
  });
  return logprob ? [logprob] : [];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { sampleToken };
