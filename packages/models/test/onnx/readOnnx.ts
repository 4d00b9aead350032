/** Reads what ONNX files hold, as far as the tests need it; numbers of fields from onnx.proto. */
export interface Attribute {
  readonly i: number;
  readonly f: number;
  readonly s: string;
  readonly ints: number[];
  readonly g: Graph | undefined;
}

export interface Node {
  readonly op: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Map<string, Attribute>;
}

export interface Constant {
  readonly name: string;
  readonly shape: number[];
  readonly type: number;
  readonly raw: Uint8Array;
  /** Where the bytes lie in a file beside the model. */
  readonly external: Map<string, string>;
}

export interface Graph {
  readonly nodes: Node[];
  readonly constants: Constant[];
  readonly inputs: { readonly name: string; readonly shape: (number | string)[] }[];
  readonly outputs: { readonly name: string; readonly shape: (number | string)[] }[];
}

type Fields = Map<number, (number | bigint | Uint8Array)[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = BigInt(bytes[at++]!);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return BigInt.asIntN(64, value);
      shift += 7n;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [field, kind] = [key >>> 3, key & 7];
    let value: number | bigint | Uint8Array;
    if (kind === 0) value = varint();
    else if (kind === 5) {
      value = view.getFloat32(at, true);
      at += 4;
    } else if (kind === 2) {
      const length = Number(varint());
      value = bytes.subarray(at, at + length);
      at += length;
    } else throw new Error(`kind ${kind}`);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const all = (fields: Fields, field: number): Uint8Array[] => (fields.get(field) ?? []) as Uint8Array[];
const text = (bytes: number | bigint | Uint8Array | undefined): string => new TextDecoder().decode(bytes as Uint8Array);
const int = (value: number | bigint | Uint8Array | undefined): number => Number(value ?? 0);

export function readOnnx(bytes: Uint8Array): { readonly opset: number; readonly graph: Graph } {
  const model = fieldsOf(bytes);
  return { opset: int(fieldsOf(all(model, 8)[0]!).get(2)?.[0]), graph: graphOf(all(model, 7)[0]!) };
}

function graphOf(bytes: Uint8Array): Graph {
  const fields = fieldsOf(bytes);
  return {
    nodes: all(fields, 1).map(nodeOf),
    constants: all(fields, 5).map((tensor) => {
      const own = fieldsOf(tensor);
      const external = all(own, 13).map((entry) => {
        const pair = fieldsOf(entry);
        return [text(pair.get(1)![0]), text(pair.get(2)![0])] as const;
      });
      return {
        name: text(own.get(8)![0]),
        shape: (own.get(1) ?? []).map(int),
        type: int(own.get(2)![0]),
        raw: all(own, 9)[0] ?? new Uint8Array(0),
        external: new Map(external),
      };
    }),
    inputs: all(fields, 11).map(valueOf),
    outputs: all(fields, 12).map(valueOf),
  };
}

function valueOf(bytes: Uint8Array): Graph["inputs"][number] {
  const fields = fieldsOf(bytes);
  const shape = fieldsOf(all(fieldsOf(all(fieldsOf(all(fields, 2)[0]!), 1)[0]!), 2)[0]!);
  const axes = all(shape, 1).map((axis) => {
    const own = fieldsOf(axis);
    return own.has(1) ? int(own.get(1)![0]) : text(own.get(2)![0]);
  });
  return { name: text(fields.get(1)![0]), shape: axes };
}

function nodeOf(bytes: Uint8Array): Node {
  const fields = fieldsOf(bytes);
  const attributes = all(fields, 5).map((attribute) => {
    const own = fieldsOf(attribute);
    return [
      text(own.get(1)![0]),
      {
        i: int(own.get(3)?.[0]),
        f: int(own.get(2)?.[0]),
        s: own.has(4) ? text(own.get(4)![0]) : "",
        ints: (own.get(8) ?? []).map(int),
        g: own.has(6) ? graphOf(all(own, 6)[0]!) : undefined,
      },
    ] as const;
  });
  return {
    op: text(fields.get(4)![0]),
    inputs: all(fields, 1).map(text),
    outputs: all(fields, 2).map(text),
    attributes: new Map(attributes),
  };
}
