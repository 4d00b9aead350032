export { S4Mixer } from "./mixer.ts";
export { s4FromStateDict, type S4StateDict, type S4StateDictOptions } from "./checkpoint.ts";
export {
  dssConfig,
  s4Config,
  s4dConfig,
  type PositiveTransform,
  type S4Config,
  type S4LearningRates,
} from "./config.ts";
export type { S4Kernel } from "./kernel.ts";
export { s4Start, type S4Start } from "./start.ts";
