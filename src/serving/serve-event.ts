import type { NodeState } from './node-board.js';

/** What `mkroot serve` says while it runs: one JSON object per line with --json; docs/serve.md lists the fields. */
export type ServeEvent =
  | {
      readonly event: 'ready';
      readonly address: string;
      readonly interfaces: readonly string[];
      /** Which program answers NFS; `none` if somebody else does. */
      readonly nfs: string;
      /** URL below which files are served. */
      readonly http: string;
      /** ADDRESS:PORT that nodes report to; null if they are told not to, or to report elsewhere. */
      readonly reports: string | null;
    }
  | {
      readonly event: 'service';
      readonly service: string;
      readonly state: 'ready' | 'ended' | 'failed' | 'stopped' | 'reloaded';
      readonly detail: string;
    }
  | ({ readonly event: 'node' } & NodeState)
  | { readonly event: 'published'; readonly published: string; readonly nodes: number }
  | { readonly event: 'warning'; readonly message: string };

/** The event as a line for people. */
export function eventText(event: ServeEvent): string {
  switch (event.event) {
    case 'ready':
      return `ready: ${event.interfaces.length === 0 ? 'no DHCP' : `DHCP and TFTP on ${event.interfaces.join(', ')}`}, NFS by ${event.nfs}, HTTP at ${event.http}, reports at ${event.reports ?? 'none'}`;
    case 'service':
      return `${event.service}: ${event.state}${event.detail === '' ? '' : ` (${event.detail})`}`;
    case 'node':
      return `${event.node}: ${stateText(event)}${event.detail === '' ? '' : ` (${event.detail})`}`;
    case 'published':
      return `published at ${event.published}: ${event.nodes} nodes`;
    case 'warning':
      return `warning: ${event.message}`;
  }
}

/** Phase and stage as people read them: `50 base`, `FAILED 50 base`, `up`. */
export function stateText({ phase, stage }: Pick<NodeState, 'phase' | 'stage'>): string {
  const at = stage === undefined ? '' : `${stage.number} ${stage.name}`;
  if (phase === 'failed') return `FAILED ${at}`;
  if (phase === 'trouble') return `${at}, trying`;
  return phase === 'init' ? at : phase;
}
