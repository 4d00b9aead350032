export { AdamW, type AdamWOptions } from "./adamWOptimizer.ts";
export { clipScale, type ClipScale } from "./clip.ts";
