import { toBytePath } from '../ports/byte-path.js';
import type { LayerFinding } from './layer-rules.js';
import type { Allowance } from './overlay-settings.js';
import { matchesPath } from './path-pattern.js';
import type { Overlay } from './read-overlay.js';

/** Takes out of findings what overlays allow (`allow` in overlay.yaml), and knows which allowances were of use. */
export class Allowances {
  readonly #used = new Set<Allowance>();

  /** The findings that no overlay allows. An overlay speaks for its own files only. */
  without(findings: readonly LayerFinding[], overlays: readonly Overlay[]): LayerFinding[] {
    if (overlays.every(({ settings }) => settings.allow.length === 0)) return [...findings];
    return findings.filter((finding) => {
      const allowed = overlays
        .filter(({ label }) => finding.origin === label || finding.origin.startsWith(`${label}/`))
        .flatMap(({ settings }) => settings.allow.filter((allowance) => allows(allowance, finding)));
      for (const allowance of allowed) this.#used.add(allowance);
      return allowed.length === 0;
    });
  }

  /** Indexes of an overlay's allowances that have allowed nothing. */
  idle({ settings }: Overlay): number[] {
    return settings.allow.flatMap((allowance, index) => (this.#used.has(allowance) ? [] : [index]));
  }
}

function allows({ rule, path }: Allowance, finding: LayerFinding): boolean {
  return (
    rule === finding.rule && (path === undefined || matchesPath(toBytePath(path), toBytePath(finding.path)))
  );
}
