import { ArgumentError } from "@statespace/core";
import { constantSchedule, cosineSchedule, wsdSchedule, type Schedule } from "@statespace/models";
import { numberOption, UsageError } from "./command.ts";

type Words = {
  readonly [Name in "schedule" | "warm-up" | "decay" | "final"]?: string | boolean | string[] | undefined;
};

/** The schedule that the words tell; none where they tell nothing. @throws UsageError for a kind that there is not, or a share that it has not. */
export function scheduleOption(words: Words): Schedule | undefined {
  const share = (name: keyof Words): number | undefined => {
    const text = words[name];
    return typeof text === "string" ? numberOption(name, text) : undefined;
  };
  const [warmUp, decay, final] = [share("warm-up"), share("decay"), share("final")];
  const kind = words.schedule;
  if (kind === undefined && warmUp === undefined && decay === undefined && final === undefined) return undefined;
  const given = {
    warmUp: warmUp ?? 0.05,
    ...(decay !== undefined && { decay }),
    ...(final !== undefined && { final }),
  };
  try {
    if (kind === undefined || kind === "cosine") return cosineSchedule(given);
    if (kind === "wsd") return wsdSchedule(given);
    if (kind === "constant") return constantSchedule(given);
  } catch (error) {
    if (error instanceof ArgumentError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  throw new UsageError(`--schedule must be cosine, wsd or constant, got "${String(kind)}"`);
}
