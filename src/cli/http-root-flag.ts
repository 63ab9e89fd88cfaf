import { Flags } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';

/**
 * The option --http-root of `mkroot publish` and `mkroot netboot write`; its value goes through {@link checkHttpRoot}, since oclif
 * puts words of its own around an error of a flag's parser.
 * @param description what it is for.
 */
export function httpRootFlag(description: string) {
  return Flags.string({
    description,
    helpValue: 'URL',
  });
}

/** @throws MkrootError Usage for what is no http:// or https:// URL without query. */
export function checkHttpRoot(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && /^https?:\/\/[^?#]*$/.test(text)) return text;
  throw new MkrootError(`Cannot use --http-root "${text}": it is no http:// or https:// URL`, {
    exitCode: ExitCode.Usage,
    hint: 'Write it as in: --http-root http://10.1.0.1:8080/',
  });
}
