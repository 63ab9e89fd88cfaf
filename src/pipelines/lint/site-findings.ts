import type { Severity } from '../../decode/finding.js';
import { type Position, positionText } from '../../decode/position.js';
import type { Problem } from '../../decode/problem.js';
import type { LayerRuleId } from '../../layers/layer-rules.js';
import type { SharedFinding } from '../layers/render-layers.js';
import { isSiteRule, SITE_RULES, type SiteRuleId } from './site-rules.js';

/** Something that is wrong with a site. */
export interface SiteFinding {
  readonly rule: SiteRuleId | LayerRuleId;
  readonly severity: Severity;
  /** For people: `file:line:column`, a file, a directory or an image. */
  readonly where: string;
  /** Absent where the finding is about more than a place in a text. */
  readonly position?: Position;
  /** What is the case, with the path inside the root that it is about, if there is one. */
  readonly what: string;
  readonly remedy: string;
  /** Names of the layers that have it, of a finding in layers. */
  readonly layers?: readonly string[];
}

/** Gathers findings; what is the same for many nodes, from one place of nodes.yaml, is told once. */
export class SiteFindings {
  readonly #found = new Map<string, { finding: SiteFinding; more: number }>();

  /** A finding at a place in a file. */
  at(rule: SiteRuleId, position: Position, what: string): void {
    this.#add(`${rule} ${positionText(position)} ${what}`, rule, positionText(position), what, position);
  }

  /** A finding about a node; others of the same kind from the same place are counted only. */
  ofNode(rule: SiteRuleId, position: Position, what: string): void {
    this.#add(`${rule} ${positionText(position)}`, rule, positionText(position), what, position);
  }

  /** A finding about a file or directory as a whole, or about an image. */
  about(rule: SiteRuleId, where: string, what: string): void {
    this.#add(`${rule} ${where} ${what}`, rule, where, what);
  }

  /** Problems that a decoder or a template told. */
  problems(problems: readonly Problem[]): void {
    for (const { rule, position, message } of problems) {
      this.at(isSiteRule(rule) ? rule : 'bad-document', position, message);
    }
  }

  /** Findings of the layer linter. */
  layers(findings: readonly SharedFinding[]): void {
    for (const { rule, severity, path, origin, line, what, remedy, layers } of findings) {
      const where = line === undefined ? origin : `${origin}:${line}`;
      const finding = { rule, severity, where, what: `${path}: ${what}`, remedy, layers };
      this.#found.set(`${rule} ${where} ${path} ${what}`, { finding, more: 0 });
    }
  }

  /** Errors first, then in the order in which they were found. */
  list(): SiteFinding[] {
    const all = [...this.#found.values()].map(({ finding, more }) =>
      more === 0 ? finding : { ...finding, what: `${finding.what}; the same for ${more} more` },
    );
    return [
      ...all.filter(({ severity }) => severity === 'error'),
      ...all.filter(({ severity }) => severity === 'warning'),
    ];
  }

  #add(key: string, rule: SiteRuleId, where: string, what: string, position?: Position): void {
    const known = this.#found.get(key);
    if (known !== undefined) {
      if (known.finding.what !== what) known.more += 1;
      return;
    }
    const { severity, remedy } = SITE_RULES[rule];
    const finding = { rule, severity, where, ...(position === undefined ? {} : { position }), what, remedy };
    this.#found.set(key, { finding, more: 0 });
  }
}
