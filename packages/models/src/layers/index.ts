export { constant, inverseSoftplusSteps, kaimingUniform, logOneToN, normal, scaled, uniform } from "./initializers.ts";
export type { ForwardOptions, ForwardResult, LayerState, Mixer } from "./mixer.ts";
export { GatedMlp } from "./gatedMlp.ts";
export { Norm } from "./norm.ts";
export { ParameterBuilder, type Initializer } from "./parameterBuilder.ts";
export { ResidualBlock } from "./residualBlock.ts";
