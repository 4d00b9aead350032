export type { Dialogue } from "./dialogues.ts";
export type { Examples, Target } from "./examples.ts";
export { fit, type FitData, type FitResult, type Fittable } from "./fit.ts";
export type { FitOptions } from "./fitOptions.ts";
export type { Series } from "./series.ts";
export type { Sounds } from "./sounds.ts";
