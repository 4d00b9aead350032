import { pickBackend, setBackend } from "@statespace/core";
import { PREFERENCE, registerAllBackends } from "../registerAllBackends.ts";

/** Sets the backend that was asked for, or the best this machine runs; returns its name. @throws BackendError saying why it does not run. */
export async function chooseBackend(name: string | undefined): Promise<string> {
  registerAllBackends();
  if (name === undefined) return pickBackend(PREFERENCE);
  await setBackend(name);
  return name;
}
