import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundledCheckpoint } from "statespace";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { blocks, site } from "./blocks.ts";
import { commandsOf, runCommand } from "./commands.ts";

/** Programs lie inside the site's folder, where its dependencies are found, and run elsewhere. */
const folder = join(site, ".vitepress", "cache", "blocks");
const place = mkdtempSync(join(tmpdir(), "blocks-"));
const repository = join(site, "..", "..");
const cli = join(repository, "packages", "statespace", "src", "cli.ts");

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(bundledCheckpoint()), join(place, "model"), { recursive: true });
  writeFileSync(
    join(place, "model", "chat_template.jinja"),
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
  );
  writeFileSync(join(place, "mine.txt"), "The cat sat on the mat, and the dog lay by the door. ".repeat(400));
  // Names of models that the pages' commands take.
  for (const name of ["my-model", "granite-4.0-h-350m"])
    cpSync(join(place, "model"), join(place, name), { recursive: true });
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

/** One of them a page whose own text says what it prints. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  "guides/state, block 1": /^rewound: the same text again\n\d+ tokens came back\n$/,
  "guides/precision, block 1": /^the same text on both\n$/,
  "guides/loading, block 1": /^first visit: downloaded\nsecond visit: from the disk\n$/,
  "guides/loading, block 2": /no-such-model/,
  "guides/from-transformers-js, block 1": /max_new_tokens.*maxNewTokens/,
  "guides/backends, block 2": /different backends|both|backend/,
  "tutorials/first-scan, block 2": /delta must be \[b, l, d\] = \[1, 4, 2\], got \[1, 5, 2\]/,
  "tutorials/series, block 1": /^class 0\nclass 1\n$/,
  "tutorials/series, block 3": /^in an hour between 4\d\d and 5\d\d\n$/,
  "tutorials/series, block 4": /^hectopascals Float32Array\(3\) \[\s*(?:9[89]\d|10[0-4]\d)\./,
  "tutorials/series, block 5": /^0\n1\n2\n$/,
  "tutorials/train, block 1": /sat on the mat\. $/,
  "concepts/views, block 1": /recurrence  (-?\d+\.\d{8})\d*\nconvolution \1/,
  "concepts/scans, block 1": /loop (\S+) tree \1/,
  "concepts/discretization, block 1": /zeroOrderHold {2}0\.6065/,
  "concepts/hippo, block 1": /^-1\.00 .*\n-1\.73 {2}-2\.00/,
};

async function run(name: string, code: string): Promise<void> {
  const file = join(folder, `${name.replaceAll(/[^a-z0-9]+/g, "-")}.ts`);
  writeFileSync(file, code);
  const args = ["--conditions=statespace-source", file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: place });
  expect(stdout.trim()).not.toBe("");
  expect(stdout).toMatch(PRINTS[name] ?? /./);
}

describe("the programs of the documentation", () => {
  it.each(blocks.filter(({ kind }) => kind === "ts"))("$name runs", ({ name, code }) => run(name, code));
});

/** A port that nobody listens on. */
const freePort = (): Promise<number> =>
  new Promise((settle) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => settle(port));
    });
  });

describe("beside a server", () => {
  let port: number;
  let server: ChildProcess;
  beforeAll(async () => {
    port = await freePort();
    const args = ["--conditions=statespace-source", cli, "serve", "--model", "./model", "--backend", "wasm"];
    server = spawn(process.execPath, [...args, "--port", String(port)], { cwd: place, stdio: "ignore" });
    const ready = async (): Promise<void> => {
      if (!(await fetch(`http://127.0.0.1:${port}/health`)).ok) throw new Error("the server is not ready");
    };
    await vi.waitFor(ready, { timeout: 200_000, interval: 200 });
  }, 240_000);
  afterAll(() => {
    server.kill("SIGKILL");
  });

  it.each(blocks.filter(({ kind }) => kind === "ts server"))("$name runs", ({ name, code }) =>
    run(name, code.replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`)),
  );
});

describe("the commands of the documentation", () => {
  it.each(blocks.filter(({ kind }) => kind === "sh"))("$name run", async ({ code }) => {
    for (const command of commandsOf(code)) await runCommand(command, place);
  });
});

/** What runs elsewhere, and there by what: a page with a microphone, and programs of other engines on what was written here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "tutorials/sound, js 1": "examples/denoiser/page/denoiserNode.browser.test.ts",
  "guides/wllama, js 1": "packages/conformance/counterparts/wllama.ts",
  "guides/onnxruntime, js 1": "packages/conformance/counterparts/onnxRuntime.ts",
  "guides/onnxruntime, python 1": "packages/conformance/counterparts/onnx_runtime.py",
  "guides/transformers-js, js 1": "packages/conformance/counterparts/transformersJs.ts",
  "guides/transformers, python 1": "packages/conformance/src/roundTrip.ts",
  "guides/peft, python 1": "packages/conformance/counterparts/peftRoundTrip.ts",
  "guides/mamba-ssm, python 1": "packages/conformance/counterparts/mambaSsm.ts",
};

it("nothing between fences is left out", () => {
  const known = new Set(["ts", "ts browser", "ts server", "sh"]);
  const others = blocks.filter(({ kind }) => !known.has(kind));
  // Headers of HTTP are no program.
  expect(others.filter(({ kind }) => kind !== "").map(({ name }) => name)).toEqual(Object.keys(ELSEWHERE));
  expect(others.filter(({ kind }) => kind === "").map(({ name }) => name)).toEqual(["guides/threads,  1"]);
  for (const [name, file] of Object.entries(ELSEWHERE)) expect(existsSync(join(repository, file)), name).toBe(true);
  // The page of the first tutorial is bundled and opened in a browser by `pnpm pagecheck`.
  expect(blocks.filter(({ kind }) => kind === "ts browser").map(({ name }) => name)).toEqual([
    "tutorials/first-page, block 1",
  ]);
  expect(readFileSync(join(repository, "scripts", "pagecheck.mjs"), "utf8")).toContain("tutorials/first-page.md");
});
