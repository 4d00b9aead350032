// What bundlers make of the packages: each entry of each package by itself, and a Next application with a page and a route of its own.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { commandFile } from "./workspace.mjs";

/** Entries that a page may import: all but the worker's file, which is served as it is. */
const entriesOf = ({ name, manifest }) =>
  Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === "object" && "statespace-source" in target)
    .map(([subpath]) => name + subpath.slice(1));

/** An optional package that names modules of Node's, which Vite alone leaves out of a page by itself: programs that use it say so to the others. */
const external = ["@mlc-ai/web-xgrammar"];

/** A module that keeps all that an entry exports. */
const keeping = (entry) => `import * as all from ${JSON.stringify(entry)};\nglobalThis.kept = all;\n`;

const BUNDLERS = {
  async esbuild(project, file, out) {
    const { build } = await import("esbuild");
    const { warnings } = await build({
      entryPoints: [join(project, file)],
      bundle: true,
      format: "esm",
      external,
      outdir: out,
      logLevel: "silent",
    });
    return warnings.map(({ text }) => text);
  },
  async vite(project, file, out) {
    const { build } = await import("vite");
    const lib = { entry: join(project, file), formats: ["es"], fileName: "out" };
    await build({
      root: project,
      logLevel: "silent",
      build: { target: "es2022", outDir: out, minify: false, lib, rolldownOptions: { external } },
    });
    return [];
  },
  async webpack(project, file, out) {
    const { default: webpack } = await import("webpack");
    const output = { path: out, filename: "out.js", module: true };
    const settings = {
      context: project,
      entry: `./${file}`,
      mode: "production",
      externals: external,
      externalsType: "import",
      optimization: { minimize: false },
      output,
      experiments: { outputModule: true },
    };
    return new Promise((settle, fail) =>
      webpack({ ...settings, performance: false }, (error, stats) => {
        if (error) fail(error);
        else settle([...(stats.toJson({ all: false, errors: true }).errors ?? [])].map(({ message }) => message));
      }),
    );
  },
};

/**
 * Each entry of each package, bundled for a page by itself with what a user has: no settings beyond defaults, no warnings of errors to come.
 * @param {string} project where all packages are installed
 * @param {import("./workspace.mjs").WorkspacePackage[]} packages
 * @returns {Promise<import("./packcheck.mjs").Finding[]>}
 */
export async function checkBundles(project, packages) {
  const findings = [];
  for (const [bundler, bundle] of Object.entries(BUNDLERS))
    for (const pkg of packages) {
      const said = [];
      for (const [i, entry] of entriesOf(pkg).entries()) {
        const file = `bundle-${pkg.manifest.name.replaceAll(/\W/g, "-")}-${i}.mjs`;
        writeFileSync(join(project, file), keeping(entry));
        const out = join(project, "bundles", bundler, file);
        await bundle(project, file, out).then(
          (words) => said.push(...words.map((word) => `${entry}: ${word}`)),
          (error) => said.push(`${entry}: ${error.message}`),
        );
      }
      findings.push([`${pkg.name} bundled by ${bundler}`, said.length === 0, said.join("\n")]);
    }
  return findings;
}

/** A page that loads a model where the visitor is, and a route that writes with the bundled one on Node's runtime. */
const NEXT = {
  "app/layout.jsx":
    'export default function Layout({ children }) {\n  return <html lang="en"><body>{children}</body></html>;\n}\n',
  "app/page.jsx": `"use client";
import { useEffect, useState } from "react";
import { cpuBackend, setBackend, tensor, add } from "statespace";

export default function Page() {
  const [text, say] = useState("waiting");
  useEffect(() => {
    (async () => {
      await setBackend(cpuBackend());
      say(String(await add(tensor([1, 2]), 1).data()));
    })();
  }, []);
  return <p>{text}</p>;
}
`,
  "app/write/route.js": `import { load } from "statespace";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

export async function GET() {
  const lm = await load(process.env.CHECKPOINT, { backend: "cpu" });
  return new Response(await lm.complete("The state of the", { maxNewTokens: 8, greedy: true }));
}
`,
};

const freePort = () =>
  new Promise((settle) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => settle(port));
    });
  });

/** What a server of Next's answers, once it does. */
async function ask(url, child) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with exit code ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return { ok: answer.ok, text: await answer.text() };
    await new Promise((later) => setTimeout(later, 200));
  }
}

/**
 * An application of Next's, in a project of its own: it builds, and its route writes text.
 * @param {{ project: string, install: (names: string[]) => Promise<{ code: number, output: string }>, run: (file: string, args: string[]) => Promise<{ code: number, output: string }>, env: NodeJS.ProcessEnv }} place
 * @returns {Promise<import("./packcheck.mjs").Finding[]>}
 */
export async function checkNext({ project, install, run, env }) {
  const installed = await install(["statespace", "next", "react", "react-dom"]);
  if (installed.code !== 0) return [["Next: install", false, installed.output]];
  for (const [file, text] of Object.entries(NEXT)) {
    mkdirSync(join(project, file, ".."), { recursive: true });
    writeFileSync(join(project, file), text);
  }
  const next = commandFile("next", "next", project);
  const built = await run(process.execPath, [next, "build"]);
  if (built.code !== 0) return [["Next builds", false, built.output]];
  const port = await freePort();
  const checkpoint = join(project, "node_modules", "statespace", "checkpoint");
  const child = spawn(process.execPath, [next, "start", "--port", String(port)], {
    cwd: project,
    env: { ...env, CHECKPOINT: checkpoint },
    stdio: "ignore",
  });
  try {
    const page = await ask(`http://127.0.0.1:${port}/`, child);
    const { ok, text } = await ask(`http://127.0.0.1:${port}/write`, child);
    return [
      ["Next builds", true, built.output],
      ["Next: a page that computes in the browser", page.ok && page.text.includes("waiting"), page.text],
      ["Next: a route that writes", ok && text.trim() !== "", text],
    ];
  } finally {
    child.kill();
  }
}
