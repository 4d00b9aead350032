// `node scripts/run.mjs PACKAGE BIN ARGS...`: builds what is stale, then runs that package's command in the caller's folder.
// Build output goes to stderr, so that the command's stdout stays clean for --json.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findVulkan } from "./browser.mjs";
import { build, install, workspaceEnv, workspaceNode } from "./setup.mjs";
import { listPackages, root } from "./workspace.mjs";

const [packageName, command, ...args] = process.argv.slice(2);

function fail(message) {
  console.error(`run: ${message}`);
  process.exit(2);
}

const pkg = listPackages().find(({ name }) => name === packageName);
if (pkg === undefined)
  fail(
    `no package "${packageName}"; there are ${listPackages()
      .map(({ name }) => name)
      .join(", ")}`,
  );
const file = pkg.manifest.bin?.[command];
if (file === undefined) fail(`${packageName} has no command "${command}" in its package.json`);

try {
  if (!existsSync(join(root, "node_modules", ".bin"))) await install();
  await build([packageName]);
} catch (error) {
  fail(error.message);
}
const path = join(pkg.path, file);
if (!existsSync(path)) fail(`${packageName}: its build made no ${file}`);

// Who asks for WebGPU by name gets a software device where there is no GPU; nobody gets one unasked, since it is slow.
const wantsWebGpu = args.some((argument) => argument.includes("webgpu"));
const child = spawn(workspaceNode(), [path, ...args], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  env: workspaceEnv(wantsWebGpu ? findVulkan().env : {}),
  stdio: "inherit",
});
// An interrupt from the terminal reaches the child too: it decides when to end.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("close", (code, signal) => (process.exitCode = code ?? (signal ? 130 : 0)));
