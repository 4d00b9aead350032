import { keep, tidy, type Tensor } from "@statespace/core";
import type { Model } from "./model.ts";

/** What a model made of a sequence, layer by layer; the caller disposes it. */
export interface Inspection {
  /** The residual stream: what the encoder made of the inputs, then after each layer; [b, l, dModel] each. */
  readonly hidden: readonly Tensor[];
  /** What each mixer can tell, in the order of the layers: `delta`, `B` and `C` of a selective SSM, `attention` of attention. */
  readonly mixers: readonly Readonly<Record<string, Tensor>>[];
  dispose(): void;
}

/**
 * Runs whole sequences and keeps what is inside: the residual stream after each layer, and what each mixer chose.
 * @param inputs int32 [b, l], or float32 [b, l, channels] for a linear encoder
 */
export function inspect(model: Model, inputs: Tensor): Inspection {
  const hidden: Tensor[] = [];
  const mixers: Readonly<Record<string, Tensor>>[] = [];
  tidy(() => {
    let x = keep(model.encoder.apply(model.units.take(inputs).x, 3));
    hidden.push(x);
    const encoded = x;
    for (const block of model.blocks) {
      const inputs = block.inputs(x, encoded);
      for (const [k, mixer] of block.mixers.entries()) {
        const told = mixer.inspect?.(inputs[k]!) ?? {};
        for (const t of Object.values(told)) keep(t);
        mixers.push(told);
      }
      x = keep(block.forward(x, { encoded }).y);
      hidden.push(x);
    }
  });
  const dispose = (): void => {
    for (const t of [...hidden, ...mixers.flatMap((told) => Object.values(told))]) t.dispose();
  };
  return { hidden, mixers, dispose };
}
