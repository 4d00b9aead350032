#!/usr/bin/env node
import { StatespaceError } from "@statespace/core";
import { bench } from "./commands/bench.ts";
import { chat } from "./commands/chat.ts";
import { convert } from "./commands/convert.ts";
import { generate } from "./commands/generate.ts";
import { inspect } from "./commands/inspect.ts";
import { serve } from "./commands/serve.ts";
import { train } from "./commands/train.ts";
import { UsageError, type Command } from "./commands/command.ts";

const commands: Readonly<Record<string, Command>> = { generate, chat, serve, train, convert, bench, inspect };

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `usage: statespace COMMAND [OPTIONS]\n\n${lines.join("\n")}\n\nstatespace COMMAND --help tells the options of one.`;
}

async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === "--help" || name === "help") {
    console.log(usage());
    return name === undefined ? 2 : 0;
  }
  const command = commands[name];
  if (command === undefined) throw new UsageError(`no command "${name}"\n\n${usage()}`);
  if (args.includes("--help")) {
    console.log(command.usage);
    return 0;
  }
  const interrupted = new AbortController();
  // The first interrupt lets the command put things in order; the second ends it at once.
  process.once("SIGINT", () => {
    interrupted.abort();
    process.once("SIGINT", () => process.exit(130));
  });
  return command.run(args, interrupted.signal);
}

// Whoever reads what is written may have had enough (`| head`): then it ends quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  process.exitCode = await main();
} catch (error) {
  const expected =
    error instanceof StatespaceError ||
    error instanceof UsageError ||
    (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  console.error(expected ? `statespace: ${(error as Error).message}` : error);
  process.exitCode = (error as Error).name === "AbortedError" ? 130 : error instanceof UsageError ? 2 : 1;
}
