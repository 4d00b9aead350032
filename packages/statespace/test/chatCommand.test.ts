import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const OPTIONS = ["chat", "--backend", "cpu", "--max-new-tokens", "6", "--seed", "1"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chat-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Everything that a conversation says to some lines: the answers, and the notes beside them. */
function converse(
  lines: readonly string[],
  ...more: string[]
): Promise<{ code: number | null; answers: string[]; notes: string[] }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--conditions=statespace-source", cli, ...OPTIONS, ...more], {
      cwd: folder,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, answers: stdout.split("\n"), notes: stderr.split("\n").filter((line) => line.startsWith("[")) }),
    );
    child.stdin.end(`${lines.join("\n")}\n`);
  });
}

describe("statespace chat", () => {
  it("goes on, forks, takes back, saves and loads; the same words after the same place get the same answer", async () => {
    const { code, answers, notes } = await converse([
      "The state of the", // answer 0
      " and the", // 1
      "/rewind",
      " and the", // 2: as 1
      "/fork",
      " in another branch", // 3
      "/branch 1",
      " in another branch", // 4: as 3
      "/save kept.safetensors",
      " at last", // 5
      "/rewind 2",
      "/load kept.safetensors",
      " at last", // 6: as 5
      "/rewind 9",
      "/nothing",
      "/quit",
    ]);
    expect(code).toBe(0);
    expect(answers.length).toBe(8);
    expect(answers[2]).toBe(answers[1]);
    expect(answers[4]).toBe(answers[3]);
    expect(answers[6]).toBe(answers[5]);
    expect(new Set(answers.slice(0, 7)).size).toBe(4);
    const all = notes.join("\n");
    expect(all).toContain("saved to kept.safetensors");
    expect(all).toContain("loaded kept.safetensors");
    expect(all).toContain("[there are 1 turns to take back]");
    expect(all).toMatch(/tokens\/s read and said, \d+ tokens, state \d+/);
    const later = await converse([" at last"], "--load", "kept.safetensors");
    expect(later.answers[0]).toBe(answers[5]);
  });
});

function tmux(...args: string[]): string {
  return execFileSync("tmux", ["-L", "statespace-chat-test", ...args], { encoding: "utf8" });
}

const hasTmux = ((): boolean => {
  try {
    execFileSync("tmux", ["-V"]);
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasTmux)(hasTmux ? "on a terminal" : "on a terminal: tmux is not installed", () => {
  afterAll(() => {
    try {
      tmux("kill-server");
    } catch {
      // It ended with its only window.
    }
  });

  const screen = (): string => tmux("capture-pane", "-p", "-S", "-500", "-t", "chat");

  async function until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${what} did not come:\n${screen()}`);
  }

  /** Types a line, and waits for the note behind what it does. */
  async function type(line: string): Promise<string> {
    const before = screen().split("[").length;
    tmux("send-keys", "-t", "chat", "-l", line);
    tmux("send-keys", "-t", "chat", "Enter");
    await until(
      `the note after "${line}"`,
      () => screen().split("[").length > before && /> $|>\s*$/.test(screen().trimEnd()),
    );
    return screen().split("[").at(-1)!;
  }

  it("ten turns with /fork and /rewind, an answer that is stopped, and an end", async () => {
    const command = [process.execPath, "--conditions=statespace-source", cli, ...OPTIONS];
    tmux("new-session", "-d", "-s", "chat", "-x", "120", "-y", "50", "-c", folder, ...command);
    await until("the prompt", () => screen().includes("/help tells more") && screen().trimEnd().endsWith(">"));
    const tokens: number[] = [];
    const tokensIn = (note: string): number => Number(/(\d+) tokens, state/.exec(note)?.[1]);
    for (let turn = 0; turn < 10; turn++) {
      tokens.push(tokensIn(await type(` turn ${turn} of`)));
      if (turn === 3) expect(tokensIn(await type("/rewind"))).toBe(tokens[2]);
      if (turn === 3) tokens.pop();
      if (turn === 5) expect(await type("/fork")).toContain("branch 2 of 2");
      if (turn === 8) expect(tokensIn(await type("/branch 1"))).toBe(tokens[4]);
    }
    for (let i = 1; i < 8; i++) expect(tokens[i]!).toBeGreaterThan(tokens[i - 1]!);
    expect(tokens.at(-1)!).toBeLessThan(tokens.at(-2)!);
    tmux("send-keys", "-t", "chat", "-l", "/quit");
    tmux("send-keys", "-t", "chat", "Enter");
    await until("the end", () => {
      try {
        tmux("has-session", "-t", "chat");
        return false;
      } catch {
        return true;
      }
    });
  }, 120_000);

  it("Ctrl-C stops an answer, and ends where there is none", async () => {
    const command = [
      process.execPath,
      "--conditions=statespace-source",
      cli,
      "chat",
      "--backend",
      "cpu",
      "--max-new-tokens",
      "100000",
    ];
    tmux("new-session", "-d", "-s", "chat", "-x", "120", "-y", "50", "-c", folder, ...command);
    await until("the prompt", () => screen().includes("/help tells more") && screen().trimEnd().endsWith(">"));
    tmux("send-keys", "-t", "chat", "-l", "The state of the");
    tmux("send-keys", "-t", "chat", "Enter");
    await until("an answer", () => screen().length > 600);
    tmux("send-keys", "-t", "chat", "C-c");
    await until("the note", () => screen().includes("tokens/s read and said") && screen().trimEnd().endsWith(">"));
    tmux("send-keys", "-t", "chat", "C-c");
    await until("the end", () => {
      try {
        tmux("has-session", "-t", "chat");
        return false;
      } catch {
        return true;
      }
    });
  }, 120_000);
});

describe("statespace serve", () => {
  it("serves the bundled model until it is told to stop", async () => {
    const child = spawn(process.execPath, [
      "--conditions=statespace-source",
      cli,
      "serve",
      "--backend",
      "cpu",
      "--port",
      "0",
      "--json",
    ]);
    const closed = new Promise<number | null>((resolve) => void child.on("close", resolve));
    const line = await new Promise<string>(
      (resolve) => void child.stdout.once("data", (data: Buffer) => resolve(data.toString())),
    );
    const { url, models, backend } = JSON.parse(line) as { url: string; models: string[]; backend: string };
    expect({ models, backend }).toEqual({ models: ["bundled"], backend: "cpu" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "bundled", prompt: "The state of the", max_tokens: 4 }),
    });
    expect(await response.json()).toMatchObject({ usage: { completion_tokens: 4 } });
    child.kill("SIGTERM");
    expect(await closed).toBe(0);
  });

  it("refuses options that make no sense", () => {
    const fails = (...args: string[]): string => {
      try {
        execFileSync(process.execPath, ["--conditions=statespace-source", cli, "serve", ...args], { stdio: "pipe" });
        return "";
      } catch (error) {
        return String((error as { stderr: Buffer }).stderr);
      }
    };
    expect(fails("--port", "99999")).toContain("--port must be");
    expect(fails("--slots", "0")).toContain("--slots must be");
    expect(fails("--prot", "1")).toContain("--prot");
  });
});
