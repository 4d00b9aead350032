import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readSources } from "../scripts/compile.ts";

const here = dirname(fileURLToPath(import.meta.url));

function nativeCompiler(): string | undefined {
  return ["gcc", "clang-19", "clang"].find((name) => {
    try {
      return /gcc.* 1[2-9]\.|clang version (1[6-9]|[2-9]\d)/.test(
        execFileSync(name, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      );
    } catch {
      return false;
    }
  });
}

const compiler = nativeCompiler();

// A machine without one says so in the test's name; where EXPECT_NATIVE is set (CI) it fails instead.
if (compiler === undefined && process.env.EXPECT_NATIVE === undefined) {
  it("no native compiler (gcc 12 or clang 16) is here: the sanitizer run is left out", () =>
    expect(nativeCompiler()).toBeUndefined());
} else {
  describe("the C sources, compiled natively", () => {
    it.each([[[]], [["-DRELAXED", "-mfma"]]])(
      "pass under address and undefined-behaviour sanitizers %j",
      (flags) => {
        expect(runNatively(process.arch === "x64" ? flags : [])).toContain("native kernels: ok");
      },
      300_000,
    );
  });
}

function runNatively(flags: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "statespace-native-"));
  try {
    const units = Object.keys(readSources().files).filter((name) => name.endsWith(".c") && name !== "runtime.c");
    writeFileSync(
      join(folder, "all.c"),
      [...units, join(here, "native.c")].map((name) => `#include "${name}"`).join("\n"),
    );
    const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize=alignment", "-fno-sanitize-recover=all"];
    const args = [
      "-std=gnu11",
      "-O0",
      "-g",
      "-fno-strict-aliasing",
      "-fno-math-errno",
      "-Wno-psabi",
      "-ffp-contract=off",
      ...sanitizers,
      ...flags,
    ];
    execFileSync(
      compiler!,
      [...args, "-I", join(here, "../csrc"), join(folder, "all.c"), "-o", join(folder, "native"), "-lm"],
      { stdio: "pipe" },
    );
    return execFileSync(join(folder, "native"), {
      encoding: "utf8",
      env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
