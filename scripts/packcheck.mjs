// What a user gets: each published package is packed, judged by publint and attw, installed in an empty project with the workspace packages
// it needs (as tarballs too), and the first example of its README is run there. `--keep` leaves the projects for a look.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstExample } from "./readmeExample.mjs";
import { Report } from "./report.mjs";
import { execute, runNode, workspaceEnv, workspaceNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, workspaceClosure } from "./workspace.mjs";

const keep = process.argv.includes("--keep");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const report = new Report("packed");
const work = mkdtempSync(join(tmpdir(), "statespace-packed-"));
const npmShell = process.platform === "win32";

/** Packs all in one go. @returns {Promise<Map<string, string>>} package name -> tarball */
async function packAll(packages) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", work, ...packages.map(({ path }) => path)];
  const { code, output } = await execute("npm", args, { stdout: "pipe", shell: npmShell, env: cleanEnv() });
  if (code !== 0) throw new Error(`npm pack failed:\n${output}`);
  return new Map(packages.map(({ name, manifest }) => [name, join(work, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`)]));
}

/** npm and pnpm hand their settings to scripts as npm_* variables; a user's empty project has none of ours. */
function cleanEnv() {
  const env = workspaceEnv();
  for (const key of Object.keys(env)) {
    if (/^npm_(lifecycle|package|execpath|command|config_local_prefix)|^PNPM_SCRIPT/.test(key)) delete env[key];
  }
  return env;
}

async function lint(name, tool, args) {
  const { code, output } = await runNode(args, { stdout: "pipe" });
  report.check(`${name} ${tool}`, code === 0, output);
}

async function installAlone(pkg, all, tarballs) {
  const project = join(work, "projects", pkg.name);
  mkdirSync(project, { recursive: true });
  const dependencies = Object.fromEntries(workspaceClosure(pkg, all).map(({ name }) => [name, `file:${tarballs.get(name)}`]));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty-project", private: true, type: "module", dependencies }));
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--no-package-lock"];
  const { code, output } = await execute("npm", args, { cwd: project, stdout: "pipe", shell: npmShell, env: cleanEnv() });
  report.check(`${pkg.name} installs alone`, code === 0, output);
  return code === 0 ? project : undefined;
}

async function runExample(pkg, all, tarballs) {
  const readme = join(pkg.path, "README.md");
  const example = existsSync(readme) ? firstExample(readFileSync(readme, "utf8")) : undefined;
  const project = await installAlone(pkg, all, tarballs);
  if (project === undefined) return;
  if (example === undefined) {
    report.fail(`${pkg.name} README example`, existsSync(readme) ? "its README has no ts or js block" : "it has no README.md");
    return;
  }
  const file = join(project, `example.${example.extension}`);
  writeFileSync(file, example.code);
  const { code, output } = await execute(workspaceNode(), [file], { cwd: project, stdout: "pipe", env: cleanEnv() });
  report.check(`${pkg.name} README example`, code === 0, output);
}

const all = publicPackages();
const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name));
try {
  const tarballs = await packAll(all);
  for (const pkg of chosen) {
    if (isEmptyPackage(pkg)) {
      report.skip(pkg.name, "exports nothing yet");
      continue;
    }
    const tarball = tarballs.get(pkg.name);
    await lint(pkg.name, "publint", [commandFile("publint"), tarball, "--strict"]);
    await lint(pkg.name, "attw", [commandFile("@arethetypeswrong/cli", "attw"), tarball, "--profile", "esm-only", "--no-emoji"]);
    await runExample(pkg, all, tarballs);
  }
} finally {
  if (keep) console.log(`  kept in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
report.finish();
