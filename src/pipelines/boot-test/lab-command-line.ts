import type { RootImage } from '../../images/root-image.js';
import {
  type ImageLocation,
  type NfsLocation,
  renderKernelCommandLine,
} from '../../netboot/kernel-command-line.js';
import { BARE_INIT_PATH } from '../../stages/boot-test/place-self-check.js';
import { type ImageTransport, imageTransportParts } from '../../vm/image-transport.js';
import { LAB, LAB_HTTP_PORT } from '../../vm/lab-network.js';
import type { BootTestOptions } from './boot-test-options.js';

/** 10.0.2.2 is the host in QEMU's own network. */
const USER_NETWORK_SERVER = '10.0.2.2';

/** What the kernel of a lab's node is told. */
export function labCommandLine(
  {
    network,
    nfsVersion,
    kernelArguments,
    scenario,
    transport,
  }: Pick<BootTestOptions, 'network' | 'nfsVersion' | 'kernelArguments' | 'scenario' | 'transport'>,
  baseImage: RootImage | undefined,
  console: string,
): string {
  const server = network === 'lab' ? LAB.server : USER_NETWORK_SERVER;
  const layer = (path: string) => ({ server, path });
  const words = scenario?.commandLine?.split(/\s+/).filter((word) => word !== '');
  return renderKernelCommandLine({
    consoles: [console],
    ...(words === undefined
      ? {
          base: baseOf(transport, baseImage, scenario?.servers?.join('+') ?? server),
          ...(network === 'lab' ? { cluster: [layer('/cluster')], host: layer('/host') } : {}),
          nfsVersion: scenario?.nfsVersion ?? nfsVersion,
          hostname: LAB.hostname,
        }
      : {}),
    // A node that gives up resets at once, which -no-reboot turns into the end of QEMU.
    panic: 1,
    extra: [
      ...(words ?? []),
      ...(scenario?.init === 'guest' ? [`init=${BARE_INIT_PATH}`] : []),
      ...kernelArguments,
    ],
  });
}

function baseOf(
  transport: ImageTransport | undefined,
  baseImage: RootImage | undefined,
  server: string,
): NfsLocation | ImageLocation {
  if (transport === undefined || baseImage === undefined) return { server, path: '/base' };
  const { path, sha256, size } = baseImage;
  const name = path.slice(path.lastIndexOf('/'));
  const image = { sha256, size };
  return imageTransportParts(transport).http
    ? { server, httpPort: LAB_HTTP_PORT, path: name, image }
    : { server, path: `/image${name}`, image };
}
