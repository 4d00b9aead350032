import { FormatError } from "@statespace/core";
import { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { S4Mixer } from "./mixer.ts";
import { s4Config, type S4Config } from "./config.ts";

/** Weights of one block by the names of the official S4Block; complex ones carry a last axis of 2. */
export type S4StateDict = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly values: ArrayLike<number> }
>;

/** What the weights do not show: the official constructor's `disc`, `activation`, and transforms. */
export type S4StateDictOptions = Partial<
  Pick<
    S4Config,
    | "discretization"
    | "activation"
    | "deltaTransform"
    | "realTransform"
    | "imagTransform"
    | "stepMode"
    | "rate"
    | "bidirectional"
    | "learningRates"
  >
>;

/**
 * A block with the weights of an official S4Block (`state_dict()`): the same filter, convolution and steps.
 * @throws FormatError when a tensor is missing, left over, or has a shape that does not fit the others.
 */
export function s4FromStateDict(weights: S4StateDict, options: S4StateDictOptions = {}): S4Mixer {
  const mixer = new S4Mixer(configOf(weights, options), new ParameterBuilder(undefined));
  const rest = new Set(weights.keys());
  rest.delete("layer.kernel.l_kernel");
  for (const parameter of mixer.parameters) {
    const { shape, values } = shapeAndValues(weights, parameter.name);
    if (shape.join() !== parameter.shape.join())
      throw new FormatError(`s4: ${parameter.name} must be [${parameter.shape.join(", ")}], got [${shape.join(", ")}]`);
    parameter.assign(Float32Array.from(values));
    rest.delete(parameter.name);
  }
  if (rest.size > 0)
    throw new FormatError(`s4: the state dict has tensors that this block does not: ${[...rest].join(", ")}`);
  return mixer;
}

function shapeAndValues(weights: S4StateDict, name: string): { shape: readonly number[]; values: ArrayLike<number> } {
  const found = weights.get(name);
  if (found === undefined) throw new FormatError(`s4: the state dict has no ${name}`);
  return found;
}

function configOf(weights: S4StateDict, options: S4StateDictOptions): S4Config {
  const shapeOf = (name: string): readonly number[] => shapeAndValues(weights, name).shape;
  const [channels, dModel] = shapeOf("layer.D") as [number, number];
  const [nSsm, n] = shapeOf("layer.kernel.A_real") as [number, number];
  const P = weights.get("layer.kernel.P");
  const projection = weights.get("output_linear.0.weight");
  return s4Config(dModel, {
    mode: P ? "dplr" : "diag",
    dState: 2 * n,
    nSsm,
    channels,
    bidirectional: shapeOf("layer.kernel.C")[0] === 2 * channels,
    deltaTie: shapeOf("layer.kernel.inv_dt")[1] === 1,
    output: projection === undefined ? "none" : projection.shape[0] === 2 * dModel ? "glu" : "linear",
    ...(P ? { rank: P.shape[0]!, kernelLength: Number(weights.get("layer.kernel.l_kernel")?.values[0] ?? 0) } : {}),
    ...options,
  });
}
