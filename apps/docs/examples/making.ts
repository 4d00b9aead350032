import { Tensor, cpuBackend, full, ones, range, readInts, scalar, setBackend, zeros } from "statespace";

await setBackend(cpuBackend());
console.log(zeros([2, 2]) instanceof Tensor, zeros([2, 2]).shape, zeros([2, 2]).dtype);
console.log(await zeros([2, 2]).data(), await ones([2]).data(), await full([3], 0.5).data());
console.log(await readInts(range(3, 4)), await scalar(7).data()); // 3 4 5 6; 7
