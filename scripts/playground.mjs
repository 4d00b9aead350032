// `pnpm playground [vite options]`: builds what is stale and serves the app with the headers its Vite configuration sets.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, install, runNode } from "./setup.mjs";
import { commandFile, listPackages, root } from "./workspace.mjs";

const app = listPackages().find(({ dir }) => dir === "apps/playground");
if (app === undefined) throw new Error("apps/playground has no package.json");
if (!existsSync(join(root, "node_modules", ".bin"))) await install();
await build([app.name]);
process.on("SIGINT", () => {});
const { code } = await runNode([commandFile("vite", "vite", app.path), "preview", ...process.argv.slice(2)], {
  cwd: app.path,
});
process.exitCode = code;
