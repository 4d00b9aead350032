import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deadLinks, headingNames, linkTargets, markdownFiles } from "../links.mjs";
import { root as repository } from "../workspace.mjs";

let root;
const plant = (path, content) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "statespace-links-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("linkTargets", () => {
  it("finds links and pictures, and none in code", () => {
    const text =
      'see [a](a.md "title"), ![plot](p.svg) and [b](<b.md#x>)\n`[no](no.md)`\n```ts\n[no](no.md)\n```\n[c](https://example.org)';
    expect(linkTargets(text)).toEqual(["a.md", "p.svg", "b.md#x", "https://example.org"]);
  });
});

describe("headingNames", () => {
  it("spells and numbers them as GitHub does", () => {
    expect(headingNames("# Ten lines, each\n## `run()`\n## run\\_now\n```\n# no\n```\n## run()")).toEqual([
      "ten-lines-each",
      "run",
      "run_now",
      "run-1",
    ]);
  });
});

describe("deadLinks", () => {
  it("accepts files, folders, headings and whole addresses", () => {
    plant("README.md", "[a](docs/a.md#part-one) [b](docs) [c](#top) [d](https://example.org/x)\n# Top");
    plant("docs/a.md", "## Part one\n[up](../README.md)");
    expect(deadLinks(root)).toEqual([]);
  });

  it("names missing files, missing headings and files outside", () => {
    plant("README.md", "[a](docs/a.md#part-two) [b](gone.md) [c](../../../etc/hosts)");
    plant("docs/a.md", "## Part one");
    expect(deadLinks(root)).toEqual([
      "README.md: docs/a.md#part-two",
      "README.md: gone.md",
      "README.md: ../../../etc/hosts",
    ]);
  });

  it("finds none in this repository", () => {
    expect(markdownFiles(repository).length).toBeGreaterThan(20);
    expect(deadLinks(repository)).toEqual([]);
  });
});
