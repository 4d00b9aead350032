// Finds or installs a Chromium for the browser tests, and the software Vulkan device that WebGPU in Node uses where there is no GPU.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { commandFile, root } from "./workspace.mjs";
import { execute, runNode, workspaceEnv } from "./setup.mjs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const fixedPlaces = {
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  win32: [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA]
    .filter(Boolean)
    .map((base) => join(base, "Google", "Chrome", "Application", "chrome.exe")),
};

/** A browser that is here already: CHROMIUM_PATH or CHROME_PATH, then the usual names and places. */
function installedBrowser() {
  for (const variable of ["CHROMIUM_PATH", "CHROME_PATH"]) {
    const path = process.env[variable];
    if (!path) continue;
    if (!existsSync(path)) throw new Error(`${variable} is ${path}, and there is no such file`);
    return path;
  }
  // The system's folders count even where PATH was cut down to Node's.
  const folders = process.platform === "linux" ? ["/usr/bin", "/usr/local/bin", "/snap/bin"] : [];
  const path = [...(process.env.PATH ?? "").split(delimiter), ...folders];
  const onPath = process.platform === "win32" ? [] : names.flatMap((name) => path.map((folder) => join(folder, name)));
  return [...onPath, ...(fixedPlaces[process.platform] ?? [])].find((candidate) => existsSync(candidate));
}

function isDebianRoot() {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return false;
  return /^(ID|ID_LIKE)=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** apt calls dpkg and its scripts by name, so it gets the system's folders whatever our PATH is. */
async function aptInstall(packages) {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  const options = { cwd: "/", stdout: "pipe", env };
  const install = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  let done = await execute("/usr/bin/apt-get", install, options);
  if (done.code !== 0) {
    await execute("/usr/bin/apt-get", ["update", "-q"], options);
    done = await execute("/usr/bin/apt-get", install, options);
  }
  if (done.code !== 0) console.error(`apt-get ${install.join(" ")} failed:\n${done.output.slice(-2000)}`);
  return done.code === 0;
}

async function playwrightBrowser() {
  const { code } = await runNode([commandFile("playwright-core"), "install", "chromium"], { stdout: "stderr" });
  if (code !== 0) return undefined;
  const { chromium } = await import(pathToFileURL(join(root, "node_modules", "playwright-core", "index.mjs")).href);
  return existsSync(chromium.executablePath()) ? chromium.executablePath() : undefined;
}

/**
 * A browser for the tests: an installed one, else Debian's, else Playwright's own.
 * @returns {Promise<{ path: string, origin: string } | undefined>} undefined when none could be had
 */
export async function provideBrowser() {
  const here = installedBrowser();
  if (here !== undefined) return { path: here, origin: "installed" };
  if (isDebianRoot() && (await aptInstall(["chromium", "libvulkan1"])) && installedBrowser() !== undefined) {
    return { path: installedBrowser(), origin: "installed now through apt" };
  }
  const path = await playwrightBrowser();
  return path && { path, origin: "downloaded by Playwright" };
}

const hasVulkanLoader = () =>
  ["/usr/lib", "/usr/lib64", "/lib"].some((folder) => existsSync(folder) && loaderIn(folder));
function loaderIn(folder) {
  const inside = (path) => readdirSync(path).some((name) => name.startsWith("libvulkan.so.1"));
  const multiarch = readdirSync(folder).filter((name) => name.endsWith("-linux-gnu"));
  return inside(folder) || multiarch.some((name) => inside(join(folder, name)));
}

const hasGpu = () =>
  existsSync("/dev/nvidiactl") ||
  (existsSync("/dev/dri") && readdirSync("/dev/dri").some((name) => name.startsWith("renderD")));

/** SwiftShader writes out this zeroing store by store, and compiles our shaders 2.6 times as long; without it the shader zeroes in a loop. */
const swiftShaderEnv = { DAWN_DISABLED_FEATURES: "use_vulkan_zero_initialize_workgroup_memory_extension" };

/**
 * The environment that gives WebGPU in Node a device. It must not reach the browser, which brings its own.
 * @param {string} [browserPath] Chromium ships SwiftShader beside its program
 * @returns {{ env: Record<string, string>, device: string }}
 */
export function findVulkan(browserPath) {
  const chosen = process.env.VK_ICD_FILENAMES;
  if (chosen)
    return { env: chosen.includes("swiftshader") ? swiftShaderEnv : {}, device: `VK_ICD_FILENAMES=${chosen}` };
  if (process.platform !== "linux") return { env: {}, device: "the system's own" };
  if (!hasVulkanLoader()) return { env: {}, device: "none: there is no Vulkan loader (libvulkan.so.1)" };
  if (hasGpu()) return { env: {}, device: "the machine's GPU" };
  const folders = [
    browserPath && dirname(realpathSync(browserPath)),
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
  ];
  const drivers = folders.filter(Boolean).map((folder) => join(folder, "vk_swiftshader_icd.json"));
  const driver = drivers.find((file) => existsSync(file));
  if (driver === undefined) return { env: {}, device: "none: no GPU, and no SwiftShader beside the browser" };
  const runtime = process.env.XDG_RUNTIME_DIR ?? "/tmp";
  return {
    env: { VK_ICD_FILENAMES: driver, XDG_RUNTIME_DIR: runtime, ...swiftShaderEnv },
    device: `SwiftShader (${driver})`,
  };
}

/** `findVulkan`, after installing the loader where it is missing and may be installed. */
export async function provideVulkan(browserPath) {
  if (process.platform === "linux" && !hasVulkanLoader() && isDebianRoot()) await aptInstall(["libvulkan1"]);
  return findVulkan(browserPath);
}

/** What version of the browser answers, for the log. */
export function browserVersion(path) {
  if (process.platform === "win32") return "";
  return spawnSync(path, ["--version"], { encoding: "utf8", env: workspaceEnv() }).stdout?.trim() ?? "";
}
