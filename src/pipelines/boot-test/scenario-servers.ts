import type { BytePath } from '../../ports/byte-path.js';
import type { LabServiceOptions } from '../../stages/boot-test/start-lab-services.js';
import type { BootTestOptions } from './boot-test-options.js';

/**
 * What a scenario wants of the lab's servers beyond the usual ones.
 * @param httpDirectory what is served over HTTP, if anything is.
 */
export function scenarioServers(
  options: Pick<BootTestOptions, 'scenario' | 'nodeProgram' | 'shippedFiles'>,
  httpDirectory: BytePath | undefined,
): Pick<LabServiceOptions, 'http' | 'time' | 'dhcp' | 'tftp' | 'vlan' | 'standby' | 'mtu'> {
  const { scenario = {} } = options;
  const { httpFaults = [], timeServer, dhcp, tftp, vlan, standby, mtu } = scenario;
  return {
    ...(httpDirectory !== undefined
      ? {
          http: {
            program: shippedProgram(options, 'http-server'),
            directory: httpDirectory,
            faults: httpFaults,
          },
        }
      : {}),
    ...(timeServer === undefined
      ? {}
      : { time: { program: shippedProgram(options, 'time-server'), date: timeServer } }),
    ...(vlan === undefined ? {} : { vlan: { id: vlan, program: shippedProgram(options, 'vlan-switch') } }),
    ...(standby ? { standby } : {}),
    ...(mtu === undefined ? {} : { mtu }),
    ...(dhcp === undefined ? {} : { dhcp }),
    ...(tftp === undefined ? {} : { tftp }),
  };
}

/** A program of qemu/ that Node.js runs. */
function shippedProgram(
  { nodeProgram = 'node', shippedFiles }: Pick<BootTestOptions, 'nodeProgram' | 'shippedFiles'>,
  name: string,
): readonly string[] {
  return [nodeProgram, `${shippedFiles}/${name}/${name}.mjs`];
}
