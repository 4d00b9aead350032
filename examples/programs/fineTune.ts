// A published checkpoint goes on learning, on other texts, and is written back in its own form.
import { bundledCheckpoint, fit, load } from "statespace";

const lm = await load(bundledCheckpoint());
const texts = ["The sea was calm.", "The sea was wild.", "The ship went down.", "The crew went ashore."];
const { loss } = await fit(lm, texts, { steps: 4, batchSize: 2, seqLen: 16, heldOut: 0, learningRate: 1e-4 });
console.log(`loss ${loss.toFixed(2)}`);
await lm.save("tuned");
