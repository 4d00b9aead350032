/** A subcommand of the command line. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly usage: string;
  /** Returns the exit status. */
  run(args: readonly string[], signal: AbortSignal): Promise<number>;
}

/** The words on the command line are off. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** Reads a number option. @throws UsageError when it is not one. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new UsageError(`--${name} must be a number, got "${text}"`);
  return value;
}
