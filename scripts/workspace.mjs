// What the scripts need to know about the workspace. Plain JavaScript: everything in this folder must run under Node 20.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** @typedef {{ name: string, dir: string, path: string, manifest: Record<string, any> }} WorkspacePackage */

/**
 * Every folder of `packages/` and `apps/` that has a package.json, and `examples` if it has one.
 * @param {string} [at] the workspace root
 * @returns {WorkspacePackage[]} sorted by folder
 */
export function listPackages(at = root) {
  const inGroup = (group) =>
    (existsSync(join(at, group)) ? readdirSync(join(at, group)).sort() : []).map((folder) => `${group}/${folder}`);
  return [...inGroup("packages"), ...inGroup("apps"), "examples"]
    .filter((dir) => existsSync(join(at, dir, "package.json")))
    .map((dir) => {
      const path = join(at, dir);
      const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      return { name: manifest.name, dir, path, manifest };
    });
}

/** Packages that are published. */
export function publicPackages(at = root) {
  return listPackages(at).filter((pkg) => pkg.manifest.private !== true);
}

/** Whether a package exports nothing yet; checks of such a package are skipped aloud, not passed. */
export function isEmptyPackage(pkg) {
  const index = join(pkg.path, "src", "index.ts");
  if (!existsSync(index)) return true;
  const code = readFileSync(index, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  return /^\s*(export\s*\{\s*\}\s*;?\s*)?$/.test(code);
}

/** Names of the workspace packages that `pkg` needs at run time, itself first, each once. */
export function workspaceClosure(pkg, all) {
  const byName = new Map(all.map((each) => [each.name, each]));
  const found = new Map();
  const visit = (each) => {
    if (found.has(each.name)) return;
    found.set(each.name, each);
    const { dependencies, peerDependencies, optionalDependencies } = each.manifest;
    for (const name of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) {
      if (byName.has(name)) visit(byName.get(name));
    }
  };
  visit(pkg);
  return [...found.values()];
}

/**
 * The JavaScript file behind a command of an installed package, so that it can be run with a Node of our choice on any system.
 * @param {string} packageName @param {string} [command]
 */
export function commandFile(packageName, command = packageName, from = root) {
  const dir = join(from, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const file = typeof bin === "string" ? bin : bin[command];
  if (file === undefined) throw new Error(`${packageName} has no command "${command}"`);
  return join(dir, file);
}
