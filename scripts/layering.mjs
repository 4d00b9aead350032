// Who may import whom. Packages point down: apps, statespace -> models, datasets, tfjs, backends -> text -> files -> core; folders inside a
// package stand in ranks (below). No import may reach past a package's `exports`, be undeclared, or close a circle, by types alone neither.
import { readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { findCycles } from "./cycles.mjs";
import { readImports } from "./imports.mjs";
import { Report } from "./report.mjs";
import { listPackages, root } from "./workspace.mjs";

/** Workspace packages that the `src` of each may import. Apps and examples are not listed: they may import all. */
const core = ["@statespace/core"];
const files = [...core, "@statespace/files"];
const text = [...files, "@statespace/text"];
const belowConformance = [
  ...text,
  "@statespace/backend-cpu",
  "@statespace/backend-wasm",
  "@statespace/backend-webgpu",
  "@statespace/models",
  "@statespace/datasets",
];
const mayImport = {
  "@statespace/core": [],
  "@statespace/tfjs": core,
  "@statespace/backend-cpu": core,
  "@statespace/backend-wasm": core,
  "@statespace/backend-webgpu": core,
  "@statespace/files": core,
  "@statespace/text": files,
  "@statespace/models": text,
  "@statespace/datasets": text,
  "@statespace/conformance": belowConformance,
  statespace: belowConformance,
};
/** Folders (and files) of core/src, lowest first; each imports its own rank and lower ones. */
/**
 * Folders of a package's src, lowest first; a folder imports its own rank and lower ones, and what is not listed here is free.
 * Files beside the folders put them together and may import all.
 */
const ranks = {
  "@statespace/core": {
    errors: 0,
    options: 1,
    math: 1,
    backend: 2,
    tensor: 3,
    ops: 4,
    optim: 5,
    discretization: 5,
    hippo: 5,
    ssm: 6,
  },
  "@statespace/files": {
    sources: 0,
    cache: 0,
    tensors: 1,
    safetensors: 2,
    pytorch: 2,
    gguf: 2,
    onnx: 0,
    load: 3,
    checkpoint: 3,
  },
  "@statespace/models": {
    eventLoop: 0,
    config: 0,
    layers: 1,
    mixers: 2,
    model: 2,
    families: 3,
    generate: 3,
    train: 3,
    adapters: 4,
    onnx: 4,
    pretrained: 5,
  },
  "@statespace/datasets": { formats: 0, batching: 1, synthetic: 1, real: 1 },
  "@statespace/backend-webgpu": { shader: 0, device: 1, ops: 2, fusion: 3 },
  "@statespace/backend-wasm": { runtime: 0, ops: 1 },
  "@statespace/conformance": { golden: 0, harness: 1, bench: 1 },
  statespace: { training: 0, fit: 0, commands: 1 },
};
/** The one folder that may import a tfjs package. */
const tfjsHome = {
  "@tensorflow/tfjs-core": "packages/tfjs/src/",
};

const isCode = (name) => /\.[cm]?[jt]sx?$/.test(name) && !/\.d\.[cm]?ts$/.test(name);
const posix = (path) => path.split(sep).join("/");

/** Code files under `dir`, build output and dependencies left out. */
function codeFiles(dir) {
  let entries;
  try {
    entries = readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory())
      return ["node_modules", "dist", "golden", ".turbo"].includes(entry.name) ? [] : codeFiles(path);
    return isCode(entry.name) ? [path] : [];
  });
}

/** `@scope/name/sub` -> [`@scope/name`, `./sub`] */
function splitSpecifier(specifier) {
  const parts = specifier.split("/");
  const name = parts.splice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  return [name, parts.length === 0 ? "." : `./${parts.join("/")}`];
}

/** A relative import: stays in its package, and inside core points down. */
function checkRelative(pkg, file, target) {
  if (relative(pkg.path, target).startsWith("..")) return "reaches into another package by path; import it by name";
  const order = ranks[pkg.name];
  if (order === undefined) return undefined;
  const src = join(pkg.path, "src");
  const [from, to] = [file, target].map((path) => posix(relative(src, path)).split("/")[0].replace(/\.ts$/, ""));
  if (order[from] === undefined || order[to] === undefined || order[to] <= order[from]) return undefined;
  return `${pkg.dir}/src/${from} may not import ${to}, which stands above it: ${orderText(order)}`;
}

/** `a, b <- c`: folders by rank. */
function orderText(order) {
  const byRank = [];
  for (const [folder, rank] of Object.entries(order)) (byRank[rank] ??= []).push(folder);
  return byRank.map((folders) => folders.join(", ")).join(" <- ");
}

/** An import of another workspace package. */
function checkWorkspace(pkg, target, subpath, inSource) {
  const allowed = mayImport[pkg.name];
  if (inSource && target.name !== pkg.name && allowed !== undefined && !allowed.includes(target.name)) {
    return `${pkg.name} may not import ${target.name}; it may import ${allowed.join(", ") || "no workspace package"}`;
  }
  const { exports } = target.manifest;
  if (exports !== undefined && exports[subpath] === undefined) return `${target.name} does not export "${subpath}"`;
  return undefined;
}

/** An import of a package from outside. */
function checkExternal(name, where, inSource) {
  const home = tfjsHome[name] ?? (name.startsWith("@tensorflow/") ? "" : undefined);
  if (!inSource || home === undefined || (home !== "" && where.startsWith(home))) return undefined;
  return home === "" ? `${name} is a rival for benches, not a base to build on` : `only ${home} may import ${name}`;
}

function checkDeclared(pkg, name, inSource, kind) {
  if (name === pkg.name) return undefined;
  const { dependencies, peerDependencies, optionalDependencies, devDependencies, private: isPrivate } = pkg.manifest;
  const declared = {
    ...dependencies,
    ...peerDependencies,
    ...optionalDependencies,
    ...(inSource && kind !== "type" && !isPrivate ? {} : devDependencies),
  };
  return name in declared ? undefined : `${name} is not among the dependencies of ${pkg.name}`;
}

function dependencyGraph(packages) {
  const dependenciesOf = ({ manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies });
  return new Map(packages.map((pkg) => [pkg.name, dependenciesOf(pkg)]));
}

/**
 * @param {string} [at] the workspace root
 * @returns {{ files: number, problems: string[] }}
 */
export function checkLayering(at = root) {
  const packages = listPackages(at);
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  const problems = [];
  const graph = new Map();
  for (const pkg of packages) {
    for (const file of codeFiles(pkg.path)) {
      const where = posix(relative(at, file));
      const inSource = where.startsWith(`${pkg.dir}/src/`);
      const edges = [];
      graph.set(where, edges);
      for (const { specifier, kind, line } of importsOrProblem(file, where, problems)) {
        const problem = checkImport({ pkg, file, where, inSource, specifier, kind, byName });
        if (problem !== undefined) problems.push(`${where}:${line}: "${specifier}": ${problem}`);
        if (specifier.startsWith(".") && kind !== "dynamic")
          edges.push(posix(relative(at, resolve(dirname(file), specifier))));
      }
    }
  }
  for (const cycle of findCycles(dependencyGraph(packages))) {
    problems.push(
      `circular dependency, along which no build order exists (devDependencies count): ${[...cycle, cycle[0]].join(" -> ")}`,
    );
  }
  for (const cycle of findCycles(graph)) problems.push(`circular import: ${[...cycle, cycle[0]].join(" -> ")}`);
  return { files: graph.size, problems };
}

/** A file that does not parse is a problem of its own, and must not hide those of others. */
function importsOrProblem(file, where, problems) {
  try {
    return readImports(file);
  } catch (error) {
    problems.push(`${where}: does not parse: ${error.message.replace(/\s+/g, " ").slice(0, 200)}`);
    return [];
  }
}

function checkImport({ pkg, file, where, inSource, specifier, kind, byName }) {
  const bare = specifier.replace(/[?#].*$/, "");
  if (bare.startsWith(".")) return checkRelative(pkg, file, resolve(dirname(file), bare));
  if (/^(node|virtual|data|https?):/.test(bare) || builtinModules.includes(bare)) return undefined;
  const [name, subpath] = splitSpecifier(bare);
  const target = byName.get(name);
  const problem =
    target === undefined ? checkExternal(name, where, inSource) : checkWorkspace(pkg, target, subpath, inSource);
  // The test runner and the build tools are the root's, for tests, configurations and private packages.
  if ((!inSource || pkg.manifest.private) && ["vitest", "tsdown", "vite", "playwright-core", "rolldown"].includes(name))
    return problem;
  return problem ?? checkDeclared(pkg, name, inSource, kind);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const report = new Report("layering");
  const { files, problems } = checkLayering();
  for (const problem of problems) report.fail("import", problem);
  if (problems.length === 0) report.pass("imports", `${files} files`);
  report.finish();
}
