/** Prints how many bytes 30 days of a thousand objectives take, alerts and all; needs `--expose-gc`. */
import { SloLoad } from './slo-load.ts';

const used = () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const before = used();
const load = new SloLoad();
load.fill();
load.second();
load.lookAtAlerts();
const bytes = used() - before;
// Read after the measurement, so that nothing is let go before.
console.log(JSON.stringify({ bytes, bad: load.readAll() }));
