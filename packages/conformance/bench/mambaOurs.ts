import { wasmBackend } from "@statespace/backend-wasm";
import { AdamW, readFloats, setBackend, tensor, valueAndGrads, type BackendDefinition } from "@statespace/core";
import { Model } from "@statespace/models";
import type { Problem, Trainer } from "./mambaProblem.ts";

/** Ours on a pool of threads: `wasm` may be registered under several names, so that thread counts take turns. */
export async function trainOurs(
  { model: source, batch, length, ids, targets, learningRate }: Problem,
  threads: number,
): Promise<Trainer> {
  const definition: BackendDefinition = { ...wasmBackend({ threads }), name: `wasm${threads}` };
  await setBackend(definition);
  const model = new Model(source.config, 0);
  const optimizer = new AdamW(model.parameters, { learningRate, weightDecay: 0 });
  const x = tensor(ids, [batch, length]);
  const y = tensor(targets, [batch, length]);
  return {
    label: `statespace, ${threads} thread${threads > 1 ? "s" : ""}`,
    note: "selective scan as one kernel, forward and backward",
    async step() {
      await setBackend(definition);
      const { value, grads } = valueAndGrads(
        () => model.loss(x, y),
        optimizer.parameters.map((p) => p.value),
      );
      optimizer.step(grads);
      const [loss] = await readFloats(value);
      for (const t of [value, ...grads]) t?.dispose();
      return loss!;
    },
    close() {},
  };
}
