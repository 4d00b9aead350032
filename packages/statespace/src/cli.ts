#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { StatespaceError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { bench } from "./commands/bench.ts";
import { chat } from "./commands/chat.ts";
import { convert } from "./commands/convert.ts";
import { exportRecipe } from "./commands/exportRecipe.ts";
import { generate } from "./commands/generate.ts";
import { inspect } from "./commands/inspect.ts";
import { serve } from "./commands/serve.ts";
import { train } from "./commands/train.ts";
import { UsageError, type Command } from "./commands/command.ts";

const commands: Readonly<Record<string, Command>> = {
  generate,
  chat,
  serve,
  train,
  "export-recipe": exportRecipe,
  convert,
  bench,
  inspect,
};

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`);
  return `usage: statespace COMMAND [OPTIONS]\n\n${lines.join("\n")}\n\nstatespace COMMAND --help tells the options of one; statespace --version which version this is.
Exit status: 0 done, 1 failed, 2 the words are off, 130 interrupted.`;
}

/** Node's own errors about the words of a command line. */
const isUsageError = (error: unknown): boolean =>
  error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;

/** What the operating system refused, as Node tells it: its message names the file. */
const isSystemError = (error: unknown): boolean => typeof (error as { syscall?: unknown }).syscall === "string";

async function version(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return `statespace ${manifest.version} (Node ${process.versions.node}, ${process.platform} ${process.arch})`;
}

async function main(): Promise<number> {
  const [word, ...args] = process.argv.slice(2);
  const asks = word === undefined || word === "--help" || word === "-h" || word === "help";
  const name = word === "help" ? args[0] : word;
  if (asks && (name === word || name === undefined)) {
    console.log(usage());
    return word === undefined ? USAGE_STATUS : 0;
  }
  if (word === "--version" || word === "-v" || word === "version") {
    console.log(await version());
    return 0;
  }
  const command = Object.hasOwn(commands, name!) ? commands[name!] : undefined;
  if (command === undefined) {
    const meant = nearestName(name!, Object.keys(commands));
    throw new UsageError(`there is no command "${name}"${meant === undefined ? "" : `; ${meant} may be meant`}`);
  }
  if (asks || args.includes("--help") || args.includes("-h")) {
    console.log(command.usage);
    return 0;
  }
  const interrupted = new AbortController();
  // The first interrupt lets the command put things in order. Nobody listens for the second: the system ends the process, whatever it computes.
  process.once("SIGINT", () => interrupted.abort());
  return command.run(args, interrupted.signal);
}

const [USAGE_STATUS, INTERRUPTED_STATUS] = [2, 130];

// Whoever reads what is written may have had enough (`| head`): then it ends quietly.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });

try {
  process.exitCode = await main();
} catch (error) {
  const { message, name } = error as Error;
  const isUsage = isUsageError(error);
  const [word] = process.argv.slice(2);
  const about = word !== undefined && Object.hasOwn(commands, word) ? `${word} ` : "";
  if (isUsage) console.error(`statespace: ${message}\n\`statespace ${about}--help\` tells what there is`);
  else console.error(error instanceof StatespaceError || isSystemError(error) ? `statespace: ${message}` : error);
  process.exitCode = name === "AbortedError" ? INTERRUPTED_STATUS : isUsage ? USAGE_STATUS : 1;
}
