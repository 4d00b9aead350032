import { s5Config, S5Mixer } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

const base = { dState: 8, blocks: 2 } as const;

describeMixerLaws("S5", (build) => new S5Mixer(s5Config(3, base), build), { dModel: 3 });
describeMixerLaws(
  "S5, bilinear, half gate",
  (build) => new S5Mixer(s5Config(3, { ...base, discretization: "bilinear", activation: "halfGlu1" }), build),
  { dModel: 3 },
);
describeMixerLaws(
  "S5 without conjugate symmetry, step rescaled, the other half gate",
  (build) =>
    new S5Mixer(
      s5Config(2, { ...base, conjSym: false, stepRescale: 2, activation: "halfGlu2", cInit: "complexNormal" }),
      build,
    ),
  { dModel: 2 },
);
describeMixerLaws(
  "S5, clipped eigenvalues, SSM alone",
  (build) => new S5Mixer(s5Config(3, { ...base, clipEigs: true, activation: "none", cInit: "lecunNormal" }), build),
  { dModel: 3 },
);
describeMixerLaws(
  "S5, bidirectional",
  (build) => new S5Mixer(s5Config(3, { ...base, bidirectional: true, activation: "gelu" }), build),
  { dModel: 3, stateless: true },
);
