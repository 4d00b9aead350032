import { fft, fftConvolve, ifft, nextPowerOfTwo } from "@statespace/core/math";

const [re, im] = [Float64Array.of(1, 2, 3), new Float64Array(3)];
fft(re, im);
console.log(re[0]); // the sum: 6
ifft(re, im);
console.log(re); // 1 2 3 again
console.log(fftConvolve([1, 2, 3], [1, 0.5, 0.25], 3), nextPowerOfTwo(100)); // 1 2.5 4.25; 128
