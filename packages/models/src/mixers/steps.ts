import type { Fail } from "../config/schema.ts";

/** The range from which a new layer of the Mamba family draws its steps delta, log-uniformly. */
export const stepFields = {
  timeStepMin: {
    type: "number",
    min: 0,
    above: true,
    max: 1e6,
    default: 0.001,
    doc: "least step delta of a new layer, drawn log-uniformly",
    names: { transformers: "time_step_min", mamba_ssm: "dt_min" },
  },
  timeStepMax: {
    type: "number",
    min: 0,
    max: 1e6,
    default: 0.1,
    doc: "largest step delta of a new layer",
    names: { transformers: "time_step_max", mamba_ssm: "dt_max" },
  },
  timeStepFloor: {
    type: "number",
    min: 0,
    max: 1e6,
    default: 1e-4,
    doc: "no step is drawn below this",
    names: { transformers: "time_step_floor", mamba_ssm: "dt_init_floor" },
  },
} as const;

/** Steps are drawn from a range that is one. */
export function checkSteps(config: { readonly timeStepMin: number; readonly timeStepMax: number }, fail: Fail): void {
  if (config.timeStepMax < config.timeStepMin)
    fail("timeStepMax", `must be at least the least step, ${config.timeStepMin}`);
}
