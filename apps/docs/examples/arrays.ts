import { ndarray, ndclone, ndfill, ndround32, ndzeros, sizeOf, stridesOf } from "@statespace/core/math";

const x = ndfill([2, 3], (i) => i / 3);
console.log(sizeOf(x.shape), stridesOf(x.shape)); // 6; 3 1
console.log(ndround32(x).data[1], ndclone(x).data[1]); // a third as float32, and as float64
console.log(ndarray([2], [1, 2]).data, ndzeros([2]).data);
