export { AdamW, type AdamWOptions } from "./adamWOptimizer.ts";
export { Lion, type LionOptions } from "./lionOptimizer.ts";
export type { Optimizer, SavedMoments } from "./optimizer.ts";
export { clipScale, type ClipScale } from "./clip.ts";
