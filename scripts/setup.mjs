// Set-up that needs only Node 20 and npm: the package manager comes through npx, Node 24 with the dependencies.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { commandFile, root } from "./workspace.mjs";

/** The one place that names the package manager's version is package.json. */
const packageManager = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
const minimumNode = 22;

/** npx without a shell where npm started us; by name elsewhere (on Windows that name is a .cmd file, which needs a shell). */
function npxCommand() {
  const npmCli = process.env.npm_execpath ?? "";
  const npxCli = join(dirname(npmCli), "npx-cli.js");
  if (npmCli.endsWith("npm-cli.js") && existsSync(npxCli))
    return { file: process.execPath, args: [npxCli], shell: false };
  return { file: "npx", args: [], shell: process.platform === "win32" };
}

/**
 * Runs a program to its end.
 * @param {string} file @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdout?: "inherit" | "stderr" | "pipe", shell?: boolean }} [options]
 *   stdout "stderr" keeps our own standard output clean
 * @returns {Promise<{ code: number, output: string }>} output is filled with "pipe" only
 */
export function execute(file, args, { cwd = root, env = process.env, stdout = "inherit", shell = false } = {}) {
  const plain = stdout === "pipe" ? { ...env, NO_COLOR: "1", FORCE_COLOR: undefined } : env;
  const target = { inherit: "inherit", stderr: process.stderr, pipe: "pipe" }[stdout];
  return new Promise((settle, fail) => {
    const child = spawn(file, args, {
      cwd,
      env: plain,
      shell,
      stdio: ["ignore", target, stdout === "pipe" ? "pipe" : "inherit"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", fail);
    child.on("close", (code, signal) => settle({ code: code ?? (signal ? 1 : 0), output }));
  });
}

/** Runs pnpm, in the version package.json names. @param {string[]} args */
export function pnpm(args, options = {}) {
  const npx = npxCommand();
  return execute(npx.file, [...npx.args, "-y", packageManager, ...args], { shell: npx.shell, ...options });
}

/**
 * The Node that runs everything after set-up: the workspace's own on Linux, the user's elsewhere.
 * @returns {string} path
 */
export function workspaceNode() {
  const own = join(root, "node_modules", ".bin", "node");
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split(".")[0]) >= minimumNode) return process.execPath;
  throw new Error(
    `statespace needs Node ${minimumNode} or newer on ${process.platform}-${process.arch}; this is ${process.version}`,
  );
}

/** The environment of everything after set-up: `node` and the workspace's commands come first; a browser's start script needs the system's. */
export function workspaceEnv(extra = {}) {
  const system = process.platform === "linux" ? ["/usr/bin", "/bin"] : [];
  const path = [join(root, "node_modules", ".bin"), process.env.PATH, ...system].join(delimiter);
  return { ...process.env, TURBO_TELEMETRY_DISABLED: "1", ...extra, PATH: path };
}

/** Runs a JavaScript file under the workspace's Node. */
export function runNode(args, { env = {}, ...options } = {}) {
  return execute(workspaceNode(), args, { ...options, env: workspaceEnv(env) });
}

/** Installs exactly what the lockfile says. */
export async function install() {
  console.error("installing what the lockfile says ...");
  const { code } = await pnpm(["install", "--frozen-lockfile", "--loglevel=error"], { stdout: "stderr" });
  if (code !== 0) throw new Error(`install failed with exit code ${code}`);
}

/**
 * Builds what is stale. Turbo asks for pnpm on PATH, so it runs through pnpm where there is none.
 * @param {string[]} packages names; none means all
 */
export async function build(packages = []) {
  const args = ["run", "build", "--output-logs=errors-only", ...packages.map((name) => `--filter=${name}`)];
  const options = { stdout: "stderr", env: workspaceEnv() };
  const { code } = hasPnpm()
    ? await runNode([commandFile("turbo"), ...args], { stdout: "stderr" })
    : await pnpm(["exec", "turbo", ...args], options);
  if (code !== 0) throw new Error(`build failed with exit code ${code}`);
}

function hasPnpm() {
  return spawnSync("pnpm", ["--version"], { shell: process.platform === "win32", stdio: "ignore" }).status === 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await install();
  await build();
}
