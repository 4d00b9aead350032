// The API reference, one markdown file a package, from the docstrings: `docs.mjs` writes docs/api, `docs.mjs --check` only looks for
// public exports without a docstring.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Report } from "./report.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const checkOnly = process.argv.includes("--check");
const docs = join(root, "docs");
const report = new Report("docstrings");

/** Packages are read one at a time, so that a fault in one hides no other. */
async function document(pkg) {
  const folder = pkg.name.replace(/^@statespace\//, "");
  const args = ["--options", join(docs, "typedoc.json"), "--entryPoints", join(pkg.path, "src", "index.ts"), "--name", pkg.name];
  // What a package passes on from another is documented there.
  for (const other of publicPackages()) if (other !== pkg) args.push("--externalPattern", `**/${other.dir}/**`);
  const judge = ["--emit", "none", "--treatValidationWarningsAsErrors"];
  const write = ["--out", join(docs, "api"), "--cleanOutputDir", "false", "--entryFileName", `${folder}.md`];
  const command = [commandFile("typedoc", "typedoc", docs), ...args, ...(checkOnly ? judge : write)];
  const { code, output } = await runNode(command, { stdout: "pipe" });
  const complaints = output
    .split("\n")
    .filter((line) => /warning|error/i.test(line))
    .join("\n");
  report.check(`${pkg.name} docstrings`, code === 0, complaints || output, checkOnly ? "" : `docs/api/${folder}.md`);
}

if (!checkOnly) rmSync(join(docs, "api"), { recursive: true, force: true });
for (const pkg of publicPackages()) {
  if (isEmptyPackage(pkg)) report.skip(pkg.name, "exports nothing yet");
  else await document(pkg);
}
report.finish();
