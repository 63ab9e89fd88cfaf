import type { MkrootError } from '../../../src/errors.js';
import { DirectoryView, type LayerView, StackView } from '../../../src/layers/layer-view.js';
import type { TemplateVariables } from '../../../src/layers/overlay-templates.js';
import { type Overlay, readOverlay } from '../../../src/layers/read-overlay.js';
import { type RenderedOverlay, renderOverlay } from '../../../src/layers/render-overlay.js';
import type { FileSystem } from '../../../src/ports/file-system.js';

/** The accounts of a root with munge. */
export const ACCOUNTS = {
  users: new Map([
    ['root', { uid: 0, gid: 0, home: '/root' }],
    ['munge', { uid: 105, gid: 110, home: '/nonexistent' }],
  ]),
  groups: new Map([
    ['root', 0],
    ['shadow', 42],
    ['munge', 110],
  ]),
};

/** An overlay in /site/overlays/NAME; fails if it cannot be read. */
export function overlayOf(fs: FileSystem, name = 'cluster'): Overlay {
  const overlay = readOverlay(fs, {
    name,
    directory: `/site/overlays/${name}`,
    label: `overlays/${name}`,
  });
  if ('problems' in overlay) throw new Error(overlay.problems.map(({ message }) => message).join('\n'));
  return overlay;
}

/** Renders the overlay `cluster` over the root in /base. */
export function render(
  fs: FileSystem,
  variables: TemplateVariables = {},
  below: LayerView = baseView(fs),
): RenderedOverlay {
  return renderOverlay(fs, overlayOf(fs), { variables, accounts: ACCOUNTS, below });
}

/** The root in /base, if there is one. */
export function baseView(fs: FileSystem): LayerView {
  return fs.lstat('/base') === undefined ? new StackView([]) : new DirectoryView(fs, '/base');
}

/** Problems as the user reads them. */
export function problemLines({ problems }: Pick<RenderedOverlay, 'problems'>): string[] {
  return problems.map(
    ({ position: { file, line, column }, message }) => `${file}:${line}:${column}: ${message}`,
  );
}

/** The message of an error, with its details. */
export function words(error: unknown): string {
  const { message, details } = error as MkrootError;
  return [message, ...details].join('\n');
}
