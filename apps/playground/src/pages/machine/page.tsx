import { files as goldenFiles, path as goldenPath } from "virtual:golden-vectors";
import { createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { RunButton } from "../../components/RunButton.tsx";
import { Button, Choice, Progress, Stat, Toggle } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { adapter, offersWebGpu } from "../../shell/adapter.ts";
import { shell } from "../../shell/shellMessages.ts";
import { BACKEND_NAMES, type BackendName } from "../../workers/backendNames.ts";
import { apart } from "../../workers/engine.ts";
import type { BenchName } from "./compute/benches.ts";
import type { BenchResult, CheckResult, Depth, MachineEvent } from "./compute/machineApi.ts";
import { GeneratedPanel } from "./GeneratedPanel.tsx";
import { messages as m } from "./messages.ts";

const BENCHES = ["matmul", "scan", "prefill", "decode"] as const satisfies readonly BenchName[];

export function MachinePage(): JSX.Element {
  const [chosen, setChosen] = useParam("check", "wasm", text);
  const [depth, setDepth] = useParam<Depth>("depth", "thorough", choice("quick", "thorough"));
  const isChosen = (name: BackendName): boolean => chosen().split(",").includes(name);
  const [events, setEvents] = createSignal<readonly MachineEvent[]>([]);
  const [run, setRun] = createSignal<AbortController>();
  const [error, setError] = createSignal<unknown>();
  let remote: ReturnType<typeof apart<"machine">> | undefined;
  onCleanup(() => remote?.close());

  const results = (): readonly CheckResult[] =>
    events().filter((event): event is CheckResult & MachineEvent => event.kind === "op" || event.kind === "golden");
  const timings = (): readonly BenchResult[] => events().filter((event) => event.kind === "bench");
  const progress = (): { done: number; total: number } =>
    events().findLast((event) => event.kind === "progress") ?? { done: 0, total: 1 };
  const backends = (): readonly BackendName[] =>
    BACKEND_NAMES.filter((name) => events().some((event) => event.kind === "started" && event.backend === name));
  const names = (kind: CheckResult["kind"]): readonly string[] => [
    ...new Set(
      results()
        .filter((each) => each.kind === kind)
        .map(({ name }) => name),
    ),
  ];
  const compared = (): number => results().reduce((sum, each) => sum + each.compared, 0);
  const within = (): number => results().reduce((sum, each) => sum + each.compared - each.failed, 0);
  const sound = (): boolean => within() === compared() && results().every(({ why }) => why === undefined);

  const gpu = (): string => {
    if (!offersWebGpu) return m().gpuNo;
    return adapter()()?.software ? m().gpuSoftware : m().gpuYes;
  };

  async function start(): Promise<void> {
    remote?.close();
    remote = apart("machine");
    const own = new AbortController();
    setRun(own);
    setEvents([]);
    setError(undefined);
    try {
      const goldenUrl = new URL(goldenPath, document.baseURI).href;
      await remote.call(
        "run",
        { backends: BACKEND_NAMES.filter(isChosen), depth: depth(), goldenFiles, goldenUrl },
        { signal: own.signal, onEvent: (event) => setEvents([...events(), event]) },
      );
    } catch (failure) {
      setError(failure);
    }
    setRun(undefined);
  }

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().device}>
        <div class="stats">
          <Stat label={m().cores} value={String(navigator.hardwareConcurrency)} />
          <Stat
            label={m().isolated}
            value={window.crossOriginIsolated ? m().yes : m().no}
            testid="isolated"
            note={window.crossOriginIsolated ? "" : shell().threads.one}
          />
          <Stat label={m().gpu} value={gpu()} testid="gpu" note={adapter()()?.name ?? ""} />
        </div>
        <div class="row">
          <div class="row" role="group" aria-label={m().which}>
            <For each={BACKEND_NAMES}>
              {(name) => (
                <Toggle
                  label={name}
                  checked={isChosen(name)}
                  testid={`check-${name}`}
                  onChange={(on) =>
                    setChosen(BACKEND_NAMES.filter((each) => (each === name ? on : isChosen(each))).join(",") || "none")
                  }
                />
              )}
            </For>
          </div>
          <Choice
            label={m().depth}
            value={depth()}
            onChange={setDepth}
            testid="depth"
            options={(["quick", "thorough"] as const).map((value) => ({ value, label: m().depths[value] }))}
          />
          <RunButton run={run()} onRun={() => void start()} disabled={!BACKEND_NAMES.some(isChosen)} testid="run">
            {m().run}
          </RunButton>
        </div>
        <Show when={run()}>
          <Progress
            label={m().progress(progress().done, progress().total)}
            value={progress().done}
            max={progress().total}
          />
        </Show>
        <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void start()} />}</Show>
        <For each={events().filter((event) => event.kind === "absent")}>
          {({ backend, why }) => <p class="failure">{m().absent(backend, why)}</p>}
        </For>
      </Panel>
      <GeneratedPanel backends={() => BACKEND_NAMES.filter(isChosen)} />
      <Show when={timings().length > 0}>
        <Panel title={m().timings} note={m().timingsNote}>
          <Timings timings={timings()} backends={backends()} />
        </Panel>
        <Panel title={m().conformance}>
          <div class="row">
            <Stat
              label={m().total}
              value={m().totals(within(), compared())}
              tone={sound() ? "good" : "bad"}
              testid="total"
            />
            <CopyButton text={() => asMarkdown(backends(), results(), timings(), events())} />
          </div>
          <Show when={names("golden").length > 0}>
            <h3>{m().golden}</h3>
            <p class="note">{m().goldenNote}</p>
            <Conformance
              testid="golden"
              title={m().goldenColumn}
              names={names("golden")}
              results={results()}
              backends={backends()}
              events={events()}
            />
          </Show>
          <Show when={names("op").length > 0}>
            <h3>{m().ops}</h3>
            <p class="note">{m().opsNote}</p>
            <Conformance
              testid="conformance"
              title={m().op}
              names={names("op")}
              results={results()}
              backends={backends()}
              events={events()}
            />
          </Show>
        </Panel>
      </Show>
    </Page>
  );
}

const find = (results: readonly CheckResult[], name: string, backend: BackendName): CheckResult | undefined =>
  results.find((each) => each.name === name && each.backend === backend);

function describeResult(result: CheckResult | undefined): string {
  if (result === undefined) return "";
  if (result.why !== undefined) return m().notRun(result.why);
  return result.failed > 0
    ? m().failedCell(result.failed, result.compared)
    : m().cell(result.compared, `${(100 * result.used).toFixed(0)} %`);
}

const describeBench = (timing: BenchResult | undefined): string =>
  timing === undefined
    ? ""
    : `${timing.ms.toPrecision(3)} ms · ${timing.rate >= 100 ? timing.rate.toFixed(0) : timing.rate.toPrecision(3)} ${timing.unit}`;

const aboutOf = (events: readonly MachineEvent[], backend: BackendName): string => {
  const started = events.find((event) => event.kind === "started" && event.backend === backend);
  return m().about(backend, started?.kind === "started" ? started.about : "");
};

function Conformance(props: {
  testid: string;
  title: string;
  names: readonly string[];
  results: readonly CheckResult[];
  backends: readonly BackendName[];
  events: readonly MachineEvent[];
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={props.title}>
      <table data-testid={props.testid}>
        <thead>
          <tr>
            <th scope="col">{props.title}</th>
            <For each={props.backends}>{(backend) => <th scope="col">{aboutOf(props.events, backend)}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={props.names}>
            {(name) => (
              <tr>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <For each={props.backends}>
                  {(backend) => {
                    const result = (): CheckResult | undefined => find(props.results, name, backend);
                    return (
                      <td
                        style={{
                          color:
                            (result()?.failed ?? 0) > 0 || result()?.why !== undefined ? "var(--bad)" : "var(--good)",
                        }}
                      >
                        {describeResult(result())}
                      </td>
                    );
                  }}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function Timings(props: { timings: readonly BenchResult[]; backends: readonly BackendName[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={m().timings}>
      <table data-testid="timings">
        <thead>
          <tr>
            <th scope="col">{m().bench}</th>
            <For each={props.backends}>{(backend) => <th scope="col">{backend}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={BENCHES}>
            {(bench) => (
              <tr>
                <th scope="row">{m().benches[bench]}</th>
                <For each={props.backends}>
                  {(backend) => (
                    <td>
                      {describeBench(props.timings.find((each) => each.bench === bench && each.backend === backend))}
                    </td>
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function CopyButton(props: { text: () => string }): JSX.Element {
  const [copied, setCopied] = createSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text());
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Button onClick={() => void copy()} testid="copy">
      {copied() ? m().copied : m().copy}
    </Button>
  );
}

/** Both tables as Markdown, with what is needed to read them elsewhere. */
function asMarkdown(
  backends: readonly BackendName[],
  results: readonly CheckResult[],
  timings: readonly BenchResult[],
  events: readonly MachineEvent[],
): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = row(["---", ...backends.map(() => "---")]);
  return [
    navigator.userAgent,
    "",
    row([m().bench, ...backends.map((backend) => aboutOf(events, backend))]),
    rule,
    ...BENCHES.map((bench) =>
      row([
        m().benches[bench],
        ...backends.map((backend) =>
          describeBench(timings.find((each) => each.bench === bench && each.backend === backend)),
        ),
      ]),
    ),
    "",
    row([m().op, ...backends]),
    rule,
    ...[...new Set(results.map(({ name }) => name))].map((name) =>
      row([name, ...backends.map((backend) => describeResult(find(results, name, backend)))]),
    ),
    "",
  ].join("\n");
}
