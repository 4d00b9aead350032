import { memory } from "@statespace/core";
import type { ModelHosts } from "./modelHost.ts";

/** What is told under a name: values by their labels. */
type Told = readonly [kind: "counter" | "gauge", help: string, values: readonly (readonly [string, number])[]];

/** Counts what a server did, for Prometheus. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #seconds = new Map<string, number>();
  #open = 0;

  begin(): void {
    this.#open++;
  }

  end(route: string, status: number, seconds: number): void {
    this.#open--;
    const key = `route="${route}",status="${status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    this.#seconds.set(`route="${route}"`, (this.#seconds.get(`route="${route}"`) ?? 0) + seconds);
  }

  /** The text format, version 0.0.4. */
  text({ hosts, store }: ModelHosts): string {
    const lines: string[] = [];
    const tellOf = (name: string, ...[kind, help, values]: Told): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
      for (const [labels, value] of values) lines.push(`${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
    };
    const tell = (name: string, ...told: Told): void => tellOf(`statespace_${name}`, ...told);
    const byModel = (
      read: (stats: {
        running: number;
        waiting: number;
        promptTokens: number;
        newTokens: number;
        cachedTokens: number;
      }) => number,
    ): [string, number][] =>
      [...hosts.values()].map(({ name, scheduler }) => [
        `model="${name.replaceAll(/["\\\n]/g, "_")}"`,
        read(scheduler.stats),
      ]);
    tell("requests_total", "counter", "Requests answered.", [...this.#requests]);
    tell("request_seconds_total", "counter", "Seconds that answers took.", [...this.#seconds]);
    tell("requests_open", "gauge", "Requests under way.", [["", this.#open]]);
    tell(
      "texts_running",
      "gauge",
      "Texts that are going on.",
      byModel(({ running }) => running),
    );
    tell(
      "texts_waiting",
      "gauge",
      "Texts and prompts that wait.",
      byModel(({ waiting }) => waiting),
    );
    tell(
      "prompt_tokens_total",
      "counter",
      "Tokens of prompts.",
      byModel(({ promptTokens }) => promptTokens),
    );
    tell(
      "cached_tokens_total",
      "counter",
      "Tokens of prompts that were found, not read.",
      byModel(({ cachedTokens }) => cachedTokens),
    );
    tell(
      "new_tokens_total",
      "counter",
      "Tokens of answers.",
      byModel(({ newTokens }) => newTokens),
    );
    if (store !== undefined) {
      tell("states_kept", "gauge", "States that are kept.", [["", store.stats.states]]);
      tell("states_kept_bytes", "gauge", "Bytes of states that are kept.", [["", store.stats.bytes]]);
    }
    const { tensors, bytes } = memory();
    tell("tensors", "gauge", "Tensors that are held, weights too.", [["", tensors]]);
    tell("tensor_bytes", "gauge", "Bytes of the tensors that are held.", [["", bytes]]);
    // Under the name that Prometheus' own clients give it.
    const { rss } = process.memoryUsage();
    tellOf("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", [["", rss]]);
    return `${lines.join("\n")}\n`;
  }
}
