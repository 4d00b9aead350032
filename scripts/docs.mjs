// The API reference, one markdown file an entry of a package, from the docstrings: `docs.mjs` writes docs/api, `docs.mjs --check` only looks for
// public exports without a docstring.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { headingNames } from "./links.mjs";
import { Report } from "./report.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const checkOnly = process.argv.includes("--check");
const docs = join(root, "docs");
const report = new Report("docstrings");
/** Names an entry may have. */
const budgets = JSON.parse(readFileSync(join(root, "scripts", "budgets.json"), "utf8")).exports;

/** What a package's exports name, each with its source: `@statespace/core`, `@statespace/core/math`. */
const entriesOf = (pkg) =>
  Object.entries(pkg.manifest.exports).flatMap(([subpath, { "statespace-source": source }]) =>
    source === undefined ? [] : [{ pkg, name: join(pkg.name, subpath), source: join(source) }],
  );

const fileName = ({ name }) => `${name.replace(/^@statespace\//, "").replaceAll("/", "-")}.md`;

/** One run of typedoc over some entries. */
function typedoc(wanted, args) {
  const entries = wanted.flatMap(({ pkg, source }) => ["--entryPoints", join(pkg.path, source)]);
  const command = [
    commandFile("typedoc", "typedoc", docs),
    "--options",
    join(docs, "typedoc.json"),
    ...entries,
    ...args,
  ];
  return runNode(command, { stdout: "pipe" });
}

/** Writes an entry's page. What a package passes on from another is documented there. */
async function write(entry, packages) {
  const { pkg, name } = entry;
  const others = packages.filter((other) => other !== pkg).flatMap(({ dir }) => ["--externalPattern", `**/${dir}/**`]);
  const target = [
    "--name",
    name,
    "--out",
    join(docs, "api"),
    "--cleanOutputDir",
    "false",
    "--entryFileName",
    fileName(entry),
  ];
  const { code, output } = await typedoc([entry], [...others, ...target]);
  if (code === 0) mendLinks(join(docs, "api", fileName(entry)));
  report.check(`${name} reference`, code === 0, output, `docs/api/${fileName(entry)}`);
}

/** Typedoc numbers some headings that stand alone on the page: links to `#name-1` that lead nowhere go to `#name`. */
function mendLinks(file) {
  const text = readFileSync(file, "utf8");
  const names = new Set(headingNames(text));
  const mended = text.replace(/\(#([^)\s]+)-\d+\)/g, (link, name) =>
    names.has(link.slice(2, -1)) || !names.has(name) ? link : `(#${name})`,
  );
  writeFileSync(file, mended);
}

/** Every export of every package has a docstring; members of classes and interfaces may do without. */
async function check(packages) {
  const folder = mkdtempSync(join(tmpdir(), "statespace-docs-"));
  const file = join(folder, "exports.json");
  const entries = packages.flatMap(entriesOf);
  const { code, output } = await typedoc(entries, [
    "--json",
    file,
    "--disableSources",
    "false",
    "--alwaysCreateEntryPointModule",
  ]);
  if (code !== 0) return report.fail("typedoc", output);
  const modules = JSON.parse(readFileSync(file, "utf8")).children;
  rmSync(folder, { recursive: true });
  for (const { pkg, name, source } of entries) {
    const entry = `${pkg.dir}/${source}`;
    checkExports(name, modules.find(({ sources }) => sources?.[0]?.fileName.endsWith(entry))?.children ?? []);
  }
}

function checkExports(name, exported) {
  // A reference is an export that is documented where it comes from.
  const bare = exported.filter((reflection) => reflection.variant === "declaration" && !isDocumented(reflection));
  const names = bare.map(({ name: own, sources }) => `${own} (${sources?.[0]?.fileName ?? "?"})`);
  const why = `${bare.length} of ${exported.length} exports have no docstring:\n${names.join("\n")}`;
  const most = budgets[name];
  if (most !== undefined)
    report.check(
      `${name} names`,
      exported.length <= most,
      `${exported.length} exports, at most ${most} (scripts/budgets.json)`,
    );
  report.check(`${name} docstrings`, bare.length === 0 && exported.length > 0, why, `${exported.length} exports`);
}

const isDocumented = ({ comment, signatures }) =>
  comment !== undefined || (signatures ?? []).some((signature) => signature.comment !== undefined);

/** The page that lists the others. */
function writeIndex(packages) {
  const lines = packages.flatMap(entriesOf).map((entry) => {
    const about = entry.name === entry.pkg.name ? `: ${entry.pkg.manifest.description}` : "";
    return `- [${entry.name}](${fileName(entry)})${about}`;
  });
  writeFileSync(
    join(docs, "api", "README.md"),
    `# API reference\n\nMade from the docstrings by \`pnpm docs:api\`.\n\n${lines.join("\n")}\n`,
  );
}

const packages = publicPackages().filter((pkg) => !isEmptyPackage(pkg));
for (const pkg of publicPackages().filter(isEmptyPackage)) report.skip(pkg.name, "exports nothing yet");
if (checkOnly) await check(packages);
else {
  rmSync(join(docs, "api"), { recursive: true, force: true });
  for (const entry of packages.flatMap(entriesOf)) await write(entry, packages);
  writeIndex(packages);
}
report.finish();
