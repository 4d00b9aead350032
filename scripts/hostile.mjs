// Mutated files of each kind, read:  pnpm hostile [--count 20000] [--seed 1] [KIND ...]
// A mutation must be read, or refused with a typed error, within two seconds and without setting aside more than twice its size in buffers. Exit code 1 where one is not.
import { parseArgs } from "node:util";
import { fuzz } from "../packages/files/test/fuzz/fuzz.ts";
import { kinds } from "../packages/files/test/fuzz/kinds.ts";
import { textKinds } from "../packages/text/test/hostileKinds.ts";

const all = { ...kinds, ...textKinds };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const unknown = positionals.find((name) => !Object.hasOwn(all, name));
if (unknown !== undefined) {
  console.error(`no kind ${unknown}; there are ${Object.keys(all).join(", ")}`);
  process.exit(2);
}
console.log(
  "| kind | mutations | read | refused | slowest, ms | buffers beside twice the file, bytes | heap beside it, MB |\n| --- | --- | --- | --- | --- | --- | --- |",
);
for (const name of positionals.length > 0 ? positionals : Object.keys(all)) {
  try {
    const { rounds, accepted, slowestMs, bufferBytes, heapBytes } = await fuzz(
      all[name],
      Number(values.count),
      Number(values.seed),
    );
    console.log(
      `| ${name} | ${rounds} | ${accepted} | ${rounds - accepted} | ${slowestMs.toFixed(0)} | ${bufferBytes} | ${(heapBytes / 1e6).toFixed(1)} |`,
    );
  } catch (error) {
    console.log(`| ${name} | ${error.message.split("\n")[0]} | | | | | |`);
    process.exitCode = 1;
  }
}
