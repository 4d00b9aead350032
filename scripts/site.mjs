// `pnpm docs`: makes the reference from the sources, builds the documentation site with the playground beside it, and serves it.
// `pnpm docs --build` only builds: apps/docs/.vitepress/dist is a static site. `pnpm docs --dev` serves the pages as they are edited.
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, install, runNode } from "./setup.mjs";
import { commandFile, root } from "./workspace.mjs";

const site = join(root, "apps", "docs");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((option) => !["--build", "--dev"].includes(option));
if (unknown.length > 0) {
  console.error(`docs: unknown option ${unknown[0]}; there are --build and --dev`);
  process.exit(2);
}

async function step(title, args, cwd = root) {
  console.log(`\n=== ${title}`);
  const { code } = await runNode(args, { cwd });
  if (code !== 0) {
    console.error(`docs: ${title} ended with exit code ${code}`);
    process.exit(code);
  }
}

const vitepress = (command) => [commandFile("vitepress", "vitepress", site), command, "."];

if (!existsSync(join(root, "node_modules", ".bin"))) await install();
await build(["@statespace/conformance", "@statespace/playground"]);
await step("API pages", [join(root, "scripts", "docs.mjs")]);
rmSync(join(site, "reference", "api"), { recursive: true, force: true });
cpSync(join(root, "docs", "api"), join(site, "reference", "api"), { recursive: true });
renameSync(join(site, "reference", "api", "README.md"), join(site, "reference", "api", "index.md"));
await step("ops and families", ["--conditions=statespace-source", join(site, "scripts", "reference.ts")]);
if (wanted.includes("--dev")) await step("pages", vitepress("dev"), site);
else {
  await step("site", vitepress("build"), site);
  const playground = join(site, ".vitepress", "dist", "playground");
  cpSync(join(root, "apps", "playground", "dist"), playground, { recursive: true });
  console.log(`\ndocs: built ${join(site, ".vitepress", "dist")}`);
  if (!wanted.includes("--build")) await step("preview", vitepress("preview"), site);
}
