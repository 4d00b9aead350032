import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OpDeclaration } from "@statespace/core/backend";
import { typed } from "../test/blocks.ts";
import { opExample, type OpExample } from "./opExample.ts";

/** A program that the tests run. */
export interface Program {
  /** Where it stands: `tutorials/chat, block 2`, `examples/hippo.ts`. */
  readonly from: string;
  readonly code: string;
  /** What it imports, as `module name`; and what its first comment says it shows of a module. */
  readonly uses: ReadonlySet<string>;
}

const folder = join(import.meta.dirname, "..", "examples");

/** Names by import, `type` or not, under the names they have in their modules. */
function imported(code: string): string[] {
  return [...code.matchAll(/^import (?:type )?\{([^}]*)\} from "([^"]+)";/gm)].flatMap(([, names, module]) =>
    names!
      .split(",")
      .map((name) =>
        name
          .trim()
          .replace(/^type /, "")
          .replace(/ as .*/, ""),
      )
      .filter((name) => name !== "")
      .map((name) => `${module} ${name}`),
  );
}

/** `// Shows Chat, Session of @statespace/models.` above a program whose objects come from calls. */
function shown(code: string): string[] {
  return [...code.matchAll(/^\/\/ Shows (.*) of (\S+)\.$/gm)].flatMap(([, names, module]) =>
    names!.split(", ").map((name) => `${module} ${name}`),
  );
}

const program = (from: string, code: string): Program => ({
  from,
  code: code.replaceAll(/^\/\/ Shows .*\n/gm, "").trim(),
  uses: new Set([...imported(code), ...shown(code)]),
});

/** The programs of `examples`, by their files' names; `.page.ts` needs a page around it. */
export const exampleFiles: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .sort();

/** Programs of ten lines, which have tests of their own. */
const ten = join(import.meta.dirname, "..", "..", "..", "examples", "programs");

/** All programs that the tests run, shortest first. */
export const programs: readonly Program[] = [
  ...typed.map(({ name, code }) => program(name, code)),
  ...exampleFiles.map((file) => program(`examples/${file}`, readFileSync(join(folder, file), "utf8"))),
  ...readdirSync(ten).map((file) => program(`programs/${file}`, readFileSync(join(ten, file), "utf8"))),
].sort((a, b) => a.code.split("\n").length - b.code.split("\n").length);

/** The program of an op: of its least case, with what it prints; or one of those above that uses it. */
export interface OpProgram {
  readonly spec: OpDeclaration;
  readonly program: Program;
  readonly example: OpExample | undefined;
}

/** Each op with its program. @throws Error naming an op that has none */
export function opPrograms(specs: readonly OpDeclaration[]): OpProgram[] {
  return specs.map((spec) => {
    const example = opExample(spec);
    if (example !== undefined) return { spec, program: program(`op ${spec.name}`, example.code), example };
    const own = programs.find(
      ({ uses }) => uses.has(`@statespace/core/ops ${spec.name}`) || uses.has(`statespace ${spec.name}`),
    );
    if (own === undefined) throw new Error(`${spec.name} has no program: write one in apps/docs/examples`);
    return { spec, program: own, example: undefined };
  });
}
