// What a page gets: one small program that imports `statespace` is bundled with Vite, webpack and esbuild as a user would, without settings
// beyond their defaults, and opened in Chromium, where it must read the bundled checkpoint over HTTP and write the same text with each.
import { createServer } from "node:http";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";
import { provideBrowser } from "./browser.mjs";
import { Report } from "./report.mjs";
import { root } from "./workspace.mjs";

const report = new Report("pages");
const work = mkdtempSync(join(tmpdir(), "statespace-pages-"));
const product = join(root, "packages", "statespace");

/** Uses the public face only; what it found is left where the check looks. */
const program = `
import { load, wasmBackend } from "statespace";

try {
  const lm = await load(new URL("/checkpoint/", location.href), { backend: wasmBackend({ threads: 1 }) });
  const text = await lm.complete("The state of the", { maxNewTokens: 16 });
  globalThis.outcome = { text };
} catch (error) {
  globalThis.outcome = { error: String(error?.stack ?? error) };
}
`;
const html = '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="./main.js"></script>';

/** A folder with the program and the package beside it. */
function project(name) {
  const folder = join(work, name);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(product, join(folder, "node_modules", "statespace"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  writeFileSync(join(folder, "main.js"), program);
  writeFileSync(join(folder, "index.html"), html);
  return folder;
}

/** Each bundles the program of a folder and says what its page's root is; warnings are told, errors thrown. */
const bundlers = {
  async vite(folder) {
    const { build } = await import("vite");
    await build({ root: folder, logLevel: "error", build: { target: "es2022", outDir: "out" } });
    return join(folder, "out");
  },
  async webpack(folder) {
    const { default: webpack } = await import("webpack");
    const out = join(folder, "out");
    const settings = {
      context: folder,
      entry: "./main.js",
      mode: "production",
      output: { path: out, filename: "main.js", module: true },
      experiments: { outputModule: true },
      performance: false,
    };
    await new Promise((settle, fail) =>
      webpack(settings, (error, stats) => {
        if (error) fail(error);
        else if (stats.hasErrors()) fail(new Error(stats.toString({ all: false, errors: true })));
        else settle();
      }),
    );
    writeFileSync(join(out, "index.html"), html);
    return out;
  },
  async esbuild(folder) {
    const { build } = await import("esbuild");
    const out = join(folder, "out");
    const entryPoints = [join(folder, "main.js")];
    await build({ entryPoints, bundle: true, format: "esm", minify: true, outdir: out, logLevel: "silent" });
    writeFileSync(join(out, "index.html"), html);
    return out;
  },
};

const types = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json" };

/** Serves a page's folder, and the checkpoint beside it. */
function serve(folder) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://page").pathname));
    const file = join(path.startsWith("/checkpoint/") ? product : folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    const body = readFileSync(file);
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "content-length": body.length,
    });
    return response.end(request.method === "HEAD" ? undefined : body);
  });
  return new Promise((settle) => server.listen(0, "127.0.0.1", () => settle(server)));
}

/** What the page found, or why it found nothing. */
async function open(browser, folder) {
  const server = await serve(folder);
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const found = await page.waitForFunction(() => globalThis.outcome, undefined, { timeout: 120_000 });
    return await found.jsonValue();
  } catch (error) {
    return { error: [...problems, String(error)].join("\n") };
  } finally {
    await page.close();
    server.close();
  }
}

const provided = await provideBrowser();
if (provided === undefined) report.skip("pages", "no browser could be had");
else {
  const browser = await chromium.launch({ executablePath: provided.path, args: ["--no-sandbox"] });
  const texts = new Set();
  try {
    for (const [name, bundle] of Object.entries(bundlers)) {
      const outcome = await bundle(project(name)).then(
        (folder) => open(browser, folder),
        (error) => ({ error: `does not bundle: ${error.message}` }),
      );
      report.check(`${name} page`, (outcome.text ?? "") !== "", outcome.error, JSON.stringify(outcome.text));
      if (outcome.text) texts.add(outcome.text);
    }
  } finally {
    await browser.close();
    rmSync(work, { recursive: true, force: true });
  }
  report.check("one text", texts.size === 1, `the pages wrote ${texts.size} different texts`);
}
report.finish();
