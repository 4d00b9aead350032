import { GatedDeltaMixer, type GatedDeltaMixerConfig } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

/** Of few channels a norm's third derivative is large where they all are small, more than central differences bear: there are some, and an epsilon. */
const base: GatedDeltaMixerConfig = {
  dModel: 8,
  nHeads: 4,
  nHeadsKey: 4,
  headDim: 6,
  dState: 8,
  dConv: 3,
  negativeEigenvalues: false,
  mixerNormEps: 0.05,
  aInitRange: [0.1, 4],
  timeStepMin: 0.01,
  timeStepMax: 0.5,
  timeStepFloor: 1e-4,
};
const variants: Readonly<Record<string, Partial<GatedDeltaMixerConfig>>> = {
  plain: {},
  "keys shared by two heads, values wider than keys": { nHeadsKey: 2, headDim: 11 },
  mirrors: { negativeEigenvalues: true, dConv: 2 },
  "one head of keys, one tap": { nHeadsKey: 1, dConv: 1 },
};

for (const [name, change] of Object.entries(variants))
  describeMixerLaws(`Gated DeltaNet, ${name}`, (build) => new GatedDeltaMixer({ ...base, ...change }, build), {
    dModel: 8,
  });
