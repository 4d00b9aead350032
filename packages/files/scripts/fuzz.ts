/**
 * Mutated files of each kind, read: `node --conditions statespace-source packages/files/scripts/fuzz.ts [--rounds 20000] [--seed 1] [KIND ...]`.
 * Ends with 1 at the first that does not end in a typed error, hangs for two seconds, or sets aside more than a small multiple of its size.
 */
import { parseArgs } from "node:util";
import { fuzz } from "../test/fuzz/fuzz.ts";
import { kinds } from "../test/fuzz/kinds.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
for (const name of positionals.length > 0 ? positionals : Object.keys(kinds)) {
  const kind = kinds[name];
  if (kind === undefined) {
    console.error(`no kind ${name}; there are ${Object.keys(kinds).join(", ")}`);
    process.exit(2);
  }
  try {
    const { rounds, accepted, slowestMs, excessBytes } = await fuzz(kind, Number(values.rounds), Number(values.seed));
    console.log(`${name}: ${rounds} mutations, ${accepted} read, the others refused; slowest ${slowestMs.toFixed(0)} ms, ${(excessBytes / 1e6).toFixed(1)} MB beside the file`); // prettier-ignore
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
