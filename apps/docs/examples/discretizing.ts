import {
  backwardEuler,
  discretizeDiagonal,
  discretizeDiagonalVjp,
  generalisedBilinear,
} from "@statespace/core/discretization";
import { zeroOrderHold } from "@statespace/core/discretization";
import { Matrix } from "@statespace/core/math";

const [A, B] = [new Matrix(1, 1, Float64Array.of(-1)), new Matrix(1, 1, Float64Array.of(1))];
console.log(backwardEuler.dense(A, B, 0.5).ABar.data[0], generalisedBilinear(0.5).dense(A, B, 0.5).ABar.data[0]); // 0.667 0.6
const [poles, inputs] = [Float64Array.of(-1, 3), Float64Array.of(1, 0)]; // one pole, -1 + 3i
const discrete = discretizeDiagonal(zeroOrderHold, poles, inputs, 0.5);
console.log(discrete.ABar); // exp(delta A)
console.log(discretizeDiagonalVjp(zeroOrderHold, poles, inputs, 0.5, discrete).delta); // a gradient with respect to the step
