import { imagePaths } from '../../images/image-store.js';
import { removeUnfinishedVersions } from '../../layers/write-layer.js';
import type { BytePath } from '../../ports/byte-path.js';
import { type FileSystem, namesIn } from '../../ports/file-system.js';
import { removeUnfinishedDirectories } from '../../stages/publish/make-persistent-directories.js';
import { removeUnfinishedTops } from '../../stages/publish/make-top-images.js';
import { isUnfinishedDriverInitrd } from '../initrd/driver-initrd.js';
import { hostsDirectory, layerDirectories } from '../layers/state-directories.js';
import { removeUnfinishedRecords } from './published-record.js';

/**
 * Removes what a publish, a collection or another writer of layers left that was killed, also for nodes and groups that the site no
 * longer has, or has as they were before. Only for the holder of the lock: a build that is under way has its own, and its own leftovers.
 */
export function removeLeftovers(fs: FileSystem, state: BytePath): void {
  removeUnfinishedRecords(fs, state);
  removeUnfinishedTops(fs, state);
  for (const { directory } of layerDirectories(fs, state)) removeUnfinishedVersions(fs, directory);
  const hosts = namesIn(fs, hostsDirectory(state)).map((name) => `${hostsDirectory(state)}/${name}`);
  removeUnfinishedDirectories(fs, state, hosts);
  for (const image of namesIn(fs, `${state}/images`)) {
    removeDriverInitrds(fs, imagePaths(state, image).initrds);
  }
}

/** Of generations and, below these, of further kernels. */
function removeDriverInitrds(fs: FileSystem, directory: BytePath): void {
  for (const name of namesIn(fs, directory)) {
    const path = `${directory}/${name}`;
    if (isUnfinishedDriverInitrd(name)) fs.remove(path);
    else removeDriverInitrds(fs, path);
  }
}
