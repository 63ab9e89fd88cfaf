import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import type { LabExport } from '../../vm/lab-config.js';
import {
  type ExpectedNode,
  placeFiles,
  placeSelfCheck,
  SELF_CHECK_DIRECTORY,
  takeOver,
} from './place-self-check.js';

/** The layers above the base, topmost first, as the node sees their names below /run/mkroot. */
const LAYERS = ['host', 'cluster'] as const;

/**
 * Writes the lab's own layers: a host layer with the self-check and its systemd unit, and a cluster layer below it. Both
 * have a file of the same name that tells them apart, so that the merged tree shows which one is on top.
 */
export function writeSelfCheckLayers(
  fs: FileSystem,
  directory: BytePath,
  root: BytePath,
  expected: ExpectedNode,
): LabExport[] {
  const below = [new Sysroot(fs, root)];
  const { files = {}, kept } = expected;
  const further = Object.entries(files).map(([path, text]) => [path.slice(1), text] as const);
  const layers = LAYERS.map((layer): LabExport => {
    const top = `${directory}/layers/${layer}`;
    fs.mkdir(top);
    takeOver(fs, below, '/', top);
    if (layer === 'host') {
      placeSelfCheck(fs, top, below, [...LAYERS, 'base'], expected);
      placeFiles(fs, top, below, Object.fromEntries(further));
    } else placeFiles(fs, top, below, { [`${SELF_CHECK_DIRECTORY}/layer`]: `${layer}\n` });
    return { name: `/${layer}`, directory: top };
  });
  if (kept === undefined) return layers;
  return [...layers, { name: '/kept', directory: kept, writable: true }];
}
