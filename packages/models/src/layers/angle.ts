import { add, cast, cos, div, less, mul, neg, noGrad, sin, sqrt, square, sub, type Tensor } from "@statespace/core";
import { runComposite } from "@statespace/core/backend";

/**
 * The angle of the point (x, y) in (-pi, pi], that is atan2(y, x); the origin has none.
 *
 * No backend has an arc tangent, but with sines one finds it: t + sin(angle - t) has an error of the third order in that of t,
 * and the start, pi/2 (1 - cos) with the sign of y, is never more than 0.34 off, so that three rounds reach float32.
 */
export function angleT(x: Tensor, y: Tensor): Tensor {
  const forward = (): Tensor => {
    const radius = sqrt(add(square(x), square(y)));
    const [c, s] = [div(x, radius), div(y, radius)];
    const side = sub(1, mul(cast(less(s, 0), "float32"), 2));
    let angle = mul(mul(sub(1, c), side), Math.PI / 2);
    for (let round = 0; round < 3; round++) angle = add(angle, sub(mul(s, cos(angle)), mul(c, sin(angle))));
    return angle;
  };
  return runComposite(
    "angle",
    { x, y },
    () => [noGrad(forward)],
    () => ({
      save: [x, y],
      backward: ([d], [px, py]) => {
        const scaled = div(d!, add(square(px!), square(py!)));
        return { x: neg(mul(scaled, py!)), y: mul(scaled, px!) };
      },
    }),
  )[0]!;
}
