// `npm start`: installs, builds, and streams a completion from the bundled checkpoint on the best backend there is.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, install, runNode } from "./setup.mjs";
import { root } from "./workspace.mjs";

/** What `npm start` asks of the command line; words after `npm start --` are appended. */
const generateArguments = ["generate", "--max-new-tokens", "200"];

try {
  await install();
  await build(["statespace"]);
  const cli = join(root, "packages", "statespace", "dist", "cli.js");
  if (!existsSync(cli)) throw new Error("the build made no packages/statespace/dist/cli.js");
  const { code } = await runNode([cli, ...generateArguments, ...process.argv.slice(2)]);
  process.exitCode = code;
} catch (error) {
  console.error(`start: ${error.message}`);
  process.exitCode = 1;
}
