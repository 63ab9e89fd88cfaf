import type { Site } from '../../inventory/load-inventory.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { findTargets, openComposer } from '../layers/open-composer.js';
import { lintLayers } from '../layers/render-layers.js';
import { type SiteFinding, SiteFindings } from './site-findings.js';

/** Which layers of a site to look at. */
export interface TargetsToLint {
  readonly site: Site;
  readonly state: BytePath;
  /** Nodes (n017, n[001-128]) and groups; none for all of them. */
  readonly names: readonly string[];
}

/** What is wrong with layers, and what could not be looked at. */
export interface TargetsReport {
  readonly findings: readonly SiteFinding[];
  /** Overlays that have no part in any layer, because their overlay.yaml cannot be read. */
  readonly unreadOverlays: readonly string[];
  /** Images below the layers that were never built: nothing could be compared with them. */
  readonly missingImages: readonly string[];
}

/**
 * Looks at the layers of nodes and groups and at the images below them. Those with broken templates are put together as far as that
 * goes: no mistake hides another. Writes nothing.
 * @throws MkrootError InvalidInput with every problem of nodes.yaml; NotFound for a name that it does not have.
 */
export function lintTargets(fs: ReadFileSystem, { site, state, names }: TargetsToLint): TargetsReport {
  const findings = new SiteFindings();
  const composer = openComposer(fs, site, state, undefined, (problems) => findings.problems(problems));
  const { inventory } = composer.site;
  const targets =
    names.length > 0
      ? findTargets(composer, names)
      : {
          // Without an image there is no layer, and nobody has asked for it.
          groups: [...inventory.groups.keys()].filter((group) => composer.imageOf(group) !== undefined),
          nodes: composer.values.nodes,
        };
  findings.layers(lintLayers(composer, targets));
  return {
    findings: findings.list(),
    unreadOverlays: composer.unreadOverlays,
    missingImages: composer.missingImages(),
  };
}
