// Which of two waves is it? Series of any lengths, an S4D layer, and the classes of two it has not seen.
import { cpuBackend, fit, Model, predict, setBackend, type ModelConfig } from "statespace";

await setBackend(cpuBackend());
const wave = (l: number, speed: number): number[] => Array.from({ length: l }, (_, t) => Math.sin(l + speed * t));
const targets = Array.from({ length: 40 }, (_, i) => i % 2);
const inputs = targets.map((kind, i) => wave(20 + (i % 9), kind === 0 ? 0.2 : 1));
const head: ModelConfig["head"] = { kind: "classification", classes: 2 };
const model = new Model({ dModel: 8, encoder: { kind: "linear", channels: 1 }, layers: ["s4d"], head });
await fit(model, { inputs, targets }, { steps: 40, learningRate: 0.02 });
for (const { label } of await predict(model, [wave(50, 0.2), wave(50, 1)])) console.log("class", label);
