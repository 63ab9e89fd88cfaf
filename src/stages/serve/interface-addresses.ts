import { MkrootError } from '../../errors.js';
import type { ProcessRunner } from '../../ports/process-runner.js';

/**
 * IPv4 addresses of a network interface by ip(8), also of one that has no link; undefined if there is none of that name.
 * @throws MkrootError ToolFailed for an ip that does not speak JSON (iproute2 before 4.14).
 */
export async function interfaceAddresses(
  runner: ProcessRunner,
  name: string,
): Promise<readonly string[] | undefined> {
  const { exitCode, stdout } = await runner.run({
    argv: ['ip', '-json', '-4', 'address', 'show', 'dev', name],
    accept: 'any',
  });
  if (exitCode !== 0) return undefined;
  return addressesIn(Buffer.from(stdout).toString('utf8'), name);
}

interface Interface {
  readonly addr_info?: readonly { readonly local?: string }[];
}

function addressesIn(text: string, name: string): readonly string[] {
  try {
    // An interface without addresses is an empty list, or one with an empty object.
    const interfaces = JSON.parse(text.trim() === '' ? '[]' : text) as readonly Interface[];
    return interfaces.flatMap(({ addr_info: all = [] }) => all.flatMap(({ local }) => local ?? []));
  } catch (cause) {
    throw new MkrootError(`Cannot read the addresses of "${name}": ip -json answered something else`, {
      cause,
    });
  }
}
