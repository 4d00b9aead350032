import { Mamba2Mixer, type Mamba2MixerConfig } from "../../src/index.ts";
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
  "factors on what the projection makes, a bias of it alone": {
    useBias: true,
    useOutBias: false,
    projectionMultipliers: [0.5, 1.5, 0.75, 2, 0.25],
  },
};

for (const [name, change] of Object.entries(variants)) {
  describeMixerLaws(`Mamba-2, ${name}`, (build) => new Mamba2Mixer({ ...base, ...change }, build), { dModel: 4 });
}
