// Compiles csrc/*.c with the clang of npm into two WebAssembly binaries (plain and relaxed SIMD) and embeds them, deflated together, in
// src/binaries.gen.ts; writes the typed callers of their kernels, and the constants they share with TypeScript, to src/kernels.gen.ts.
// Does nothing when the hash in both files still fits the sources. Run: node scripts/compile.ts
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { interleave } from "../src/runtime/interleave.ts";
import { cCalls, cTable, tsModule } from "./callers.ts";
import { readDeclarations, type Declarations } from "./declarations.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..");
const binariesFile = join(root, "src/binaries.gen.ts");
const kernelsFile = join(root, "src/kernels.gen.ts");
const pages = 65536;

const common = [
  "--target=wasm32",
  "-std=gnu11",
  "-nostdlib",
  "-ffp-contract=off",
  "-fno-math-errno",
  "-fno-strict-aliasing",
  "-Wall",
  "-Werror",
  "-Wno-psabi",
  "-msimd128",
  "-matomics",
  "-mbulk-memory",
  "-mmutable-globals",
  "-mnontrapping-fptoint",
  "-msign-ext",
];
const link = [
  "-Wl,--no-entry",
  "-Wl,--import-memory",
  "-Wl,--shared-memory",
  `-Wl,--max-memory=${pages * 65536}`,
  "-Wl,--export=__stack_pointer",
  "-Wl,--export=__heap_base",
  "-Wl,-z,stack-size=65536",
  process.env.KEEP_NAMES ? "-Wl,--strip-debug" : "-Wl,--strip-all",
];
const flavours: Record<string, string[]> = { plain: [], relaxed: ["-mrelaxed-simd", "-DRELAXED"] };

export interface Sources {
  readonly files: Record<string, string>;
  readonly declarations: Declarations;
}

/** The C sources, and what they declare. */
export function readSources(): Sources {
  const files: Record<string, string> = {};
  for (const name of readdirSync(join(root, "csrc")).sort())
    if (/\.[ch]$/.test(name)) files[name] = readFileSync(join(root, "csrc", name), "utf8");
  return { files, declarations: readDeclarations(files) };
}

function hashOf({ files }: Sources): string {
  const hash = createHash("sha256");
  for (const [name, text] of Object.entries(files)) hash.update(name).update(text);
  const scripts = ["compile.ts", "declarations.ts", "callers.ts", "../src/runtime/interleave.ts"];
  for (const script of scripts) hash.update(readFileSync(join(here, script)));
  hash.update(readFileSync(join(root, "package.json")));
  return hash.digest("hex").slice(0, 32);
}

/** Byte offset of the imported memory's limits flags (1 = has a maximum, 3 = and is shared): one byte tells the two kinds apart. */
function memoryFlagOffset(binary: Uint8Array): number {
  let at = 8;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const id = binary[at++];
    const size = varint();
    if (id !== 2) {
      at += size;
      continue;
    }
    for (let count = varint(); count > 0; count--) {
      for (let names = 0; names < 2; names++) {
        const length = varint();
        at += length;
      }
      if (binary[at++] === 2) return at;
      varint();
    }
    throw new Error("the binary imports no memory");
  }
}

/** Sources whose inner loops decide the speed; the rest is compiled for size, which the download pays for. */
const hot = new Set([
  "attention.c",
  "attentionStep.c",
  "cauchy.c",
  "chunked.c",
  "chunkedBack.c",
  "conv.c",
  "diagonalScan.c",
  "experts.c",
  "byRows.c",
  "fft.c",
  "gatedDelta.c",
  "gatedDeltaBack.c",
  "gemm.c",
  "integers.c",
  "norm.c",
  "outer.c",
  "packed.c",
  "panel.c",
  "runtime.c",
  "sample.c",
  "scan.c",
  "scanBackward.c",
  "vandermonde.c",
]);

type RunClang = (
  args: string[],
  files: Record<string, string | Uint8Array>,
  options?: object,
) => Promise<Record<string, Uint8Array>>;

async function compileFlavour(sources: Sources, flags: string[]): Promise<Uint8Array> {
  const { runClang } = (await import("@yowasp/clang")) as unknown as { runClang: RunClang };
  // The compiler's own lines go to stderr; its error object carries every source file, so only the message is passed on.
  const run: RunClang = (args, files) =>
    runClang(args, files, { fetchProgress: () => undefined }).catch((error: Error) =>
      Promise.reject(new Error(`the kernels do not compile: ${error.message}`)),
    );
  const { kernels } = sources.declarations;
  const sourceNames = Object.keys(sources.files).filter((name) => name.endsWith(".c"));
  // Two units in all: starting the compiler costs more than compiling. Calls stand beside their kernels, which vanish into them.
  const compile = async (unit: string, level: string, names: string[], table = ""): Promise<Uint8Array> => {
    const includes = names.map((name) => `#include "${name}"`).join("\n");
    const text = `${includes}\n${cCalls(kernels.filter(({ file }) => names.includes(file)))}\n${table}`;
    const out = await run(["clang", ...common, ...flags, level, "-c", `${unit}.c`, "-o", `${unit}.o`], {
      ...sources.files,
      [`${unit}.c`]: text,
    });
    return out[`${unit}.o`]!;
  };
  const fast = await compile(
    "fast",
    "-O2",
    sourceNames.filter((name) => hot.has(name)),
  );
  const small = await compile(
    "small",
    "-Oz",
    sourceNames.filter((name) => !hot.has(name)),
    cTable(kernels),
  );
  const out = await run(["clang", ...common, ...flags, ...link, "fast.o", "small.o", "-o", "all.wasm"], {
    "fast.o": fast,
    "small.o": small,
  });
  return out["all.wasm"]!;
}

/** Brings the generated files up to date; returns whether it had to compile. */
export async function compileBinaries(): Promise<boolean> {
  const sources = readSources();
  const stamp = `// ${hashOf(sources)}: made from csrc by scripts/compile.ts`;
  const fits = (path: string): boolean => existsSync(path) && readFileSync(path, "utf8").startsWith(stamp);
  if (fits(binariesFile) && fits(kernelsFile)) return false;
  const binaries: Uint8Array[] = [];
  for (const flags of Object.values(flavours)) binaries.push(await compileFlavour(sources, flags));
  const deflated = deflateRawSync(interleave(binaries), { level: 9 }).toString("base64");
  const entries = Object.keys(flavours).map(
    (name, i) => `{ name: "${name}", length: ${binaries[i]!.length}, memoryFlag: ${memoryFlagOffset(binaries[i]!)} }`,
  );
  console.log(`${entries.join(", ")}: ${deflated.length} as text`);
  writeFileSync(kernelsFile, `${stamp}\n${tsModule(sources.declarations)}`);
  writeFileSync(
    binariesFile,
    `${stamp}
export const flavours: readonly { readonly name: string; readonly length: number; readonly memoryFlag: number }[] = [${entries.join(", ")}];
export const deflated = "${deflated}";
`,
  );
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compileBinaries();
