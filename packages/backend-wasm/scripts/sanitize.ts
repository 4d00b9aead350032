// Compiles csrc natively under AddressSanitizer and UndefinedBehaviorSanitizer and runs recorded kernel calls on it, as they were and with adversarial values.
// Run: node scripts/sanitize.ts RECORDING [REPEATS]; `pnpm sanitize` at the root records, then runs it. Needs gcc or clang with sanitizers.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cCalls, cTable } from "./callers.ts";
import { readSources } from "./compile.ts";
import { argumentsOf, type Argument } from "./declarations.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** n: a number; p: a packed weight; i, w, f: integers, words of any type, floats. */
function kindOf({ kind, type }: Argument): string {
  if (kind === "packed") return "p";
  if (kind !== "tensor" && kind !== "maybe") return "n";
  return type.endsWith("Ints") ? "i" : type.endsWith("Words") ? "w" : "f";
}

/** A unit for each source, its calls beside its kernels, and one with the table and the program. */
function unitsOf(): Record<string, string> {
  const { files, declarations } = readSources();
  const { kernels } = declarations;
  const sources = Object.keys(files).filter((name) => name.endsWith(".c") && name !== "runtime.c");
  const text = (list: readonly string[]): string => list.map((item) => JSON.stringify(item)).join(", ");
  const kinds = kernels.map((kernel) => argumentsOf(kernel).map(kindOf).join(""));
  const units = sources.map((name) => [
    name,
    `#include "${name}"\n${cCalls(kernels.filter(({ file }) => file === name))}\n`,
  ]);
  const table = [
    cTable(kernels),
    `static const char *const kernelNames[] = {${text(kernels.map(({ name }) => name))}, 0};`,
    `static const char *const kernelKinds[] = {${text(kinds)}};`,
    readFileSync(join(here, "sanitize.c"), "utf8"),
  ].join("\n");
  return { ...Object.fromEntries(units), "main.c": table };
}

function run(command: string, args: readonly string[]): number {
  const { status, error } = spawnSync(command, args, {
    stdio: "inherit",
    env: { ...process.env, UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1", ASAN_OPTIONS: "detect_leaks=0" },
  });
  if (error) console.error(`sanitize: ${error.message}`);
  return status ?? 2;
}

const [recording, repeats = "20"] = process.argv.slice(2);
if (recording === undefined) {
  console.error("usage: node scripts/sanitize.ts RECORDING [REPEATS]");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "statespace-sanitize-"));
try {
  const units = unitsOf();
  for (const [name, text] of Object.entries(units)) writeFileSync(join(folder, `of_${name}`), text);
  const compiler = process.env["CC"] ?? "gcc";
  const flags = ["-std=gnu11", "-O1", "-g", "-w", "-fno-strict-aliasing", "-fno-sanitize-recover=all"];
  const checks = ["-fsanitize=address,undefined", "-fno-sanitize=alignment", "-ffp-contract=off"];
  const sources = Object.keys(units).map((name) => join(folder, `of_${name}`));
  const csrc = join(here, "../csrc");
  const built = run(compiler, [...flags, ...checks, `-I${csrc}`, ...sources, "-lm", "-o", join(folder, "all")]);
  process.exitCode = built === 0 ? run(join(folder, "all"), [recording, repeats]) : built;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
