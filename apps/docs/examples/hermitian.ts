import { complexTimes, conjugateTransposed, hermitianEigen, Matrix } from "@statespace/core/math";

const H = { re: new Matrix(2, 2, Float64Array.of(2, 0, 0, 2)), im: new Matrix(2, 2, Float64Array.of(0, -1, 1, 0)) };
const { values, vectors } = hermitianEigen(H);
console.log(values); // 1 and 3
console.log(complexTimes(conjugateTransposed(vectors), vectors).re.data); // orthonormal: 1 0 0 1
