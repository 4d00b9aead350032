import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), "statespace-cli-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  /** What a parent process writes to standard input. */
  readonly input?: string;
  /** A file in its place, as a shell's `<` puts it there. */
  readonly stdin?: string;
  /** Sees the process, and what it wrote so far whenever it writes. */
  readonly watch?: (child: ReturnType<typeof spawn>, stdout: string) => void;
}

/** Runs the command line. */
function statespace(args: readonly string[], { input = "", stdin, watch }: Surroundings = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const file = stdin === undefined ? undefined : openSync(stdin, "r");
    const child = spawn(process.execPath, ["--conditions=statespace-source", cli, ...args], {
      stdio: [file ?? "pipe", "pipe", "pipe"],
    });
    if (file !== undefined) closeSync(file);
    const out = { stdout: "", stderr: "" };
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      out.stdout += text;
      watch?.(child, out.stdout);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (out.stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...out }));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

const short = ["--backend", "cpu", "--max-new-tokens", "4", "--greedy", "--json"];
const answer = async (args: readonly string[], input?: string, stdin?: string): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await statespace(["generate", ...short, ...args], {
    ...(input === undefined ? {} : { input }),
    ...(stdin === undefined ? {} : { stdin }),
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe("words", () => {
  it.each(["--version", "-v", "version"])("%s tells the version and where it runs", async (word) => {
    const { code, stdout } = await statespace([word]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^statespace \d+\.\d+\.\d+ \(Node \d+\..*, \w+ \w+\)\n$/);
  });

  it("help is the usage, of one command too, on standard output", async () => {
    for (const words of [["--help"], ["-h"], ["help"]])
      expect(await statespace(words)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("usage: statespace COMMAND"),
      });
    for (const words of [
      ["help", "train"],
      ["train", "--help"],
      ["train", "-h"],
    ])
      expect(await statespace(words)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("usage: statespace train"),
      });
  });

  it.each([
    [[], /^$/],
    [["genrate"], /there is no command "genrate"; generate may be meant\n`statespace --help` tells what there is/],
    [["toString"], /there is no command "toString"/],
    [
      ["generate", "--max-tokens", "4"],
      /there is no option --max-tokens; --max-new-tokens may be meant\n`statespace generate --help`/,
    ],
    [["generate", "--temprature=1"], /there is no option --temprature; --temperature may be meant/],
    [["generate", "--seed"], /--seed.*argument missing[^]*`statespace generate --help` tells/],
    [["generate", "--prompt", "a", "--ids", "1"], /--prompt and --ids exclude each other/],
    [["generate", "--prompt-file", join(work, "gone.txt")], /--prompt-file: .*gone\.txt cannot be read: ENOENT/],
    [["generate", "--backend", "cpu", "--max-new-tokens", "x"], /--max-new-tokens must be a number, got "x"/],
    [["generate", "--max-new-tokens", "1.5"], /--max-new-tokens must be a whole number >= 0, got "1.5"/],
    [["generate", "--seed", "0.1"], /--seed must be a whole number, got "0.1"/],
    [["generate", "--typical-p", "0"], /--typical-p must be a number in \(0, 1\], got "0"/],
    [["generate", "--top-k", "2.5"], /--top-k must be a whole number/],
    [["generate", "--temperature=-1"], /--temperature must be/],
    [["train"], /--config is needed, or --init\n`statespace train --help`/],
    [["bench", "--shap", "tiny"], /there is no option --shap; --shape may be meant/],
    [["inspect", "--modl", "x"], /there is no option --modl; --model may be meant/],
    [["convert", "one"], /IN and OUT are needed\n`statespace convert --help`/],
  ])("%j end with status 2 and a hint", async (words, message) => {
    const { code, stderr } = await statespace(words);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(2);
  });

  it.each([
    [["chat", "--modle", "x"], "there is no option --modle; --model may be meant"],
    [["chat", "--top-p", "3"], "--top-p must be a number in (0, 1], got 3"],
    [["chat", "--seed", "1.5"], '--seed must be a whole number, got "1.5"'],
    [["chat", "--backend", "gpu"], '--backend must be one of webgpu, wasm, cpu, got "gpu"'],
    [["chat", "./folder"], '"./folder" is not an option; --model ./folder may be meant'],
    [["serve", "./folder"], '"./folder" is not an option; --model ./folder may be meant'],
    [["serve", "--receive-timeout", "0"], '--receive-timeout must be a number >= 0.1, got "0"'],
  ] as const)("%j: %s", async (args, message) => {
    const { code, stderr } = await statespace(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it("a server that cannot listen, and a conversation that is not there, are told in one line", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const on = ["--backend", "cpu"];
    const failures = [
      [["serve", ...on, "--port", String(port)], `port ${port} of 127.0.0.1 is taken; port 0 takes a free one`],
      [["serve", ...on, "--host", "999.1.1.1", "--port", "0"], "999.1.1.1 is no address of this machine"],
      [["chat", ...on, "--load", "nothing"], "nothing: nothing is stored under this name"],
    ] as const;
    for (const [args, message] of failures) {
      const { code, stderr } = await statespace(args);
      expect(stderr.trim().split("\n").at(-1)).toBe(`statespace: ${message}`);
      expect(code).toBe(1);
    }
    holder.close();
  });

  it("what fails for another reason ends with status 1", async () => {
    const { code, stderr } = await statespace([
      "generate",
      "--backend",
      "cpu",
      "--model",
      join(work, "nothing-here"),
      "--prompt",
      "a",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^statespace: .*nothing-here/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe("prompts", () => {
  it("come from the command line, a file or standard input alike", async () => {
    const prompt = "The state of\nthe union";
    writeFileSync(join(work, "prompt.txt"), `${prompt}\n`);
    const want = await answer(["--prompt", prompt]);
    expect(want["prompt"]).toBe(prompt);
    for (const got of [
      await answer(["--prompt-file", join(work, "prompt.txt")]),
      await answer(["--prompt-file", "-"], `${prompt}\r\n`),
    ])
      expect(got).toMatchObject({ prompt, ids: want["ids"], text: want["text"] });
  });

  it("come from what is piped in where none is told, and from nowhere else", async () => {
    const file = join(work, "piped.txt");
    writeFileSync(file, "The president of\n");
    expect(await answer([], undefined, file)).toMatchObject({ prompt: "The president of" });
    expect(await answer(["--prompt", "The law of"], undefined, file)).toMatchObject({ prompt: "The law of" });
    writeFileSync(file, "");
    expect(await answer([], undefined, file)).toMatchObject({ prompt: "The state of the" });
    expect(await answer([])).toMatchObject({ prompt: "The state of the" });
  });
});

describe("leaving", () => {
  const long = [
    "generate",
    "--backend",
    "cpu",
    "--prompt",
    "The state of the",
    "--max-new-tokens",
    "100000",
    "--ignore-eos",
  ];

  it("a reader that has enough ends it quietly", async () => {
    const { code, stdout, stderr } = await statespace(long, {
      watch: (child, text) => text.length >= 30 && child.stdout!.destroy(),
    });
    expect(stdout.length).toBeGreaterThanOrEqual(30);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("an interrupt ends it with status 130; a second one ends whatever it computes", async () => {
    let sent = false;
    const first = await statespace(long, {
      watch: (child) => {
        if (!sent) child.kill("SIGINT");
        sent = true;
      },
    });
    expect(first.code).toBe(130);
    expect(first.stdout.length).toBeLessThan(5000);
    let count = 0;
    const both = await statespace(long, { watch: (child) => void (count++ < 2 && child.kill("SIGINT")) });
    expect(both.code === 130 || both.signal === "SIGINT").toBe(true);
  });
});
