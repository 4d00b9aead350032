import type { Grid } from "../shader/types.ts";

/** Where a part of a dispatch begins, in workgroups, and the whole of which it is a part. */
export interface Origin {
  readonly from: Grid;
  readonly whole: Grid;
}

/** A part of a dispatch; without an origin it is all of it. */
export interface GridPart {
  readonly grid: Grid;
  readonly origin?: Origin;
}

/** A grid in parts of at most `most` workgroups along each axis. */
export function gridParts(grid: Grid, most: number): readonly GridPart[] {
  const [x, y, z] = grid;
  if (x <= most && y <= most && z <= most) return [{ grid }];
  const parts: GridPart[] = [];
  for (let k = 0; k < z; k += most) {
    for (let j = 0; j < y; j += most) {
      for (let i = 0; i < x; i += most)
        parts.push({
          grid: [Math.min(most, x - i), Math.min(most, y - j), Math.min(most, z - k)],
          origin: { from: [i, j, k], whole: grid },
        });
    }
  }
  return parts;
}

const main = /fn main\((.*)\) \{/;
const words = (grid: Grid): string => grid.map((extent) => `${extent}u`).join(", ");

/** A shader whose workgroups number themselves as those of a part. */
export function startingAt(code: string, { from, whole }: Origin): string {
  const declaration = main.exec(code)!;
  const before: string[] = [];
  const parameters = declaration[1]!
    .replace(/(@builtin\(workgroup_id\) )(\w+)/, (_, builtin: string, name: string) => {
      before.push(`let ${name} = ${name}InPart + vec3u(${words(from)});`);
      return `${builtin}${name}InPart`;
    })
    .replace(/@builtin\(num_workgroups\) (\w+): vec3u,? ?/, (_, name: string) => {
      before.push(`let ${name} = vec3u(${words(whole)});`);
      return "";
    });
  return code.replace(main, () => `fn main(${parameters}) {\n${before.join("\n")}`);
}

/** Names a part. */
export function nameOfOrigin(origin: Origin | undefined): string {
  return origin === undefined ? "" : ` from ${origin.from.join()} of ${origin.whole.join()}`;
}
