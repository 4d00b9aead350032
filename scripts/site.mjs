// `pnpm docs`: makes the reference from the sources, builds the documentation site with the playground beside it, and serves it.
// `pnpm docs --build` only builds: apps/docs/.vitepress/dist is a static site. `pnpm docs --dev` serves the pages as they are edited.
// `pnpm docs --reference` only makes the pages that come from the sources.
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { build, install, runNode } from "./setup.mjs";
import { commandFile, root } from "./workspace.mjs";

const site = join(root, "apps", "docs");
const wanted = process.argv.slice(2);
const unknown = wanted.filter((option) => !["--build", "--dev", "--reference"].includes(option));
if (unknown.length > 0) {
  console.error(`docs: unknown option ${unknown[0]}; there are --build, --dev and --reference`);
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

/** Where the pages of public names are written, by language, before the site takes them. */
const names = { en: join(root, "docs", "api"), zh: join(site, ".vitepress", "cache", "api") };

async function reference() {
  for (const [language, folder] of Object.entries(names))
    await step(`public names (${language})`, [join(root, "scripts", "docs.mjs"), "--lang", language, "--out", folder]);
  const source = "--conditions=statespace-source";
  await step("reference", [source, join(site, "scripts", "reference.ts"), names.en, names.zh]);
}

if (!existsSync(join(root, "node_modules", ".bin"))) await install();
if (!wanted.includes("--reference")) await build(["@statespace/conformance", "@statespace/playground"]);
await reference();
if (wanted.includes("--reference")) process.exit();
if (wanted.includes("--dev")) await step("pages", vitepress("dev"), site);
else {
  await step("site", vitepress("build"), site);
  const playground = join(site, ".vitepress", "dist", "playground");
  cpSync(join(root, "apps", "playground", "dist"), playground, { recursive: true });
  console.log(`\ndocs: built ${join(site, ".vitepress", "dist")}`);
  if (!wanted.includes("--build")) await step("preview", vitepress("preview"), site);
}
