import { MkrootError } from '../../errors.js';
import type { ServeEvent } from '../../serving/serve-event.js';
import type { Publication } from './watch-publish.js';

/** What makes servers read their changed configuration. */
export interface Reload {
  readonly dnsmasq: () => Promise<void>;
  readonly nfs: () => Promise<void>;
}

/**
 * Something was published: servers whose configuration changed are told. One that cannot be told is warned of: it may have ended, and reads
 * the new one when it is started again, and the others go on in any case.
 */
export async function followPublication(
  { site, at, changed, warnings }: Publication,
  reload: Reload,
  onEvent: (event: ServeEvent) => void,
): Promise<void> {
  onEvent({ event: 'published', published: at, nodes: site.nodes.length });
  for (const message of warnings) onEvent({ event: 'warning', message });
  const tell = async (server: string, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof MkrootError)) throw error;
      onEvent({
        event: 'warning',
        message: `${server} was not told of what was published: ${error.message}`,
      });
    }
  };
  if (changed.has('exports') || changed.has('ganesha/ganesha.conf')) await tell('NFS', reload.nfs);
  if (changed.has('dnsmasq.conf')) await tell('dnsmasq', reload.dnsmasq);
}
