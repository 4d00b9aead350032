/**
 * The bench of this backend, for a GPU machine: `pnpm --filter @statespace/backend-webgpu bench [scan|chunked|gemm|decode|prefill|train|ways ..] [--small|--medium]`.
 * `--precision highest|high|medium` says how matrices are multiplied. Without names, all but `ways`. The scan is checked against the CPU reference before anything is timed.
 */
import type { Precision } from "../src/index.ts";
import { rowText } from "./report.ts";
import { benches, runSuite, sizes, type Bench } from "./suite.ts";

const at = process.argv.indexOf("--precision");
const precision = at < 0 ? "highest" : (process.argv[at + 1] as Precision);
const size = sizes.find((name) => process.argv.includes(`--${name}`)) ?? "full";
const named = process.argv.slice(2).filter((name, i) => !name.startsWith("--") && i + 2 !== at + 1);
const unknown = named.filter((name) => !(benches as readonly string[]).includes(name));
if (unknown.length > 0) throw new Error(`no bench ${unknown.join(", ")}; there are ${benches.join(", ")}`);
await runSuite(
  named.length > 0 ? (named as Bench[]) : benches.filter((name) => name !== "ways"),
  size,
  (row) => console.log(rowText(row)),
  () => {},
  precision,
);
process.exit(0);
