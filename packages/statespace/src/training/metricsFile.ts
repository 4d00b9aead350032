import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asStorageFull } from "@statespace/files";
import { tensorBoardHeader, tensorBoardRecord, toJsonLine, type TrainingEvent } from "@statespace/models";

/** The events of a run as JSON lines in a file, one run over all its sittings, and where it is wished in a TensorBoard file a sitting. */
export class MetricsFile {
  readonly #path: string;
  readonly #events: TrainingEvent[];
  #begun = false;
  readonly #board: string | undefined;

  private constructor(path: string, events: TrainingEvent[], tensorBoard: boolean) {
    this.#path = path;
    const name = `events.out.tfevents.${Math.floor(Date.now() / 1000)}.statespace`;
    this.#board = tensorBoard ? join(dirname(path), name) : undefined;
    this.#events = events;
  }

  /** Changes nothing before the first event, so that a run that is refused loses nothing. @param resume keep what an earlier sitting wrote. */
  static async open(path: string, resume: boolean, tensorBoard = false): Promise<MetricsFile> {
    const text = resume ? await readFile(path, "utf8").catch(() => "") : "";
    return new MetricsFile(
      path,
      text
        .split("\n")
        .filter((line) => line.endsWith("}"))
        .map((line) => JSON.parse(line) as TrainingEvent),
      tensorBoard,
    );
  }

  get events(): readonly TrainingEvent[] {
    return this.#events;
  }

  /** @throws StorageFullError where there is no room */
  async add(event: TrainingEvent): Promise<void> {
    try {
      await this.#add(event);
    } catch (error) {
      throw asStorageFull(error, this.#path);
    }
  }

  async #add(event: TrainingEvent): Promise<void> {
    if (!this.#begun) await this.#begin(event.kind === "resumed" ? event.step : 0);
    this.#events.push(event);
    // At once: what a checkpoint builds on must be on record before it is, or a run killed after it would lack these steps for good.
    await appendFile(this.#path, `${toJsonLine(event)}\n`);
    const record = this.#board === undefined ? undefined : tensorBoardRecord(event, Date.now() / 1000);
    if (record !== undefined) await appendFile(this.#board!, record);
  }

  /** Drops steps that were told but are taken again, since the checkpoint is older. */
  async #begin(step: number): Promise<void> {
    this.#begun = true;
    const kept = this.#events.filter((event) => event.step <= step && event.kind !== "end");
    this.#events.splice(0, this.#events.length, ...kept);
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.tmp`, this.#events.map((event) => `${toJsonLine(event)}\n`).join(""));
    await rename(`${this.#path}.tmp`, this.#path);
    if (this.#board !== undefined) await writeFile(this.#board, tensorBoardHeader(Date.now() / 1000));
  }
}
