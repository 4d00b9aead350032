// What a page gets: one small program that imports `statespace` is bundled with Vite, webpack and esbuild as a user would, without settings
// beyond their defaults, and opened in a browser, where it must read the bundled checkpoint over HTTP and write the same text with each, asking nobody
// but its own server. Then pages under Content-Security-Policies: what works, and what is said where it cannot.
// `pagecheck.mjs [--browser chromium|firefox|webkit]`
import { createServer } from "node:http";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";
import { chromium, firefox, webkit } from "playwright-core";
import { provideBrowser } from "./browser.mjs";
import { Report } from "./report.mjs";
import { root } from "./workspace.mjs";

const { values: options } = parseArgs({ options: { browser: { type: "string", default: "chromium" } } });
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

/** Each way of starting WebAssembly's kernels: what a product of matrices is, or why there is none. */
const policyProgram = `
import { matMul, setBackend, stopBackend, tensor, wasmBackend } from "statespace";

const attempt = async (options) => {
  try {
    await setBackend(wasmBackend(options));
    return String(await matMul(tensor([1, 2, 3, 4], [2, 2]), tensor([1, 1, 1, 1], [2, 2])).data());
  } catch (error) {
    return String(error);
  } finally {
    stopBackend("wasm");
  }
};
const outcome = { isolated: crossOriginIsolated };
for (const [name, options] of Object.entries({
  alone: { threads: 1 },
  unasked: {},
  two: { threads: 2 },
  worker: { worker: true, threads: 1 },
  file: { threads: 2, workerUrl: "/worker.js" },
  fileWorker: { worker: true, threads: 2, workerUrl: "/worker.js" },
}))
  outcome[name] = await attempt(options);
globalThis.outcome = outcome;
`;

/** The page of the first tutorial, as it stands there; what it wrote is told beside it. */
function tutorialProgram() {
  const text = readFileSync(join(root, "apps", "docs", "tutorials/first-page.md"), "utf8");
  const [, code] = /^```ts browser\n([\s\S]*?)^```/m.exec(text) ?? [];
  if (code === undefined) throw new Error("tutorials/first-page.md has no program for a page");
  return `${code}\nglobalThis.outcome = { text: output.textContent };\n`;
}

const PRODUCT = /^3,3,7,7$/;
const [noBlob, noWasm] = [/worker-src blob:.*workerUrl/, /'wasm-unsafe-eval'/];
const all = (value) =>
  Object.fromEntries(["alone", "unasked", "two", "worker", "file", "fileWorker"].map((name) => [name, value]));
/** Policies, none of which allows unsafe-eval, and what each way gives under them. */
const policies = [
  ["all that is needed", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:", all(PRODUCT)],
  [
    "no workers from blob:",
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
    { ...all(PRODUCT), two: noBlob, worker: noBlob },
  ],
  ["no WebAssembly", "script-src 'self'; worker-src 'self' blob:", all(noWasm)],
];

/** A folder with the program and the package beside it. */
function project(name, source = program) {
  const folder = join(work, name);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(product, join(folder, "node_modules", "statespace"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  writeFileSync(join(folder, "main.js"), source);
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
function serve(folder, headers = {}) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://page").pathname));
    const file = join(path.startsWith("/checkpoint/") ? product : folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    const body = readFileSync(file);
    response.writeHead(200, {
      ...headers,
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "content-length": body.length,
    });
    return response.end(request.method === "HEAD" ? undefined : body);
  });
  return new Promise((settle) => server.listen(0, "127.0.0.1", () => settle(server)));
}

/** What the page found, or why it found nothing. */
async function open(browser, folder, headers) {
  const server = await serve(folder, headers);
  const page = await browser.newPage();
  const problems = [];
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    const home = `http://127.0.0.1:${server.address().port}`;
    await page.goto(`${home}/`);
    const found = await page.waitForFunction(() => globalThis.outcome, undefined, { timeout: 120_000 });
    const elsewhere = requests.filter((url) => !url.startsWith(`${home}/`) && !url.startsWith(`blob:${home}/`));
    return { ...(await found.jsonValue()), requests: requests.length, elsewhere };
  } catch (error) {
    return { error: [...problems, String(error)].join("\n") };
  } finally {
    await page.close();
    server.close();
  }
}

/** The browser that is asked for: Chromium is this machine's own, the others are Playwright's. */
async function launch() {
  if (options.browser !== "chromium") return { firefox, webkit }[options.browser].launch();
  const provided = await provideBrowser();
  return provided && chromium.launch({ executablePath: provided.path, args: ["--no-sandbox"] });
}

/** The same text from each bundler's page, which asks its own server only. */
async function checkBundlers(browser) {
  const texts = new Set();
  for (const [name, bundle] of Object.entries(bundlers)) {
    const outcome = await bundle(project(name)).then(
      (folder) => open(browser, folder),
      (error) => ({ error: `does not bundle: ${error.message}` }),
    );
    report.check(`${name} page`, (outcome.text ?? "") !== "", outcome.error, JSON.stringify(outcome.text));
    if (!outcome.text) continue;
    texts.add(outcome.text);
    report.check(
      `${name} page asks nobody else`,
      outcome.elsewhere.length === 0,
      outcome.elsewhere.join("\n"),
      `${outcome.requests} requests`,
    );
  }
  report.check("one text", texts.size === 1, `the pages wrote ${texts.size} different texts`);
}

/** The tutorial's page, typed, bundled with esbuild, with the checkpoint where the tutorial puts it. */
async function checkTutorial(browser) {
  const folder = project("tutorial", tutorialProgram());
  renameSync(join(folder, "main.js"), join(folder, "main.ts"));
  const { build } = await import("esbuild");
  const out = join(folder, "out");
  await build({ entryPoints: [join(folder, "main.ts")], bundle: true, format: "esm", outdir: out, logLevel: "silent" });
  writeFileSync(join(out, "index.html"), html.replace("<script", '<div id="app"></div><script'));
  symlinkSync(join(product, "checkpoint"), join(out, "model"), "junction");
  const outcome = await open(browser, out);
  report.check("the tutorial's page", (outcome.text ?? "") !== "", outcome.error, JSON.stringify(outcome.text));
}

async function checkPolicies(browser) {
  const folder = await bundlers.esbuild(project("policies", policyProgram));
  const worker = join(product, "node_modules", "@statespace", "backend-wasm", "dist", "worker.js");
  writeFileSync(join(folder, "worker.js"), readFileSync(worker));
  for (const [name, policy, expected] of policies) {
    const outcome = await open(browser, folder, {
      "content-security-policy": `default-src 'none'; connect-src 'self'; ${policy}`,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    const wrong = Object.entries(expected).filter(([way, want]) => !want.test(outcome[way] ?? ""));
    const told = outcome.error ?? wrong.map(([way]) => `${way}: ${outcome[way]}`).join("\n");
    report.check(`policy with ${name}`, outcome.isolated === true && wrong.length === 0, told);
  }
}

const browser = await launch();
if (browser === undefined) report.skip("pages", "no browser could be had");
else
  try {
    await checkBundlers(browser);
    await checkTutorial(browser);
    await checkPolicies(browser);
  } finally {
    await browser.close();
    rmSync(work, { recursive: true, force: true });
  }
report.finish();
