import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

/** Chooses each row's next token in place. */
export function sampleToken(
  backend: WasmBackend,
  { logits, settings, random, id, counts }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const [b, v] = logits!.shape as [number, number];
  const outputs = attrs.logprob ? [backend.output([b])] : [];
  backend.withWorkspace(backend.threads * 2 * v, (workspace) =>
    backend.call(
      "sampleToken",
      [
        backend.at(id!),
        backend.at(random!),
        backend.maybeAt(counts),
        backend.maybeAt(outputs[0]),
        workspace,
        backend.at(logits!),
        backend.at(settings!),
        b,
        v,
      ],
      // Rows are all there is to share out.
      b === 1 ? 0 : 8 * b * v,
    ),
  );
  return outputs;
}
