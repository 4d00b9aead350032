import { cpuBackend, Model, setBackend, tensor } from "statespace";
import {
  AttentionMixer,
  GatedDeltaMixer,
  GruMixer,
  LstmMixer,
  LsslMixer,
  Mamba2Mixer,
  Mamba3Mixer,
  MambaMixer,
} from "@statespace/models";
import {
  Linear,
  MlpMixer,
  Norm,
  ResidualBlock,
  RgLruMixer,
  S4Mixer,
  S5Mixer,
  ShortConvMixer,
} from "@statespace/models";
import { mixerKinds } from "@statespace/models";

await setBackend(cpuBackend());
const kinds = {
  attention: AttentionMixer,
  gatedDelta: GatedDeltaMixer,
  gru: GruMixer,
  lstm: LstmMixer,
  lssl: LsslMixer,
};
const more = {
  mamba2: Mamba2Mixer,
  mamba3: Mamba3Mixer,
  mamba: MambaMixer,
  rgLru: RgLruMixer,
  s4: S4Mixer,
  s5: S5Mixer,
};
const classes = { ...kinds, ...more, shortConv: ShortConvMixer };
const layers = Object.keys(classes) as (typeof mixerKinds)[number][];
const model = new Model({
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers,
  head: { kind: "language" },
  norm: "rms",
});
for (const [i, mixer] of model.mixers.entries()) console.log(layers[i], mixer instanceof Object.values(classes)[i]!);
console.log(
  model.blocks[0] instanceof ResidualBlock,
  model.normF instanceof Norm,
  [...model.linears.values()][0] instanceof Linear,
);
console.log(model.forward(tensor([1, 2, 3], [1, 3], "int32")).output.shape, mixerKinds.length, "kinds", MlpMixer.name); // [1, 3, 16]
