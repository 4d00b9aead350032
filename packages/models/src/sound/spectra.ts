import {
  add,
  concat,
  keep,
  linear,
  mul,
  pad,
  reshape,
  split,
  sqrt,
  square,
  tanh,
  tensor,
  type Tensor,
} from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { pow, sliceAxis } from "@statespace/core/ops";
import { analysisMatrix, binsOf, synthesisMatrix, type FramingConfig } from "./framing.ts";

/** Below this a squared magnitude is silence: its root keeps a finite gradient. */
const SILENCE = 1e-8;
/** No part of a mask is larger. */
const LARGEST_MASK = 1.5;

/** Real and imaginary parts, each [..., bins]. */
export interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

const made = new WeakMap<AnyBackend, Map<string, Spectra>>();

/** Those of a framing on a backend, made once: two matrices that stay there as long as it does. */
export function spectraOn(backend: AnyBackend, framing: FramingConfig): Spectra {
  const own = made.get(backend) ?? new Map<string, Spectra>();
  made.set(backend, own);
  const name = JSON.stringify(framing);
  const spectra = own.get(name) ?? new Spectra(framing, backend);
  own.set(name, spectra);
  return spectra;
}

/** Frames and spectra of sound on a backend; see `spectraOn`. */
export class Spectra {
  readonly framing: FramingConfig;
  readonly #analysis: Tensor; // [2 bins, window]
  readonly #synthesis: Tensor; // [window, 2 bins]

  constructor(framing: FramingConfig, backend: AnyBackend) {
    this.framing = framing;
    const { window } = framing;
    const rows = 2 * binsOf(framing);
    this.#analysis = keep(tensor(analysisMatrix(framing), [rows, window], { backend }));
    this.#synthesis = keep(tensor(synthesisMatrix(framing), [window, rows], { backend }));
  }

  /** Frames that overlap. @param samples [b, n], n = window + (l - 1) hop @returns [b, l, window] */
  frames(samples: Tensor): Tensor {
    const { window, hop } = this.framing;
    const [b, n] = samples.shape as [number, number];
    const parts = window / hop;
    const l = n / hop - parts + 1;
    const hops = reshape(samples, [b, n / hop, hop]);
    return concat(
      Array.from({ length: parts }, (_, i) => sliceAxis(hops, 1, i, l)),
      2,
    );
  }

  /** @param frames [..., window] @returns [..., bins] twice */
  spectrum(frames: Tensor): Complex {
    const bins = binsOf(this.framing);
    const [re, im] = split(linear({ x: frames, weight: this.#analysis }).y, [bins, bins]) as [Tensor, Tensor];
    return { re, im };
  }

  /** Magnitudes, real and imaginary parts of a spectrum whose magnitudes are taken to the power of `compression`; magnitudes first. */
  compressed({ re, im }: Complex): { readonly size: Tensor } & Complex {
    const { compression } = this.framing;
    const squares = add(add(square(re), square(im)), SILENCE);
    const share = pow(squares, (compression - 1) / 2);
    return { size: mul(share, sqrt(squares)), re: mul(share, re), im: mul(share, im) };
  }

  /** What the encoder takes, [..., 3 bins]. */
  features(spectrum: Complex): Tensor {
    const { size, re, im } = this.compressed(spectrum);
    return concat([size, re, im], -1);
  }

  /** The spectrum times the mask that the head answers. @param answer [..., 2 bins] */
  masked({ re, im }: Complex, answer: Tensor): Complex {
    const bins = binsOf(this.framing);
    const [a, b] = split(mul(tanh(answer), LARGEST_MASK), [bins, bins]) as [Tensor, Tensor];
    return { re: add(mul(a, re), mul(mul(b, im), -1)), im: add(mul(a, im), mul(b, re)) };
  }

  /** Frames that are to be added where they overlap. @returns [..., window] */
  backToFrames({ re, im }: Complex): Tensor {
    return linear({ x: concat([re, im], -1), weight: this.#synthesis }).y;
  }

  /** The sum of frames that overlap: the inverse of `frames`, but for the first and last hops, which lack a frame. @param frames [b, l, window] @returns [b, n] */
  overlapped(frames: Tensor): Tensor {
    const { window, hop } = this.framing;
    const [b, l] = frames.shape as [number, number];
    const parts = split(
      frames,
      Array.from({ length: window / hop }, () => hop),
    );
    const hops = parts
      .map((part, i) =>
        pad(part, [
          [0, 0],
          [i, parts.length - 1 - i],
          [0, 0],
        ]),
      )
      .reduce((total, part) => add(total, part));
    return reshape(hops, [b, (l + parts.length - 1) * hop]);
  }
}
