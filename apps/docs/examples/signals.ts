import { Rng } from "statespace";
import { bandLimitedNoise, chirp, lorenz, mackeyGlass, randomSeries, sines } from "@statespace/datasets";

const rng = new Rng(1);
const all = {
  sines: sines({ length: 100, frequencies: [0.05, 0.12] }),
  chirp: chirp({ length: 100, from: 0.01, to: 0.2 }),
  noise: bandLimitedNoise({ length: 100, cutoff: 0.1, random: rng }),
  lorenz: lorenz({ length: 100 }), // [100, 3]
  mackeyGlass: mackeyGlass({ length: 100 }),
  randomSeries: randomSeries(rng, { length: 100 }), // trends, seasons, noise: as the world may have it
};
for (const [name, values] of Object.entries(all)) console.log(name.padEnd(12), values.length, values[50]!.toFixed(3));
