export { ResidualBlock, type BlockOptions, type BlockParts, type BlockResult, type FirstBranch } from "./block.ts";
export {
  type Initializer,
  constant,
  inverseSoftplusSteps,
  kaimingUniform,
  logOneToN,
  normal,
  scaled,
  uniform,
} from "./initializers.ts";
export { readCacheType, type CacheType } from "./cacheType.ts";
export { Linear, type LinearAdapter, type Projections, type ProjectionSettings } from "./linear.ts";
export type { ForwardOptions, ForwardResult, LayerState, Mixer } from "./mixer.ts";
export { DenseMlp, type Mlp } from "./mlp.ts";
export { makeMlp, MoeMlp } from "./moe.ts";
export { Router, type Routing } from "./moeRouter.ts";
export type { MlpConfig, MlpSettings } from "./mlpConfig.ts";
export { Norm, type NormConfig } from "./norm.ts";
export {
  ParameterBuilder,
  type Addition,
  type LinearOptions,
  type MakeOptions,
  type PartRows,
  type Parts,
} from "./parameterBuilder.ts";
