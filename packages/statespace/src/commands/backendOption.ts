import { pickBackend, setBackend } from "@statespace/core";
import { PREFERENCE, registerAllBackends } from "../registerAllBackends.ts";
import { UsageError } from "./command.ts";

/**
 * Sets the backend that was asked for, or the best this machine runs; returns its name.
 * @throws UsageError for a name that there is not; BackendError saying why one does not run.
 */
export async function chooseBackend(name: string | undefined): Promise<string> {
  registerAllBackends();
  if (name === undefined) return pickBackend(PREFERENCE);
  if (!PREFERENCE.includes(name))
    throw new UsageError(`--backend must be one of ${PREFERENCE.join(", ")}, got "${name}"`);
  await setBackend(name);
  return name;
}
