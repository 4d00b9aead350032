// The API reference, a page for each public name, from the docstrings: `docs.mjs [--out FOLDER] [--lang en|zh]` writes docs/api or another folder,
// `docs.mjs --check` only looks for public exports without a docstring.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, posix, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { movePages } from "./apiPages.mjs";
import { headingNames } from "./links.mjs";
import { Report } from "./report.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const docs = join(root, "docs");
const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    out: { type: "string", default: join(docs, "api") },
    lang: { type: "string", default: "en" },
  },
});
const report = new Report("docstrings");
/** Names an entry may have. */
const budgets = JSON.parse(readFileSync(join(root, "scripts", "budgets.json"), "utf8")).exports;

/** What a package's exports name, each with its source: `@statespace/core`, `@statespace/core/math`. */
const entriesOf = (pkg) =>
  Object.entries(pkg.manifest.exports).flatMap(([subpath, { "statespace-source": source }]) =>
    source === undefined ? [] : [{ pkg, name: join(pkg.name, subpath), source: join(source) }],
  );

const slugOf = (name) => name.replace(/^@statespace\//, "").replaceAll("/", "-");

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

/**
 * Writes a page for each public name, in one run over all entries, so that a name which several pass on has one page.
 * @param {string} folder @param {string} language of the headings: "en" or "zh"
 */
async function write(packages, folder, language) {
  const work = mkdtempSync(join(tmpdir(), "statespace-docs-"));
  const wanted = packages.flatMap(entriesOf);
  const settings = ["--router", "member", "--alwaysCreateEntryPointModule", "--name", "API", "--lang", language];
  const json = ["--json", join(folder, "names.json")];
  const { code, output } = await typedoc(wanted, [...settings, "--out", work, ...json]);
  if (code !== 0) report.fail(`reference (${language})`, output);
  else {
    const entries = wanted.map(({ pkg, name, source }) => ({
      folder: posix.join(basename(pkg.path), source.replace(/(\/index)?\.ts$/, "")),
      slug: slugOf(name),
      name,
    }));
    const pages = movePages(work, folder, entries, headingNames);
    report.check(`reference (${language})`, pages > 500, output, `${pages} pages in ${relative(root, folder)}`);
  }
  rmSync(work, { recursive: true, force: true });
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

const packages = publicPackages().filter((pkg) => !isEmptyPackage(pkg));
for (const pkg of publicPackages().filter(isEmptyPackage)) report.skip(pkg.name, "exports nothing yet");
if (values.check) await check(packages);
else await write(packages, resolve(values.out), values.lang);
report.finish();
