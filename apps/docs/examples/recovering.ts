import { cpuBackend, DeviceLostError, NonFiniteError, OutOfMemoryError, setBackend, zeros } from "statespace";

await setBackend(cpuBackend());
try {
  zeros([2 ** 40]); // 4 TB
} catch (error) {
  if (error instanceof OutOfMemoryError) console.log("smaller, then:", error.message);
  else if (error instanceof DeviceLostError) console.log("await lm.recover() opens a fresh device");
  else if (error instanceof NonFiniteError) console.log("a lower learning rate");
  else throw error;
}
console.log(await zeros([2]).data()); // the backend goes on
