import { withBackend } from "@statespace/core";
import { findCases, readCase, type GoldenPath } from "./goldenCase.ts";
import { goldenGroups, type GoldenGroup } from "./groups.ts";
import { judge, type Verdict } from "./judge.ts";

/** A verdict with where it belongs. */
export interface GoldenVerdict extends Verdict {
  readonly group: string;
  readonly name: string;
  /** `none` for groups that do not depend on a backend. */
  readonly backend: string;
}

/** A case that could not be compared. */
export interface NotRun {
  readonly group: string;
  readonly name: string;
  readonly backend: string;
  readonly why: string;
}

export type GoldenResult = GoldenVerdict | NotRun;

/** Compares every case of a folder, or of one of its groups, on every backend (registered before), in order. */
export async function* runGolden(
  folder: string,
  backends: readonly string[],
  only?: string,
): AsyncGenerator<GoldenResult, void, undefined> {
  for (const path of findCases(folder)) {
    if (only !== undefined && path.group !== only) continue;
    const here = goldenGroups[path.group]?.backendFree ? backends.slice(0, 1) : backends;
    for (const backend of here) yield* await runGoldenCase(path, backend);
  }
}

/** Compares one case on a backend that is registered. */
export function runGoldenCase(path: GoldenPath, backend: string): Promise<GoldenResult[]> {
  const group = goldenGroups[path.group];
  return runCase(path, group, group?.backendFree ? "none" : backend);
}

async function runCase(path: GoldenPath, group: GoldenGroup | undefined, backend: string): Promise<GoldenResult[]> {
  const { group: groupName, name } = path;
  if (group === undefined) return [{ group: groupName, name, backend, why: `no comparison for group ${groupName}` }];
  try {
    const compare = async (): Promise<GoldenResult[]> =>
      (await group.compare(readCase(path))).map((row) => ({ group: groupName, name, backend, ...judge(row) }));
    const results = backend === "none" ? await compare() : await withBackend(backend, compare);
    return results.length > 0 ? results : [{ group: groupName, name, backend, why: "nothing was compared" }];
  } catch (error) {
    return [{ group: groupName, name, backend, why: `${(error as Error).name}: ${(error as Error).message}` }];
  }
}
