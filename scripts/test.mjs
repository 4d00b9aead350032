// `npm test`: set-up, then every check there is. Its last line is `N passed, N failed, N skipped`.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browserVersion, provideBrowser, provideVulkan } from "./browser.mjs";
import { build, install, runNode } from "./setup.mjs";
import { runVitest } from "./vitest.mjs";
import { commandFile, listPackages, root } from "./workspace.mjs";

const started = Date.now();
const total = { counts: { passed: 0, failed: 0, skipped: 0 }, failures: [], skips: [] };
const times = [];
const testFiles = [];
const secondTries = [];

function add({ counts, failures, skips, retried = [], files = [] }) {
  for (const key of Object.keys(total.counts)) total.counts[key] += counts[key];
  total.failures.push(...failures);
  total.skips.push(...skips);
  testFiles.push(...files);
  secondTries.push(...retried);
}

const passed = () => add({ counts: { passed: 1, failed: 0, skipped: 0 }, failures: [], skips: [] });
const failed = (why) => add({ counts: { passed: 0, failed: 1, skipped: 0 }, failures: [why], skips: [] });
const skipped = (why) => add({ counts: { passed: 0, failed: 0, skipped: 1 }, failures: [], skips: [why] });

/** Runs one part; an exception in it is a failure of that part only. */
async function part(title, action) {
  const from = Date.now();
  console.log(`\n=== ${title}`);
  try {
    await action();
  } catch (error) {
    console.error(error);
    failed(`${title}: ${error.message}`);
  }
  times.push([title, (Date.now() - from) / 1000]);
}

/** A command that passes or fails as a whole. */
async function command(title, args) {
  await part(title, async () => {
    const { code } = await runNode(args);
    if (code === 0) passed();
    else failed(`${title}: exit code ${code}`);
  });
}

/** A script of ours that counts its own checks. */
async function script(title, file, ...args) {
  await part(title, async () => {
    const folder = mkdtempSync(join(tmpdir(), "statespace-report-"));
    const reportFile = join(folder, "report.jsonl");
    const { code } = await runNode([join(root, "scripts", file), ...args], { env: { STATESPACE_REPORT: reportFile } });
    const lines = existsSync(reportFile) ? readFileSync(reportFile, "utf8").trim().split("\n") : [];
    rmSync(folder, { recursive: true, force: true });
    for (const line of lines) add(JSON.parse(line));
    if (lines.length === 0) failed(`${title}: exit code ${code} before any check`);
  });
}

const hasBrowserTests = () => listPackages().some(({ path }) => existsSync(join(path, "vitest.browser.config.ts")));

function summarize() {
  console.log("\n=== summary");
  for (const [title, seconds] of times) console.log(`  ${seconds.toFixed(1).padStart(7)} s  ${title}`);
  console.log(`  ${((Date.now() - started) / 1000).toFixed(1).padStart(7)} s  in all`);
  console.log("  the longest test files:");
  for (const [name, seconds] of testFiles.toSorted((a, b) => b[1] - a[1]).slice(0, 20))
    console.log(`  ${seconds.toFixed(1).padStart(7)} s  ${name}`);
  for (const skip of total.skips) console.log(`  SKIPPED  ${skip}`);
  for (const retry of secondTries) console.log(`  PASSED AT THE SECOND TRY  ${retry}`);
  for (const failure of total.failures) console.log(`  FAILED   ${failure}`);
  const { counts } = total;
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
}

let browser;
let built = false;
let vulkan = { env: {}, device: "none" };
await part("install", install);
if (total.counts.failed === 0) {
  await part("browser and WebGPU device", async () => {
    browser = await provideBrowser();
    vulkan = await provideVulkan(browser?.path);
    console.log(
      `  browser: ${browser ? `${browserVersion(browser.path)} at ${browser.path} (${browser.origin})` : "none could be had"}`,
    );
    console.log(`  WebGPU in Node: ${vulkan.device}`);
    if (browser && process.env.CONFORMANCE_CASES !== "all")
      console.log(
        "  WebGPU cases: all in Node; one of each op and of each golden group in the browser, too (CONFORMANCE_CASES=all: all in both)",
      );
    console.log(
      `  expected backends: ${process.env.EXPECT_BACKENDS || "whatever starts (EXPECT_BACKENDS is not set)"}`,
    );
  });
  await command("format", [commandFile("oxfmt"), "--check"]);
  await command("lint", [commandFile("oxlint")]);
  await script("layering", "layering.mjs");
  await part("build", async () => {
    await build();
    built = true;
    passed();
  });
  await script("typecheck", "typecheck.mjs");
  // The playground's tests need not build again what `build` has built.
  const browserEnv = {
    ...(browser ? { CHROMIUM_PATH: browser.path } : {}),
    ...(built ? { PLAYGROUND_BUILT: "1" } : {}),
  };
  await part("tests in Node", async () => add(await runVitest("node", { ...browserEnv, ...vulkan.env })));
  await part("tests in the browser", async () => {
    if (!hasBrowserTests()) skipped("tests in the browser: there are none yet (no vitest.browser.config.ts)");
    else if (browser) add(await runVitest("browser", browserEnv));
    else if (process.env.CI) failed("tests in the browser: no browser could be had");
    else skipped("all tests in the browser: none could be had; set CHROME_PATH");
  });
  await script("line budgets", "linecount.mjs");
  await script("docstrings", "docs.mjs", "--check");
  if (built) {
    await script("size budgets", "sizes.mjs");
    await script("packed packages", "packcheck.mjs");
    await script("bundled pages", "pagecheck.mjs");
  } else skipped("sizes, packed packages and bundled pages: the build failed");
}
summarize();
