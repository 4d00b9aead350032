// The next three values of a series that swings.
import { cpuBackend, fit, Model, predict, setBackend, type ModelConfig } from "statespace";

await setBackend(cpuBackend());
const series = Array.from({ length: 200 }, (_, t) => Math.sin(0.3 * t));
const head: ModelConfig["head"] = { kind: "forecasting", horizon: 3, channels: 1 };
const model = new Model({ dModel: 8, encoder: { kind: "linear", channels: 1 }, layers: ["s4d"], head });
await fit(model, { series: [series] }, { seqLen: 16, steps: 120, learningRate: 0.02 });
const [next] = await predict(model, [series.slice(-16)]);
console.log("forecast", next?.values);
