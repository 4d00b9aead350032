// What each published package weighs in a page: its own code and third-party dependencies, bundled, minified, gzipped. Other packages of the
// workspace are left out (each has its own budget), as are optional and peer dependencies (a page does not load them), and what an entry asks for only
// when it is used (`import()`) where that is another part of the package, with its own budget.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { Report } from "./report.mjs";
import { isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const isBare = (id) => !/^[./]/.test(id) && !/^[A-Za-z]:/.test(id);

const budgets = JSON.parse(readFileSync(join(root, "scripts", "budgets.json"), "utf8"));

/** The entries of a package in parts with a budget each: those that `sizeParts` names, and all others under the package's own name. */
function partsOf(pkg) {
  const entries = Object.entries(pkg.manifest.exports ?? {}).filter(([, target]) => typeof target === "object");
  const named = budgets.sizeParts[pkg.name] ?? {};
  const apart = new Set(Object.values(named).flat());
  const parts = { [pkg.name]: entries.map(([name]) => name).filter((name) => !apart.has(name)), ...named };
  const file = Object.fromEntries(entries.map(([name, target]) => [name, join(pkg.path, target.default)]));
  return Object.entries(parts).map(([name, subpaths]) => [name, subpaths.map((subpath) => file[subpath])]);
}

/** Files that are loaded with some files: what they import, but for `import()`. */
function loadedWith(files, found = new Set()) {
  for (const file of files) {
    if (found.has(file)) continue;
    found.add(file);
    const imports = readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*"(\.[^"]+)"/g);
    loadedWith(
      [...imports].map(([, id]) => join(dirname(file), id)),
      found,
    );
  }
  return found;
}

/** @returns {Promise<{ own: number, all: number }>} gzipped bytes without and with third-party code */
async function bundleSizes(pkg, files, others) {
  const [here, there] = [loadedWith(files), loadedWith(others)];
  const isOtherPart = (file) => there.has(file) && !here.has(file);
  const size = async (external) => {
    const bundle = await rolldown({
      input: files,
      external: (id, importer) => external(id) || (importer !== undefined && isOtherPart(join(dirname(importer), id))),
      platform: "browser",
      logLevel: "silent",
      treeshake: true,
    });
    const { output } = await bundle.generate({ format: "esm", minify: true, sourcemap: false });
    await bundle.close();
    return output.reduce(
      (sum, file) => sum + gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 }).length,
      0,
    );
  };
  const { peerDependencies, optionalDependencies } = pkg.manifest;
  const absent = new Set([...Object.keys({ ...peerDependencies, ...optionalDependencies }), "webgpu"]);
  const isOutside = (id) => id.startsWith("node:") || /^@?statespace(\/|$)/.test(id) || absent.has(id);
  return { own: await size(isBare), all: await size(isOutside) };
}

async function reportSizes(report) {
  for (const pkg of publicPackages()) {
    if (isEmptyPackage(pkg)) report.skip(`${pkg.name} size`, "exports nothing yet");
    else if (!existsSync(join(pkg.path, "dist", "index.js")))
      report.fail(`${pkg.name} size`, "no dist/index.js: run the build first");
    else {
      const parts = partsOf(pkg);
      for (const [name, files] of parts) {
        const others = parts.flatMap(([other, own]) => (other === name ? [] : own));
        await reportPart(report, pkg, name, files, others);
      }
    }
  }
}

async function reportPart(report, pkg, name, files, others) {
  const { own, all } = await bundleSizes(pkg, files, others);
  const kb = (bytes) => (bytes / 1000).toFixed(1);
  const most = budgets.sizeKb[name];
  const detail = `${kb(all)} of ${most} kB (own code ${kb(own)} kB)`;
  report.check(`${name} size`, all <= most * 1000, `over its budget in scripts/budgets.json: ${detail}`, detail);
}

const report = new Report("size");
await reportSizes(report);
report.finish();
