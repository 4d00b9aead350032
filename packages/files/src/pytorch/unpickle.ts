import { FormatError } from "@statespace/core";
import { quote } from "../strictJson.ts";
import { PickleDict, PickleGlobal, PickleList, PickleTuple, type PickleValue } from "./pickleValue.ts";

/** What a pickle may refer to. */
export interface PickleContext {
  /** File, for messages. */
  readonly what: string;
  /** By `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Turns a persistent id into a value. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/** A state dict of a hundred thousand tensors stays below; a hostile one must not fill memory with empty lists. */
const MAX_VALUES = 8_000_000;
const NEWEST_PROTOCOL = 5;

/**
 * Reads a pickle as data: the opcodes that build numbers, strings, lists, tuples and dicts, and calls of the globals in `context`, which are functions of this
 * library. No other name is accepted, so that no code of the file's choosing can run.
 * Errors: {@link FormatError} naming the opcode or the global.
 * Source: CPython's pickletools; protocols 2 to 5.
 */
export function unpickle(bytes: Uint8Array, context: PickleContext): PickleValue {
  return new Machine(bytes, context).run();
}

/** Made when it is needed: an audio worklet has none, and may yet load this module. */
let utf8: TextDecoder | undefined;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #context: PickleContext;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;
  #made = 0;

  constructor(bytes: Uint8Array, context: PickleContext) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#context = context;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = this.#u8();
      if (opcode === 0x2e) {
        if (this.#stack.length !== 1 || this.#marks.length > 0) throw this.#error("ends with values left over");
        return this.#stack[0];
      }
      if (!this.#literal(opcode) && !this.#container(opcode) && !this.#reference(opcode))
        throw this.#error(`opcode 0x${opcode.toString(16).padStart(2, "0")} is not one that tensors need`);
    }
  }

  /** Numbers, strings, constants. */
  #literal(opcode: number): boolean {
    switch (opcode) {
      case 0x80: // PROTO
        if (this.#u8() > NEWEST_PROTOCOL) throw this.#error(`protocol must be at most ${NEWEST_PROTOCOL}`);
        return true;
      case 0x95: // FRAME: the length of what follows, of use to streams only
        this.#take(8);
        return true;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#take(2), true));
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#take(4), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#u8()));
      case 0x54: // BINSTRING, of Python 2
        return this.#push(this.#text(this.#u32()));
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(this.#u8()));
      default:
        return false;
    }
  }

  /** Lists, tuples, dicts. */
  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        return this.#count();
      case 0x5d: // EMPTY_LIST
        return this.#push(new PickleList());
      case 0x7d: // EMPTY_DICT
        return this.#push(new PickleDict());
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickleTuple([]));
      case 0x74: // TUPLE
        return this.#push(new PickleTuple(this.#popMark()));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new PickleTuple(this.#popMany(opcode - 0x84)));
      case 0x61: // APPEND
        return this.#append(this.#popMany(1));
      case 0x65: // APPENDS
        return this.#append(this.#popMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMark());
      default:
        return false;
    }
  }

  /** The memo, globals and calls. */
  #reference(opcode: number): boolean {
    switch (opcode) {
      case 0x71: // BINPUT
        this.#memo.set(this.#u8(), this.#top());
        return true;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#u32(), this.#top());
        return true;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return true;
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        return this.#push(this.#global(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== "string" || typeof name !== "string") throw this.#error("a global's name is no string");
        return this.#push(this.#global(module, name));
      }
      case 0x51: // BINPERSID
        return this.#push(this.#context.persistent(this.#popMany(1)[0]));
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: // BUILD
        return this.#build();
      default:
        return false;
    }
  }

  #reduce(): boolean {
    const [callee, args] = this.#popMany(2);
    if (!(callee instanceof PickleGlobal) || callee.call === undefined) throw this.#error("calls what is no function");
    if (!(args instanceof PickleTuple)) throw this.#error(`calls ${callee.name} without a tuple of arguments`);
    return this.#push(callee.call(args.items));
  }

  /** State of an object. Of a state dict it is `_metadata`, versions of modules, which no tensor depends on. */
  #build(): boolean {
    const [object] = this.#popMany(2);
    if (!(object instanceof PickleDict)) throw this.#error("sets the state of something other than a dict");
    return this.#push(object);
  }

  #append(items: readonly PickleValue[]): boolean {
    const list = this.#top();
    if (!(list instanceof PickleList)) throw this.#error("appends to something other than a list");
    for (const item of items) list.items.push(item);
    return true;
  }

  #setItems(items: readonly PickleValue[]): boolean {
    const dict = this.#top();
    if (!(dict instanceof PickleDict)) throw this.#error("sets items of something other than a dict");
    if (items.length % 2 !== 0) throw this.#error("sets a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      if (dict.items.has(items[i])) throw this.#error(`key ${describe(items[i])} appears twice`);
      dict.items.set(items[i], items[i + 1]);
    }
    return true;
  }

  #global(module: string, name: string): PickleGlobal {
    const found = this.#context.globals.get(`${module}.${name}`);
    if (found !== undefined) return found;
    throw this.#error(`asks for ${quote(`${module}.${name}`)}, which is not among the names a file of tensors needs`);
  }

  #recall(key: number): boolean {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.#error(`recalls value ${key}, which was never stored`);
    return this.#push(value);
  }

  #push(value: PickleValue): boolean {
    this.#stack.push(value);
    return this.#count();
  }

  #count(): boolean {
    if (++this.#made > MAX_VALUES) throw this.#error(`holds more than ${MAX_VALUES} values`);
    return true;
  }

  #top(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= floor) throw this.#error("takes a value where there is none");
    return value;
  }

  #popMany(count: number): PickleValue[] {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < floor) throw this.#error("takes a value where there is none");
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#error("closes what was never opened");
    return this.#stack.splice(mark);
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw this.#error("is cut off");
    this.#at += length;
    return start;
  }

  #u8(): number {
    return this.#bytes[this.#take(1)];
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #text(length: number): string {
    const start = this.#take(length);
    try {
      utf8 ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.#error("holds a string that is not UTF-8");
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 1000) throw this.#error("holds a name without an end");
    const text = this.#text(end - this.#at);
    this.#take(1);
    return text;
  }

  /** Two's complement, little-endian, of any length; only what a float64 holds exactly. */
  #long(length: number): number {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]);
    const signed = BigInt.asIntN(8 * length, value);
    if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
      throw this.#error(`holds the number ${quote(signed.toString())}, beyond 2^53`);
    return Number(signed);
  }

  #error(fault: string): FormatError {
    return new FormatError(`${this.#context.what}: pickle ${fault} (byte ${this.#at})`);
  }
}

/** A value of a pickle in a message. */
export function describe(value: PickleValue | undefined): string {
  if (typeof value === "string") return quote(value);
  if (value === undefined) return "nothing";
  if (value === null || typeof value !== "object") return String(value);
  if (value instanceof PickleList) return "a list";
  if (value instanceof PickleTuple) return "a tuple";
  if (value instanceof PickleDict) return "a dict";
  return value instanceof PickleGlobal ? value.name : value.kind;
}
