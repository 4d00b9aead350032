import { afterSaying, type Pieces } from "./states/pieces.ts";

/** A token's count in `sampleToken` when it stood in what was read. */
const READ = 2 ** 30;

/** The tokens of several texts, and which of them were read rather than said. */
export class History {
  readonly rows: readonly number[][];
  /** How a single text went in; absent where it is not known, or with several. */
  pieces: Pieces | undefined;
  /** The backend that computed all of it. */
  #home: string | undefined;
  /** Where the said stretches of each row begin and end. */
  readonly #said: readonly [from: number, until: number][][];

  constructor(rows: number) {
    this.rows = Array.from({ length: rows }, () => []);
    this.#said = Array.from({ length: rows }, () => []);
    this.pieces = rows === 1 ? [] : undefined;
  }

  read(row: number, ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) this.rows[row]!.push(ids[i]!);
  }

  said(row: number, id: number): void {
    const [ids, stretches] = [this.rows[row]!, this.#said[row]!];
    const last = stretches.at(-1);
    if (last?.[1] === ids.length) last[1]++;
    else stretches.push([ids.length, ids.length + 1]);
    ids.push(id);
    this.pieces &&= afterSaying(this.pieces, ids.length);
  }

  /** A backend goes on with the text: where another one computed a part of it, its pieces do not tell its bits. */
  goesOnAt(backend: string): void {
    this.#home ??= backend;
    if (this.#home !== backend) this.pieces = undefined;
  }

  /** Tokens of a text before the first one that was said. */
  promptLength(row: number): number {
    return this.#said[row]![0]?.[0] ?? this.rows[row]!.length;
  }

  /** What `sampleToken` counts with, [rows, v]. */
  counts(v: number): Int32Array {
    const out = new Int32Array(this.rows.length * v);
    this.rows.forEach((ids, row) => {
      const said = new Uint8Array(ids.length);
      for (const [from, until] of this.#said[row]!) said.fill(1, from, until);
      ids.forEach((id, i) => {
        const at = row * v + id;
        if (said[i]) out[at]!++;
        else out[at]! |= READ;
      });
    });
    return out;
  }

  /** Which tokens of a text were read, and how often others were said. */
  seen(row: number): { readonly read: ReadonlySet<number>; readonly said: ReadonlyMap<number, number> } {
    const read = new Set<number>();
    const said = new Map<number, number>();
    const stretches = this.#said[row]!;
    let at = 0;
    this.rows[row]!.forEach((id, i) => {
      while (at < stretches.length && i >= stretches[at]![1]) at++;
      if (at < stretches.length && i >= stretches[at]![0]) said.set(id, (said.get(id) ?? 0) + 1);
      else read.add(id);
    });
    return { read, said };
  }

  clone(): History {
    const out = History.fromJson(this.toJson());
    out.#home = this.#home;
    return out;
  }

  /** The history of so many texts that go on from a single one. */
  spread(rows: number): History {
    const { rows: ids, said } = this.toJson();
    const copies = Array.from({ length: rows }, (_, i) => i);
    return History.fromJson({ rows: copies.map(() => ids[0]!), said: copies.map(() => said[0]!), pieces: null });
  }

  toJson(): HistoryJson {
    return {
      rows: this.rows.map((ids) => [...ids]),
      said: this.#said.map((stretches) => stretches.map(([from, until]) => [from, until])),
      pieces: this.pieces ?? null,
    };
  }

  static fromJson({ rows, said, pieces }: HistoryJson): History {
    const out = new History(rows.length);
    out.pieces = pieces ?? undefined;
    rows.forEach((ids, row) => out.rows[row]!.push(...ids));
    said.forEach((stretches, row) => out.#said[row]!.push(...stretches.map(([a, b]): [number, number] => [a, b])));
    return out;
  }
}

/** A history as plain JSON. */
export interface HistoryJson {
  readonly rows: readonly (readonly number[])[];
  readonly said: readonly (readonly (readonly [number, number])[])[];
  readonly pieces: Pieces | null;
}
