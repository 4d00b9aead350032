// What each published package weighs in a page: its own code and third-party dependencies, bundled, minified, gzipped. Other packages of the
// workspace are left out (each has its own budget), as are optional and peer dependencies (a page does not load them).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { Report } from "./report.mjs";
import { isEmptyPackage, publicPackages, root } from "./workspace.mjs";

const isBare = (id) => !/^[./]/.test(id) && !/^[A-Za-z]:/.test(id);

/** Every entry of a package, so that what is not at its root counts too. */
function entriesOf(pkg) {
  const entries = Object.entries(pkg.manifest.exports ?? {}).filter(([, target]) => typeof target === "object");
  return Object.fromEntries(
    entries.map(([name, target], i) => [i === 0 ? "index" : name.slice(2), join(pkg.path, target.default)]),
  );
}

/** @returns {Promise<{ own: number, all: number }>} gzipped bytes without and with third-party code */
async function bundleSizes(pkg) {
  const size = async (external) => {
    const bundle = await rolldown({
      input: entriesOf(pkg),
      external,
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
  const { sizeKb } = JSON.parse(readFileSync(join(root, "scripts", "budgets.json"), "utf8"));
  for (const pkg of publicPackages()) {
    const name = `${pkg.name} size`;
    if (isEmptyPackage(pkg)) report.skip(name, "exports nothing yet");
    else if (!existsSync(join(pkg.path, "dist", "index.js")))
      report.fail(name, "no dist/index.js: run the build first");
    else {
      const { own, all } = await bundleSizes(pkg);
      const kb = (bytes) => (bytes / 1000).toFixed(1);
      const detail = `${kb(all)} of ${sizeKb[pkg.name]} kB (own code ${kb(own)} kB)`;
      report.check(name, all <= sizeKb[pkg.name] * 1000, `over its budget in scripts/budgets.json: ${detail}`, detail);
    }
  }
}

const report = new Report("size");
await reportSizes(report);
report.finish();
