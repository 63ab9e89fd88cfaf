import type { LabServiceOptions } from '../../stages/start-lab-services.js';
import type { BootTestOptions } from './boot-test-options.js';

/** What a scenario wants of the lab's servers beyond the usual ones. */
export function scenarioServers(
  options: Pick<BootTestOptions, 'scenario' | 'baseImage' | 'nodeProgram' | 'shippedFiles'>,
): Pick<LabServiceOptions, 'http' | 'time' | 'dhcp' | 'tftp' | 'vlan' | 'standby' | 'mtu'> {
  const { scenario = {}, baseImage } = options;
  const { transport, httpFaults = [], timeServer, dhcp, tftp, vlan, standby, mtu } = scenario;
  return {
    ...(transport === 'squashfs-http' && baseImage !== undefined
      ? {
          http: {
            program: shippedProgram(options, 'http-server'),
            directory: baseImage.path.slice(0, baseImage.path.lastIndexOf('/')),
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
