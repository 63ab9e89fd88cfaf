import type { StormPlace } from '../../../src/vm/storm-model.js';
import { stormMac } from '../../../src/vm/storm-network.js';
import type { Storm } from '../../../src/vm/storm-report.js';

/** A storm whose nodes all got the same bytes; without `seconds` one that failed. */
export function stormOf({
  size,
  bytes,
  place,
  seconds,
  transport = 'nfs-3',
  cpu = {},
}: {
  readonly size: number;
  readonly bytes: number;
  readonly place: StormPlace;
  readonly seconds?: number;
  readonly transport?: string;
  readonly cpu?: Readonly<Record<string, number>>;
}): Storm {
  const failed = seconds === undefined;
  return {
    transport,
    size,
    result: failed ? 'fail' : 'pass',
    ...(failed ? { reason: 'it did not come' } : { seconds }),
    place,
    nodes: Array.from({ length: failed ? 0 : size }, (_, index) => ({
      mac: stormMac(index + 1),
      seconds: seconds ?? 0,
      bytesToNode: bytes,
      bytesFromNode: 10,
      framesToNode: 5,
      framesFromNode: 3,
      nfsRequests: 1000,
      phases: [
        { phase: 'loader', bytesToNode: bytes / 4 },
        { phase: 'system', bytesToNode: (bytes * 3) / 4 },
      ],
    })),
    httpRequests: 0,
    serverCpuSeconds: cpu,
    emulatorCpuSeconds: 100,
  };
}
