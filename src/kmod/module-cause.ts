/** Why a module or a firmware file is in the image. */
export type ModuleCause =
  | { readonly kind: 'requested'; readonly by: string }
  | { readonly kind: 'dependency' | 'softdep' | 'weakdep' | 'phy' | 'firmware'; readonly of: string };

/** The cause in words, as `--explain` prints it. */
export function describeCause(cause: ModuleCause): string {
  switch (cause.kind) {
    case 'requested':
      return `requested by ${cause.by}`;
    case 'phy':
      return `PHY family of ${cause.of}`;
    default:
      return `${cause.kind} of ${cause.of}`;
  }
}
