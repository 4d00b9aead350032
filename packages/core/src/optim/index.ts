export { AdamW, type AdamWOptions } from "./adamWOptimizer.ts";
export { AdamW8 } from "./adamW8Optimizer.ts";
export { EightBit, type EightBitKind } from "./eightBit.ts";
export { Lion, type LionOptions } from "./lionOptimizer.ts";
export { Muon, type MuonOptions } from "./muonOptimizer.ts";
export type { Optimizer, SavedMoments } from "./optimizer.ts";
export { clipScale, type ClipScale } from "./clip.ts";
