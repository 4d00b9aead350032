import { cpuBackend, Rng, setBackend } from "statespace";
import { ParameterBuilder, s4dConfig, s4FromStateDict, S4Mixer } from "@statespace/models";

await setBackend(cpuBackend());
const trained = new S4Mixer(s4dConfig(3, { dState: 6 }), new ParameterBuilder(new Rng(1)));
const weights = new Map<string, { shape: readonly number[]; values: Float32Array }>(); // as the official S4Block's state_dict()
for (const { name, shape, value } of trained.parameters)
  weights.set(name, { shape, values: (await value.data()) as Float32Array });
console.log(s4FromStateDict(weights).config.dState, [...weights.keys()].slice(0, 3)); // the config is read off the shapes
