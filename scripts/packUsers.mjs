// What programs of other people meet: the compilers that check them, the bundlers and the runtimes that run them.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { commandFile, root } from "./workspace.mjs";

/** Compilers from the oldest that is supported to the newest there is; the workspace's own is checked too. */
const COMPILERS = ["5.4", "5.9", "6.0"];

/** Types of Node as a program on a server has them, with no "dom" beside them; for compilers that they were written for. */
const NODE_TYPES = "@types/node@24";
const KNOWS_NODE_TYPES = (version) => version !== "5.4";

const RESOLUTIONS = [
  { moduleResolution: "node16", module: "node16" },
  { moduleResolution: "nodenext", module: "nodenext" },
  { moduleResolution: "bundler", module: "esnext" },
];

/** Runtimes beside Node: the npm package that brings each, and how it runs a file that reads files and does nothing else. */
const RUNTIMES = [
  { name: "bun", args: [] },
  { name: "deno", args: ["run", "--no-prompt", "--allow-read"] },
];

/** A program that names every entry of every package, and does what a README's first example does. */
function typedProgram(packages) {
  const entries = packages.flatMap(({ name, manifest }) =>
    Object.entries(manifest.exports)
      .filter(([, target]) => typeof target === "object" && "statespace-source" in target)
      .map(([subpath]) => name + subpath.slice(1)),
  );
  const imports = entries.map((entry, i) => `import * as entry${i} from ${JSON.stringify(entry)};`);
  return `${imports.join("\n")}
import { load } from "statespace";
export const all = [${entries.map((_, i) => `entry${i}`).join(", ")}];
const lm = await load("./checkpoint", { weights: "q8" });
for await (const text of lm.stream("State", { maxNewTokens: 3 })) console.log(text);
`;
}

/** Each way of starting the kernels, with the first command on fresh memory, and a text from the checkpoint in the folder that is named. */
const PROGRAM = `
import { cpuBackend, load, matMul, setBackend, stopBackend, tensor, wasmBackend, zeros } from "statespace";
for (const options of [{ threads: 1 }, { threads: 2 }, { worker: true, threads: 1 }, { worker: true, threads: 2 }]) {
  await setBackend(wasmBackend(options));
  const values = [await zeros([4]).data(), await matMul(tensor([1, 2, 3, 4], [2, 2]), tensor([1, 1, 1, 1], [2, 2])).data()];
  if (values.join(" ") !== "0,0,0,0 3,3,7,7") throw new Error(JSON.stringify(options) + " gives " + values.join(" "));
  stopBackend("wasm");
}
for (const backend of [cpuBackend(), wasmBackend({ worker: true, threads: 2 })]) {
  const lm = await load(process.argv[2], { backend });
  console.log(await lm.complete("The state of the", { maxNewTokens: 8, greedy: true }));
  lm.dispose();
}
stopBackend("wasm");
`;

/**
 * A project with all that a program may use, but for what comes with types of its own that do not check (tfjs-core's name others').
 * @param {{ project: string, install: (names: string[]) => Promise<{ code: number, output: string }>, run: (file: string, args: string[]) => Promise<{ code: number, output: string }> }} place
 * @param {import("./workspace.mjs").WorkspacePackage[]} packages
 * @param {boolean} runtimes also Bun and Deno, which npm brings
 * @returns {Promise<import("./packcheck.mjs").Finding[]>}
 */
export async function checkUsers(place, packages, runtimes) {
  const { project, install } = place;
  const needsPeer = ({ peerDependencies = {}, peerDependenciesMeta = {} }) =>
    Object.keys(peerDependencies).some((name) => peerDependenciesMeta[name]?.optional !== true);
  const checked = packages.filter(({ manifest }) => !needsPeer(manifest));
  const aliases = COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`);
  const tools = [...aliases, NODE_TYPES, ...(runtimes ? RUNTIMES.map(({ name }) => name) : [])];
  const installed = await install([...checked.map(({ name }) => name), ...tools]);
  if (installed.code !== 0) return [["programs of others: install", false, installed.output]];
  writeFileSync(join(project, "all.ts"), typedProgram(checked));
  writeFileSync(join(project, "run.mjs"), PROGRAM);
  return [...(await checkTypes(place)), ...(await checkRuns(place, runtimes))];
}

/** Every declaration compiles, those of dependencies too, in a project that has no types of Node or WebGPU, and in one that has Node's alone. */
async function checkTypes({ project, run }) {
  const own = commandFile("typescript", "tsc", root);
  const compilers = [
    ...COMPILERS.map((version) => [version, commandFile(`typescript-${version}`, "tsc", project)]),
    ["of the workspace", own],
  ];
  const findings = [];
  for (const [version, tsc] of compilers)
    for (const { moduleResolution, module } of RESOLUTIONS) {
      const compilerOptions = {
        noEmit: true,
        strict: true,
        skipLibCheck: false,
        target: "es2022",
        moduleResolution,
        module,
      };
      const projects = { "no skipLibCheck": { types: [] } };
      if (KNOWS_NODE_TYPES(version)) projects["Node's types without dom"] = { types: ["node"], lib: ["es2023"] };
      for (const [name, own] of Object.entries(projects)) {
        const settings = { compilerOptions: { ...compilerOptions, ...own }, files: ["all.ts"] };
        writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
        const { code, output } = await run(process.execPath, [tsc, "--project", "tsconfig.json"]);
        findings.push([`TypeScript ${version}, ${moduleResolution}, ${name}`, code === 0, output]);
      }
    }
  return findings;
}

/** One program gives one text in Node, in a bundle of esbuild's for Node, and in the other runtimes. */
async function checkRuns({ project, run }, runtimes) {
  const checkpoint = join(project, "node_modules", "statespace", "checkpoint");
  const texts = new Map();
  const runs = [["Node", process.execPath, ["run.mjs"]]];
  const bundle = { bundle: true, platform: "node", format: "esm", logLevel: "silent" };
  await build({ ...bundle, entryPoints: [join(project, "run.mjs")], outfile: join(project, "bundle.mjs") });
  runs.push(["a bundle of esbuild's for Node", process.execPath, ["bundle.mjs"]]);
  for (const { name, args } of runtimes ? RUNTIMES : [])
    runs.push([name, commandOf(project, name), [...args, "run.mjs"]]);
  const findings = [];
  for (const [name, file, args] of runs) {
    const { code, output } = await run(file, [...args, checkpoint]);
    if (code === 0) texts.set(name, output);
    const same = code !== 0 || output === [...texts.values()][0];
    findings.push([`a program in ${name}`, code === 0 && same && output.trim() !== "", output]);
  }
  return findings;
}

function commandOf(project, name) {
  const file = join(project, "node_modules", ".bin", name);
  return process.platform === "win32" && existsSync(`${file}.cmd`) ? `${file}.cmd` : file;
}
