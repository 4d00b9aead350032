// The API reference, one markdown file a package, from the docstrings: `docs.mjs` writes docs/api, `docs.mjs --check` only looks for
// public exports without a docstring.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Report } from "./report.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const checkOnly = process.argv.includes("--check");
const docs = join(root, "docs");
const report = new Report("docstrings");

const fileName = (pkg) => `${pkg.name.replace(/^@statespace\//, "")}.md`;

/** typedoc on one package at a time, so that a fault in one hides no other. */
function typedoc(pkg, args) {
  const options = ["--options", join(docs, "typedoc.json"), "--entryPoints", join(pkg.path, "src", "index.ts"), "--name", pkg.name];
  // What a package passes on from another is documented there.
  for (const other of publicPackages()) if (other.name !== pkg.name) options.push("--externalPattern", `**/${other.dir}/**`);
  return runNode([commandFile("typedoc", "typedoc", docs), ...options, ...args], { stdout: "pipe" });
}

/** Writes a package's page. */
async function write(pkg) {
  const { code, output } = await typedoc(pkg, ["--out", join(docs, "api"), "--cleanOutputDir", "false", "--entryFileName", fileName(pkg)]);
  report.check(`${pkg.name} reference`, code === 0, output, `docs/api/${fileName(pkg)}`);
}

/** Every export of a package has a docstring; members of classes and interfaces may do without. */
async function check(pkg, folder) {
  const file = join(folder, `${fileName(pkg)}.json`);
  const { code, output } = await typedoc(pkg, ["--json", file, "--disableSources", "false"]);
  if (code !== 0) return report.fail(`${pkg.name} docstrings`, output);
  const exported = (JSON.parse(readFileSync(file, "utf8")).children ?? []).filter(({ variant }) => variant === "declaration");
  const bare = exported.filter((reflection) => !isDocumented(reflection)).map(({ name, sources }) => `${name} (${sources?.[0]?.fileName ?? "?"})`);
  const why = `${bare.length} of ${exported.length} exports have no docstring:\n${bare.join("\n")}`;
  report.check(`${pkg.name} docstrings`, bare.length === 0 && exported.length > 0, why, `${exported.length} exports`);
}

const isDocumented = ({ comment, signatures }) => comment !== undefined || (signatures ?? []).some((signature) => signature.comment !== undefined);

/** The page that lists the others. */
function writeIndex(packages) {
  const lines = packages.map((pkg) => `- [${pkg.name}](${fileName(pkg)}): ${pkg.manifest.description}`);
  writeFileSync(join(docs, "api", "README.md"), `# API reference\n\nMade from the docstrings by \`pnpm docs:api\`.\n\n${lines.join("\n")}\n`);
}

const packages = publicPackages().filter((pkg) => !isEmptyPackage(pkg));
for (const pkg of publicPackages().filter(isEmptyPackage)) report.skip(pkg.name, "exports nothing yet");
if (checkOnly) {
  const folder = mkdtempSync(join(tmpdir(), "statespace-docs-"));
  for (const pkg of packages) await check(pkg, folder);
  rmSync(folder, { recursive: true });
} else {
  rmSync(join(docs, "api"), { recursive: true, force: true });
  for (const pkg of packages) await write(pkg);
  writeIndex(packages);
}
report.finish();
