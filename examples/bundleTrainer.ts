/**
 * The trainer as one file that runs where nothing is installed but Node: for a machine with a fast GPU and no registry.
 *
 *   node examples/bundleTrainer.ts OUT.mjs [ENTRY.ts]     (an example, say, from this folder; the command line unless told)
 *
 * There:  node OUT.mjs train --config RECIPE.json --out DIR --max-minutes 8 --backend webgpu
 * The recipe's texts are found from the recipe's folder. `--backend webgpu` needs the npm package `webgpu` in a node_modules beside OUT.mjs.
 */
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const [out, entry = "../packages/statespace/src/cli.ts"] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node examples/bundleTrainer.ts OUT.mjs [ENTRY.ts]");

const bundle = await rolldown({
  input: fileURLToPath(new URL(entry, import.meta.url)),
  platform: "node",
  external: ["webgpu"],
  resolve: { conditionNames: ["statespace-source", "import", "default"] },
});
const { output } = await bundle.write({ file: out, format: "esm", codeSplitting: false });
console.log(`${out}: ${(output[0].code.length / 1e6).toFixed(1)} MB`);
