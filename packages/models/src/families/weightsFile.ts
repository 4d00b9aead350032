import type { SaveOptions } from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { Family } from "./family.ts";

/** How `saveCheckpoint` writes the weights of a family's folder. */
export function weightsFile(
  { archive }: Family,
  { resolved: { head } }: Model,
): Pick<SaveOptions, "format" | "shared"> {
  if (archive === undefined) return {};
  const tied = head.kind === "language" && head.tie === true;
  return { format: archive.format, ...(tied ? { shared: archive.tied } : {}) };
}
