import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import { type BatchStream, IGNORE_INDEX, type TokenBatch } from "../batch.ts";
import { fingerprint } from "../fingerprint.ts";
import { type SequenceOptions, stream } from "./contiguousBatches.ts";
import { ShuffledOrder } from "./shuffledBatches.ts";
import { stateFields, stateInteger } from "../streamState.ts";

/** Rows of `packDocuments` and the order of what fills them. */
export interface PackOptions extends SequenceOptions {
  /** Order of documents, drawn anew each time all have been used. */
  readonly seed: number;
  /** Appended to each document, so that a model learns where one ends. */
  readonly endId?: number;
  /** Of each document, in order: 1 for a token that is to be predicted, 0 for one that is only read. All are unless told; an appended end is. */
  readonly counts?: readonly Uint8Array[];
  /** A document that fits a row is not cut: where the rest of a row is too short for it, that stays empty. Default false. */
  readonly whole?: boolean;
}

/**
 * Packs documents of any length into full rows, one after another. A document that does not fit goes on in the next
 * row, as a piece of its own. `seqIdx` numbers the pieces within a row: state restarts where it changes.
 *
 * Shapes: inputs, targets, mask, seqIdx [b, seqLen]. The last step of a document has no target (mask 0, `IGNORE_INDEX`);
 * where a row cuts a document, the next token is still its target.
 * Errors: `ArgumentError` where no document holds a token.
 */
export function packDocuments(documents: readonly Int32Array[], options: PackOptions): BatchStream<TokenBatch> {
  refuseUnknown("packDocuments", options, ["batchSize", "seqLen", "seed", "endId", "counts", "whole"]);
  const { batchSize, seqLen, seed, endId, counts, whole = false } = options;
  requireInteger("packDocuments", "batchSize", batchSize, 1);
  requireInteger("packDocuments", "seqLen", seqLen, 1);
  checkCounts(documents, counts);
  const kept = documents.flatMap((ids, i) => (ids.length > 0 ? [{ ids, counted: counts?.[i] }] : []));
  const texts = kept.map(({ ids }) => (endId === undefined ? ids : append(ids, endId)));
  /** Whether a token of a document is to be predicted. */
  const isCounted = (document: number, token: number): boolean => kept[document]!.counted?.[token] !== 0;
  if (texts.length === 0) throw new ArgumentError("packDocuments: needs one document that is not empty");
  const order = new ShuffledOrder(texts.length, seed);
  let open = order.next(); // the document being packed and how far it got
  let offset = 0;

  const fillRow = (batch: TokenBatch, start: number): void => {
    const { inputs, targets, mask, seqIdx } = batch as Required<TokenBatch>;
    for (let t = 0, piece = 0; t < seqLen; piece++) {
      const ids = texts[open];
      if (whole && offset === 0 && t > 0 && ids.length > seqLen - t && ids.length <= seqLen) {
        seqIdx.fill(piece, start + t, start + seqLen);
        return;
      }
      const count = Math.min(seqLen - t, ids.length - offset);
      inputs.set(ids.subarray(offset, offset + count), start + t);
      seqIdx.fill(piece, start + t, start + t + count);
      const next = ids.subarray(offset + 1, offset + count + 1); // one short at the end of the document
      for (let i = 0; i < next.length; i++) {
        if (!isCounted(open, offset + 1 + i)) continue;
        targets[start + t + i] = next[i]!;
        mask[start + t + i] = 1;
      }
      t += count;
      offset += count;
      if (offset === ids.length) {
        open = order.next();
        offset = 0;
      }
    }
  };
  return stream({
    nextBatch() {
      const size = batchSize * seqLen;
      const shape = [batchSize, seqLen];
      const batch: TokenBatch = {
        inputs: new Int32Array(size),
        targets: new Int32Array(size).fill(IGNORE_INDEX),
        mask: new Float32Array(size),
        seqIdx: new Int32Array(size),
        shape,
        targetShape: shape,
      };
      for (let row = 0; row < batchSize; row++) fillRow(batch, row * seqLen);
      return batch;
    },
    state: () => ({ kind: "packed", order: order.state(), open, offset }),
    identity: () => ({
      kind: "packed",
      batchSize,
      seqLen,
      seed,
      documents: fingerprint(...texts),
      ...(counts && { counts: fingerprint(...counts.map((each) => Int32Array.from(each))) }),
      ...(whole && { whole }),
    }),
    restore(state) {
      const fields = stateFields(state, "packed");
      const document = stateInteger(fields, "open", texts.length - 1);
      const place = stateInteger(fields, "offset", texts[document].length - 1);
      if (fields["order"] === undefined) throw new FormatError("restore: packed state has no order");
      order.restore(fields["order"]);
      open = document;
      offset = place;
    },
  });
}

function checkCounts(documents: readonly Int32Array[], counts: PackOptions["counts"]): void {
  if (counts === undefined) return;
  const wrong = documents.findIndex((ids, i) => counts[i]?.length !== ids.length);
  if (counts.length !== documents.length || wrong >= 0)
    throw new ArgumentError(
      `packDocuments: counts must have a number for each token of each document, see document ${Math.max(0, wrong)}`,
    );
}

/**
 * Documents as rows of one batch, padded at the end to the longest.
 * Shapes: inputs, targets, mask [b, longest - 1], lengths [b]; targets are the inputs one step on.
 * Errors: `ArgumentError` where a document has fewer than two tokens.
 */
export function padDocuments(documents: readonly Int32Array[], padId: number = 0): TokenBatch {
  if (documents.length === 0) throw new ArgumentError("padDocuments: needs one document or more");
  const short = documents.findIndex((ids) => ids.length < 2);
  if (short >= 0)
    throw new ArgumentError(
      `padDocuments: document ${short} must have two tokens or more, got ${documents[short].length}`,
    );
  const lengths = Int32Array.from(documents, (ids) => ids.length - 1);
  const l = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  const inputs = new Int32Array(documents.length * l).fill(padId); // [b, l]
  const targets = new Int32Array(documents.length * l).fill(IGNORE_INDEX);
  const mask = new Float32Array(documents.length * l);
  for (const [row, ids] of documents.entries()) {
    inputs.set(ids.subarray(0, -1), row * l);
    targets.set(ids.subarray(1), row * l);
    mask.fill(1, row * l, row * l + lengths[row]);
  }
  const shape = [documents.length, l];
  return { inputs, targets, mask, lengths, shape, targetShape: shape };
}

function append(ids: Int32Array, id: number): Int32Array {
  const longer = new Int32Array(ids.length + 1);
  longer.set(ids);
  longer[ids.length] = id;
  return longer;
}
