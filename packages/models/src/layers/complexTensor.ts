import { add, cos, div, exp, mul, neg, reshape, scalar, sin, square, stack, sub, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { expm1, sliceAxis } from "@statespace/core/ops";

/** A complex tensor as its parts; the ops that are one kernel take both on a last axis of 2 (`interleave`). */
export interface ComplexTensor {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** A real number as a complex scalar. */
export function complexScalar(value: number, backend: AnyBackend): ComplexTensor {
  return { re: scalar(value, { backend }), im: scalar(0, { backend }) };
}

/** The parts of a tensor whose last axis is (re, im). */
export function complexParts(x: Tensor): ComplexTensor {
  const shape = x.shape.slice(0, -1);
  return { re: reshape(sliceAxis(x, -1, 0, 1), shape), im: reshape(sliceAxis(x, -1, 1, 1), shape) };
}

/** Both parts on a new axis, the last by default. */
export function interleave({ re, im }: ComplexTensor, axis: number = re.shape.length): Tensor {
  return stack([re, im], axis);
}

export function complexAddT(a: ComplexTensor, b: ComplexTensor): ComplexTensor {
  return { re: add(a.re, b.re), im: add(a.im, b.im) };
}

export function complexSubT(a: ComplexTensor, b: ComplexTensor): ComplexTensor {
  return { re: sub(a.re, b.re), im: sub(a.im, b.im) };
}

export function complexMulT(a: ComplexTensor, b: ComplexTensor): ComplexTensor {
  return { re: sub(mul(a.re, b.re), mul(a.im, b.im)), im: add(mul(a.re, b.im), mul(a.im, b.re)) };
}

/** A real factor, broadcast. */
export function complexScaleT(a: ComplexTensor, factor: Tensor | number): ComplexTensor {
  return { re: mul(a.re, factor), im: mul(a.im, factor) };
}

export function complexConjT(a: ComplexTensor): ComplexTensor {
  return { re: a.re, im: neg(a.im) };
}

/** 1 / a; a must not be so large or small that |a|^2 leaves float32. */
export function complexReciprocalT(a: ComplexTensor): ComplexTensor {
  const size = add(square(a.re), square(a.im));
  return { re: div(a.re, size), im: neg(div(a.im, size)) };
}

export function complexDivT(a: ComplexTensor, b: ComplexTensor): ComplexTensor {
  return complexMulT(a, complexReciprocalT(b));
}

export function complexExpT(a: ComplexTensor): ComplexTensor {
  const radius = exp(a.re);
  return { re: mul(radius, cos(a.im)), im: mul(radius, sin(a.im)) };
}

/** e^a - 1 without cancellation near 0: expm1(re) cos(im) - 2 sin(im / 2)^2, and the imaginary part as it is. */
export function complexExpm1T(a: ComplexTensor): ComplexTensor {
  const growth = expm1(a.re);
  const versine = mul(square(sin(mul(a.im, 0.5))), 2);
  return { re: sub(mul(growth, cos(a.im)), versine), im: mul(add(growth, 1), sin(a.im)) };
}

/** Any function of both parts, as reshapes and broadcasts are. */
export function complexMap(a: ComplexTensor, map: (part: Tensor) => Tensor): ComplexTensor {
  return { re: map(a.re), im: map(a.im) };
}
