// Publishes what `changeset version` left to publish: each package gets its licence and its fields about the repository, then goes out.
// `release.mjs --prepare` only prepares, for a look at what `npm pack` would send.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishFields, repositoryAddress } from "./publishFields.mjs";
import { runNode } from "./setup.mjs";
import { commandFile, publicPackages, root } from "./workspace.mjs";

const workspace = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const address = repositoryAddress(workspace, process.env);
for (const { path, dir, manifest } of publicPackages()) {
  copyFileSync(join(root, "LICENSE"), join(path, "LICENSE"));
  const fields = publishFields(address, dir);
  writeFileSync(join(path, "package.json"), `${JSON.stringify({ ...manifest, ...fields }, null, 2)}\n`);
}
if (!process.argv.includes("--prepare")) {
  const { code } = await runNode([commandFile("@changesets/cli", "changeset"), "publish"]);
  process.exitCode = code;
}
