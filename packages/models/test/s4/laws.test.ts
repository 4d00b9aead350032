import { dssConfig, s4Config, s4dConfig, S4Mixer, type S4Config } from "../../src/index.ts";
import { describeMixerLaws, type LawOptions } from "../laws.ts";

const law = { dModel: 2, unpacked: true } as const;
/** The nodes of the generating function are a table in float32; near omega = -1 the resolvent is steep there. */
const table = { ...law, exact: 1e-5, roundings: 512 } as const;

function laws(name: string, config: S4Config, options: LawOptions): void {
  describeMixerLaws(name, (build) => new S4Mixer(config, build), options);
}

const small = { dState: 8, deltaMin: 0.01 } as const;
laws("S4D-Lin", s4dConfig(2, small), law);
laws(
  "S4D-Inv, bilinear, plain output",
  s4dConfig(2, { ...small, init: "inv", discretization: "bilinear", output: "linear" }),
  law,
);
laws("S4D-LegS, two filters a channel", s4dConfig(2, { ...small, init: "legs", channels: 2 }), law);
laws(
  "S4D-Real, one system for both channels, a step for each state",
  s4dConfig(2, { ...small, init: "real", nSsm: 1, deltaTie: false, output: "none", activation: "none" }),
  law,
);
laws(
  "S4D at half the rate, other transforms",
  s4dConfig(2, { ...small, rate: 0.5, deltaTransform: "softplus", realTransform: "softplus", imagTransform: "exp" }),
  law,
);
laws("S4D, bidirectional", s4dConfig(2, { ...small, bidirectional: true }), { ...law, stateless: true });
laws("DSS", dssConfig(2, { ...small, kernelLength: 16 }), law);
laws("S4, linear steps", s4Config(2, { ...small, kernelLength: 8 }), table);
laws("S4, dense steps, longer than its kernel", s4Config(2, { ...small, kernelLength: 4, stepMode: "dense" }), table);
laws("S4 with C itself as the weight", s4Config(2, small), table);
laws(
  "S4-FouT at twice the rate, rank 2",
  s4Config(2, { ...small, init: "fourier", rank: 2, kernelLength: 32, rate: 2 }),
  table,
);
laws("S4-LegT", s4Config(2, { ...small, init: "legt", kernelLength: 7 }), table);
laws("S4, bidirectional", s4Config(2, { ...small, kernelLength: 8, bidirectional: true }), {
  ...table,
  stateless: true,
});
