import { MambaMixer, type MambaMixerConfig } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

const base: MambaMixerConfig = {
  dModel: 4,
  dInner: 8,
  dState: 3,
  dConv: 3,
  dtRank: 2,
  useBias: false,
  useConvBias: true,
  mixerNormEps: undefined,
  timeStepMin: 0.01,
  timeStepMax: 0.5,
  timeStepFloor: 1e-4,
  timeStepScale: 1,
  timeStepInitScheme: "random",
};

describeMixerLaws("Mamba", (build) => new MambaMixer(base, build), { dModel: 4 });
describeMixerLaws(
  "Mamba with biases",
  (build) => new MambaMixer({ ...base, useBias: true, useConvBias: false }, build),
  { dModel: 4 },
);
describeMixerLaws("FalconMamba", (build) => new MambaMixer({ ...base, mixerNormEps: 1e-6 }, build), { dModel: 4 });
describeMixerLaws(
  "Mamba as Jamba has it",
  (build) => new MambaMixer({ ...base, mixerNormEps: 1e-6, mixerNormWeight: true }, build),
  { dModel: 4 },
);
