import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { site } from "./blocks.ts";

const repository = join(site, "..", "..");
const cli = join(repository, "packages", "statespace", "src", "cli.ts");
const node = (...args: string[]): string[] => ["--conditions=statespace-source", ...args];

/** The lines of a block, without what stands behind `#`. */
export const commandsOf = (code: string): string[] =>
  code
    .split("\n")
    .map((line) => line.replace(/ +#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

/** The words of a line: what stands in quotes is one. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(([word, double, single]) => double ?? single ?? word);

/** Lines of other programs, and what of ours does the same where they cannot be run here. */
const OTHERS: readonly (readonly [RegExp, () => void])[] = [
  // `pnpm packcheck` installs the packages by npm; `pnpm pagecheck` builds a page with Vite, and copies the checkpoint.
  [
    /^npm (create|install) |^cd my-page$|^cp -r node_modules/,
    () => expect(existsSync(join(repository, "scripts/packcheck.mjs"))).toBe(true),
  ],
  [
    /^llama-cli /,
    () => expect(existsSync(join(repository, "packages/conformance/counterparts/llamaCpp.ts"))).toBe(true),
  ],
];

/** A command that waits for requests or for words: a server is ended once it tells its address, a conversation ends with its input. */
async function starts(args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(process.execPath, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const ended = once(child, "exit");
  child.stdin.end();
  if (args.includes("serve")) {
    await expect.poll(() => said, { timeout: 100_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    child.kill("SIGINT");
  }
  const [code] = (await ended) as [number | null];
  expect([0, 130, null], said).toContain(code);
  expect(said).not.toMatch(/usage: statespace|TypeError|statespace: /);
}

/** Runs a line of a page with our command line from the sources. */
export async function runCommand(line: string, cwd: string): Promise<void> {
  const other = OTHERS.find(([pattern]) => pattern.test(line));
  if (other !== undefined) return other[1]();
  const [npx, name, ...args] = words(line);
  if (npx === "node" && name !== undefined) {
    const file = words(line).find((word) => word.endsWith(".ts"));
    expect(existsSync(join(repository, file ?? "?")), line).toBe(true);
    return;
  }
  expect([npx, name], line).toEqual(["npx", "statespace"]);
  if (args[0] === "serve" || args[0] === "chat") {
    const port = args.includes("--port")
      ? args.with(args.indexOf("--port") + 1, "0")
      : args[0] === "serve"
        ? [...args, "--port", "0"]
        : args;
    return starts(node(cli, ...port), cwd);
  }
  // A command that trains is held to run and to leave what it should; what so many steps are worth is another test's.
  const steps = args.indexOf("--steps") + 1;
  if (steps > 0) args[steps] = String(Math.min(3, Number(args[steps])));
  // transformers.js has classes for some families only, and the bundled Mamba's is not among them.
  const lfm2 = join(repository, "packages", "conformance", "golden", "hf", "lfm2-tiny");
  if (args.includes("transformers.js")) args[args.indexOf("./my-model")] = lfm2;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, node(cli, ...args), { cwd });
  expect(stdout + stderr, line).not.toBe("");
}
