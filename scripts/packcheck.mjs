// What a user gets: each published package is packed, judged by publint and attw, installed alone in an empty project (with the workspace
// packages it needs, as tarballs too) and imported; then what its README says to install is installed, and the README's first example run.
// Last, one program with all of them meets several compilers and runtimes (`packUsers.mjs`), and each entry several bundlers (`packBundles.mjs`).
// `packcheck.mjs [--keep] [--runtimes] [PACKAGE...]`: --keep leaves the projects for a look, --runtimes runs the program on Bun and Deno, too, and builds
// an application with Next.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findVulkan } from "./browser.mjs";
import { checkBundles, checkNext } from "./packBundles.mjs";
import { checkUsers } from "./packUsers.mjs";
import { firstExample, installLine } from "./readmeExample.mjs";
import { Report } from "./report.mjs";
import { execute, runNode, workspaceEnv, workspaceNode } from "./setup.mjs";
import { commandFile, isEmptyPackage, publicPackages, workspaceClosure } from "./workspace.mjs";

const keep = process.argv.includes("--keep");
const runtimes = process.argv.includes("--runtimes");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const report = new Report("packed");
const work = mkdtempSync(join(tmpdir(), "statespace-packed-"));
const npmShell = process.platform === "win32";

/** Packs all in one go. @returns {Promise<Map<string, string>>} package name -> tarball */
async function packAll(packages) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", work, ...packages.map(({ path }) => path)];
  const { code, output } = await execute("npm", args, { stdout: "pipe", shell: npmShell, env: cleanEnv() });
  if (code !== 0) throw new Error(`npm pack failed:\n${output}`);
  return new Map(
    packages.map(({ name, manifest }) => [
      name,
      join(work, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`),
    ]),
  );
}

/** npm and pnpm hand their settings to scripts as npm_* variables; a user's empty project has none of ours. */
function cleanEnv() {
  const env = workspaceEnv();
  for (const key of Object.keys(env)) {
    if (/^npm_(lifecycle|package|execpath|command|config_local_prefix)|^PNPM_SCRIPT/.test(key)) delete env[key];
  }
  return env;
}

/** What a check found: its name, whether it holds, and what was printed. @typedef {[name: string, ok: boolean, output: string]} Finding */

/** @returns {Promise<Finding>} */
async function lint(name, tool, args) {
  const { code, output } = await runNode(args, { stdout: "pipe" });
  return [`${name} ${tool}`, code === 0, output];
}

/** `npm install` of packages into an empty project: those of the workspace, and what they need of it, as tarballs. */
async function installIn(project, names, all, tarballs) {
  mkdirSync(project, { recursive: true });
  const chosen = all.filter(({ name }) => names.includes(name)).flatMap((pkg) => workspaceClosure(pkg, all));
  const dependencies = Object.fromEntries(chosen.map(({ name }) => [name, `file:${tarballs.get(name)}`]));
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "empty-project", private: true, type: "module", dependencies }),
  );
  const outside = names.filter((name) => !tarballs.has(name));
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--no-package-lock", ...outside];
  return execute("npm", args, { cwd: project, stdout: "pipe", shell: npmShell, env: cleanEnv() });
}

/** Runs a file of a project with the environment its user would have; WebGPU finds a software device where there is no GPU. */
const runIn = (project, args) =>
  execute(workspaceNode(), args, { cwd: project, stdout: "pipe", env: { ...cleanEnv(), ...findVulkan().env } });

/** Alone in an empty project, a package can be imported. @returns {Promise<Finding[]>} */
async function checkAlone(pkg, all, tarballs) {
  const project = join(work, "alone", pkg.name);
  const installed = await installIn(project, [pkg.name], all, tarballs);
  const findings = [[`${pkg.name} installs alone`, installed.code === 0, installed.output]];
  if (installed.code !== 0) return findings;
  const { code, output } = await runIn(project, ["--input-type=module", "--eval", `await import("${pkg.name}")`]);
  findings.push([`${pkg.name} loads in Node`, code === 0, output]);
  for (const command of Object.keys(pkg.manifest.bin ?? {})) {
    const help = await runIn(project, [commandFile(pkg.name, command, project), "--help"]);
    findings.push([`${pkg.name} command ${command} --help`, help.code === 0, help.output]);
  }
  return findings;
}

/** With the package, and what else its README says to install, the README's first example runs. @returns {Promise<Finding>} */
async function checkExample(pkg, all, tarballs) {
  const title = `${pkg.name} README example`;
  if (!existsSync(join(pkg.path, "README.md"))) return [title, false, "it has no README.md"];
  const readme = readFileSync(join(pkg.path, "README.md"), "utf8");
  const example = firstExample(readme);
  const names = [...new Set([pkg.name, ...installLine(readme)])];
  if (example === undefined) return [title, false, "its README has no ts or js block"];
  const project = join(work, "example", pkg.name);
  const installed = await installIn(project, names, all, tarballs);
  if (installed.code !== 0) return [title, false, installed.output];
  const file = join(project, `example.${example.extension}`);
  writeFileSync(file, example.code);
  const { code, output } = await runIn(project, [file]);
  return [title, code === 0, output];
}

/** Programs of other people, where all packages are checked. */
async function checkOthers(all, tarballs) {
  const project = join(work, "users");
  const place = {
    project,
    install: (names) => installIn(project, names, all, tarballs),
    run: (file, args) => execute(file, args, { cwd: project, stdout: "pipe", env: cleanEnv() }),
  };
  for (const finding of await checkUsers(place, all, runtimes)) report.check(...finding);
  for (const finding of await checkBundles(
    project,
    all.filter(({ name }) => existsSync(join(project, "node_modules", name))),
  ))
    report.check(...finding);
  if (!runtimes) return;
  const next = join(work, "next");
  const nextPlace = {
    project: next,
    install: (names) => installIn(next, names, all, tarballs),
    run: (file, args) => execute(file, args, { cwd: next, stdout: "pipe", env: cleanEnv() }),
    env: cleanEnv(),
  };
  for (const finding of await checkNext(nextPlace)) report.check(...finding);
}

async function checkPackage(pkg, all, tarballs) {
  const tarball = tarballs.get(pkg.name);
  return [
    await lint(pkg.name, "publint", [commandFile("publint"), tarball, "--strict"]),
    await lint(pkg.name, "attw", [
      commandFile("@arethetypeswrong/cli", "attw"),
      tarball,
      "--profile",
      "esm-only",
      "--no-emoji",
    ]),
    ...(await checkAlone(pkg, all, tarballs)),
    await checkExample(pkg, all, tarballs),
  ];
}

/** Takes packages from the queue until it is empty, and reports each one's findings together. */
async function lane(queue, all, tarballs) {
  for (let pkg = queue.shift(); pkg !== undefined; pkg = queue.shift()) {
    if (isEmptyPackage(pkg)) report.skip(pkg.name, "exports nothing yet");
    else for (const finding of await checkPackage(pkg, all, tarballs)) report.check(...finding);
  }
}

const all = publicPackages();
const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name));
try {
  const tarballs = await packAll(all);
  const queue = [...chosen];
  await Promise.all([lane(queue, all, tarballs), lane(queue, all, tarballs)]);
  if (only.length === 0) await checkOthers(all, tarballs);
} finally {
  if (keep) console.log(`  kept in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
report.finish();
