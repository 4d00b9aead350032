/** A few lines that compute what a figure shows, with the numbers that it shows now; both print the same list of numbers as JSON. */
export interface Snippet {
  /** Of the files, without ending. */
  readonly name: string;
  /** Plain JavaScript, for Node or a browser's console; nothing is imported. */
  readonly mjs: string;
  /** The same with numpy. */
  readonly numpy: string;
}

/** Numbers as both languages write them. */
export const list = (values: ArrayLike<number>): string =>
  `[${Array.from(values, (value) => String(+value.toPrecision(8))).join(", ")}]`;

export const rows = (values: readonly ArrayLike<number>[]): string => `[${values.map(list).join(", ")}]`;

/** A Jupyter notebook with the numpy lines in one cell. Source: nbformat 4.5. */
export function notebook({ name, numpy }: Snippet): string {
  const lines = numpy.trimEnd().split("\n");
  return JSON.stringify(
    {
      cells: [
        {
          cell_type: "code",
          execution_count: null,
          id: name.replace(/[^A-Za-z0-9_-]/g, "-"),
          metadata: {},
          outputs: [],
          source: lines.map((line, i) => (i + 1 < lines.length ? `${line}\n` : line)),
        },
      ],
      metadata: { kernelspec: { display_name: "Python 3", language: "python", name: "python3" } },
      nbformat: 4,
      nbformat_minor: 5,
    },
    null,
    1,
  );
}
