import type { TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../backend.ts";

/** What a kernel may get or not, by name. */
type Tensors = Readonly<Record<string, TensorInfo | undefined>>;
type Like<Inputs extends Tensors> = {
  readonly [Name in keyof Inputs]: TensorInfo | (undefined extends Inputs[Name] ? undefined : never);
};

/** A new tensor like each input, absent where that is: `{ dx: x!, dBias: bias }`. */
export function gradientsLike<const Inputs extends Tensors>(backend: WasmBackend, inputs: Inputs): Like<Inputs> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, input && backend.output(input.shape)]),
  ) as Like<Inputs>;
}

/** Those that are there, in order. */
export function present(tensors: Tensors): TensorInfo[] {
  return Object.values(tensors).filter((tensor) => tensor !== undefined);
}
