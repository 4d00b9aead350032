import { Mamba2Mixer, type Mamba2MixerConfig, type Projections } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

const base: Mamba2MixerConfig = {
  dModel: 4,
  dInner: 8,
  dState: 3,
  nHeads: 4,
  headDim: 2,
  nGroups: 2,
  dConv: 3,
  chunkSize: 4,
  useBias: false,
  useConvBias: true,
  mixerNorm: true,
  mixerNormEps: 1e-5,
  normBeforeGate: false,
  normGroupSize: 8,
  timeStepLimit: [0, Infinity],
  dHasHeadDim: false,
  aInitRange: [1, 16],
  timeStepMin: 0.01,
  timeStepMax: 0.5,
  timeStepFloor: 1e-4,
};
const variants: Readonly<Record<string, Partial<Mamba2MixerConfig>>> = {
  "as transformers has it": {},
  "groups normed apart, after which the gate acts": { normBeforeGate: true, normGroupSize: 4, useBias: true },
  "without a norm, D a channel": { mixerNorm: false, dHasHeadDim: true, useConvBias: false },
  "steps clamped": { timeStepLimit: [0.1, 0.4] },
};

for (const [name, change] of Object.entries(variants)) {
  describeMixerLaws(`Mamba-2, ${name}`, (build) => new Mamba2Mixer({ ...base, ...change }, build), { dModel: 4 });
}
const projections: Projections = {
  in_proj: {
    factors: [
      [8, 0.5],
      [8, 1.5],
      [6, 0.75],
      [6, 2],
      [4, 0.25],
    ],
  },
  out_proj: { bias: false },
};
describeMixerLaws(
  "Mamba-2, factors on what the projection makes, a bias of it alone",
  (build) => new Mamba2Mixer({ ...base, useBias: true }, build.within("mixer", projections)),
  { dModel: 4 },
);
