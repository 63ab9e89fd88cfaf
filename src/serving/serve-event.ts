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
    }
  | {
      readonly event: 'service';
      readonly service: string;
      readonly state: 'ready' | 'ended' | 'failed' | 'stopped' | 'reloaded';
      readonly detail: string;
    }
  | { readonly event: 'warning'; readonly message: string };

/** The event as a line for people; undefined where there is nothing to say. */
export function eventText(event: ServeEvent): string {
  switch (event.event) {
    case 'ready':
      return `ready: DHCP and TFTP on ${event.interfaces.join(', ') || event.address}, NFS by ${event.nfs}, HTTP at ${event.http}`;
    case 'service':
      return `${event.service}: ${event.state}${event.detail === '' ? '' : ` (${event.detail})`}`;
    case 'warning':
      return `warning: ${event.message}`;
  }
}
