import { cpuBackend, Rng, setBackend } from "statespace";
import {
  constant,
  inverseSoftplusSteps,
  kaimingUniform,
  logOneToN,
  normal,
  ParameterBuilder,
  scaled,
  uniform,
} from "@statespace/models";

await setBackend(cpuBackend());
const build = new ParameterBuilder(new Rng(1));
const all = {
  constant: constant(2),
  kaiming: kaimingUniform(64),
  normal: normal(0.02),
  scaled: scaled(normal(1), 0.1),
  uniform: uniform(1),
};
for (const [name, init] of Object.entries({ ...all, logOneToN, steps: inverseSoftplusSteps(0.001, 0.1, 1e-4) }))
  console.log(name, (await build.make(name, [2, 4], init).value.data()).slice(0, 4));
