import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../workspace.mjs";

const run = promisify(execFile);
const read = (file) => readFileSync(join(root, file), "utf8");
const node = (...args) => [process.execPath, ["--conditions=statespace-source", ...args]];
const conformance = (name, ...args) => node(`packages/conformance/src/${name}.ts`, ...args);
const vitest = (...args) => node("node_modules/vitest/vitest.mjs", ...args);

/** One group of the golden vectors, in a folder of its own. */
const golden = mkdtempSync(join(tmpdir(), "golden-"));
const all = join(root, "packages/conformance/golden");
cpSync(join(all, "causal-conv1d"), join(golden, "causal-conv1d"), { recursive: true });
const cases = JSON.parse(readFileSync(join(all, "index.json"), "utf8")).filter(
  ({ group }) => group === "causal-conv1d",
);
writeFileSync(join(golden, "index.json"), JSON.stringify(cases));
afterAll(() => rmSync(golden, { recursive: true }));

/**
 * How each command of CONTRIBUTING's table is tried here, as small as it goes; `npm test` where it is one of its parts, told by a word of
 * `scripts/test.mjs`; else where another test runs it.
 */
const tried = {
  "vitest run --project core": vitest("run", "--project", "core", "test/math/threefry"),
  "vitest run --project core softplus": vitest("run", "--project", "core", "test/math/threefry"),
  typecheck: "typecheck.mjs",
  lint: "oxlint",
  format: "oxfmt",
  build: "await build()",
  "conformance --golden": conformance("conformance", "--golden", golden, "--backend", "cpu"),
  roundtrip: conformance("roundTrip", "--help"),
  agreement: conformance("agreement", "--help"),
  "conformance --generated": conformance(
    "conformance",
    "--generated",
    "--seed",
    "3",
    "--count",
    "40",
    "--backend",
    "cpu",
  ),
  sanitize: "packages/backend-wasm/test/native.test.ts",
  "--filter statespace kills": "packages/statespace/test/kills.test.ts",
  soak: conformance("soak", "--help"),
  hostile: node("scripts/hostile.mjs", "--count", "20", "template"),
  bench: conformance("bench", "--list"),
  "op-speed": conformance("opSpeed", "--help"),
  exactness: conformance("exactness", "--help"),
  serving: conformance("serving", "--help"),
  tables: conformance("tables", "--support"),
  statespace: node("packages/statespace/src/cli.ts", "--version"),
  playground: "apps/playground/test",
  "run docs": "apps/docs/test/search.test.ts",
  "docs:api": "apps/docs/test/search.test.ts",
  "docs:check": "docs.mjs",
  sizes: "sizes.mjs",
  lines: "linecount.mjs",
  packcheck: "packcheck.mjs",
  pagecheck: "pagecheck.mjs",
  changeset: node("node_modules/@changesets/cli/bin.js", "--help"),
  "sbom:write": ".github/workflows/ci.yml",
};

/** Vitest runs in Vitest without knowing of it. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([key]) => !/^VITEST|^NODE_ENV$|^TEST$|^MODE$|^DEV$|^PROD$/.test(key)),
);

const commands = [...read("CONTRIBUTING.md").matchAll(/^\| (`pnpm .*?) \| /gm)].flatMap(([, cell]) =>
  [...cell.matchAll(/`pnpm ([^`]*)`/g)].map(([, command]) => command),
);
/** The longest name that a command begins with. */
const nameOf = (command) =>
  Object.keys(tried)
    .filter((name) => command === name || command.startsWith(`${name} `))
    .sort((a, b) => b.length - a.length)[0];

describe("the commands of CONTRIBUTING.md", () => {
  it("are all tried", () => {
    expect(commands.length).toBeGreaterThan(25);
    expect(commands.filter((command) => nameOf(command) === undefined)).toEqual([]);
    expect(Object.keys(tried).filter((name) => !commands.some((command) => nameOf(command) === name))).toEqual([]);
  });

  it.each(Object.entries(tried).filter(([, how]) => typeof how === "string"))("%s is tried by %s", (name, how) => {
    if (how.includes("/")) {
      expect(existsSync(join(root, how))).toBe(true);
      if (how.endsWith(".yml")) expect(read(how)).toContain(`pnpm ${name}`);
    } else expect(read("scripts/test.mjs")).toContain(how);
  });

  it.each(Object.entries(tried).filter(([, how]) => typeof how !== "string"))(
    "%s works",
    async (_, [file, args]) => {
      const { stdout } = await run(file, args, { cwd: root, env });
      expect(stdout.trim()).not.toBe("");
    },
    300_000,
  );
});
