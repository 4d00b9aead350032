import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { toJsonLine, type TrainingEvent } from "@statespace/models";

/** The events of a run as JSON lines in a file, one run over all its sittings. */
export class MetricsFile {
  readonly #path: string;
  readonly #events: TrainingEvent[];
  #unwritten: string[] = [];

  private constructor(path: string, events: TrainingEvent[]) {
    this.#path = path;
    this.#events = events;
  }

  /** @param resume keep what an earlier sitting wrote. */
  static async open(path: string, resume: boolean): Promise<MetricsFile> {
    await mkdir(dirname(path), { recursive: true });
    const text = resume ? await readFile(path, "utf8").catch(() => "") : "";
    const file = new MetricsFile(path, text.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as TrainingEvent));
    await file.#rewrite();
    return file;
  }

  get events(): readonly TrainingEvent[] {
    return this.#events;
  }

  async add(event: TrainingEvent): Promise<void> {
    if (event.kind === "resumed") await this.#dropAfter(event.step);
    this.#events.push(event);
    this.#unwritten.push(`${toJsonLine(event)}\n`);
    if (event.kind !== "step" || this.#unwritten.length >= 20) await this.flush();
  }

  async flush(): Promise<void> {
    const lines = this.#unwritten.join("");
    this.#unwritten = [];
    if (lines !== "") await appendFile(this.#path, lines);
  }

  /** Steps that were told but are taken again, since the checkpoint is older. */
  async #dropAfter(step: number): Promise<void> {
    const kept = this.#events.filter((event) => event.step <= step && event.kind !== "end");
    this.#events.splice(0, this.#events.length, ...kept);
    await this.#rewrite();
  }

  async #rewrite(): Promise<void> {
    await writeFile(`${this.#path}.tmp`, this.#events.map((event) => `${toJsonLine(event)}\n`).join(""));
    await rename(`${this.#path}.tmp`, this.#path);
  }
}
