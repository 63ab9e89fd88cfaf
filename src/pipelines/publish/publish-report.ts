import { displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { OwnedChange } from '../../stages/publish/owned-tree.js';
import { fileDifferences } from './file-differences.js';
import { layerNames, type PublishPlan } from './plan-publish.js';
import { publishText } from './publish-text.js';
import { publishedTree } from './published-record.js';

/** How a plan, or what was done of it, is told. */
export interface ReportOptions {
  /** Every boot file by its path. */
  readonly files: boolean;
  /** Every change line by line; only for a plan that was not carried out. */
  readonly diff: boolean;
  /** False if it was only a plan. */
  readonly published: boolean;
  readonly state: string;
}

/** A publish for people and, if that is asked for, for programs; the latter is documented in docs/publish.md. */
export function publishReport(
  fs: ReadFileSystem,
  plan: PublishPlan,
  { files, diff, published, state }: ReportOptions,
) {
  const lines = (change: OwnedChange) => fileDifferences(fs, plan.tree, change);
  const text = publishText(plan, { files, lines: diff ? lines : undefined });
  const services = plan.tree.changes.some(({ path }) => path.startsWith('etc/'));
  return {
    warnings: [
      ...plan.warnings,
      ...plan.findings.map(
        ({ rule, path, what, layers }) => `${rule}: ${path}: ${what}, in ${layerNames(layers)}`,
      ),
    ],
    lines: [
      ...text,
      plan.changes
        ? published
          ? `Published in ${displayPath(publishedTree(state))}`
          : 'Nothing was changed: this is what would be'
        : 'Nothing has changed since the last publish',
      ...(published && services
        ? [`mkroot serve tells its servers by itself; others have to be told: docs/publish.md says how`]
        : []),
    ],
    json: () => ({
      published,
      changes: plan.changes,
      directory: displayPath(publishedTree(state)),
      nodes: plan.nodes,
      layers: plan.layers.map(({ name, kind, version, there, differences, withoutIdentity }) => ({
        name,
        kind,
        version: version.id,
        directory: displayPath(version.layer),
        new: !there,
        newIdentity: withoutIdentity !== undefined,
        differences: differences.map((one) => ({ ...one, path: displayPath(one.path) })),
      })),
      persistent: plan.persistent.map(({ node, path, directory }) => ({
        node,
        path: displayPath(path),
        directory: displayPath(directory),
      })),
      initrds: plan.initrds.map(({ image, drivers }) => ({
        image: image.name,
        generation: image.generation,
        ...(image.further === undefined ? {} : { kernel: image.further }),
        drivers,
        path: displayPath(image.initrd),
      })),
      tops: plan.tops.map((top) => ({ ...top, path: displayPath(top.path) })),
      files: plan.tree.changes.map(({ path, change, conflict }) => ({
        path: displayPath(path),
        change,
        ...(conflict === undefined ? {} : { conflict }),
      })),
      unchanged: plan.tree.unchanged,
      findings: plan.findings,
      warnings: plan.warnings,
    }),
  };
}
