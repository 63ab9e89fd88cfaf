/** Ways in which the root comes to a node as one file: what the file is, and how it is had. */
export const IMAGE_TRANSPORTS = ['squashfs-nfs', 'squashfs-http', 'erofs-nfs', 'erofs-http'] as const;

/** One of {@link IMAGE_TRANSPORTS}. */
export type ImageTransport = (typeof IMAGE_TRANSPORTS)[number];

/** What the name of a transport says. */
export interface ImageTransportParts {
  readonly format: 'squashfs' | 'erofs';
  /** Fetched into memory; otherwise mounted where it lies. */
  readonly http: boolean;
}

/** Takes the name of a transport apart. */
export function imageTransportParts(transport: ImageTransport): ImageTransportParts {
  return {
    format: transport.startsWith('erofs') ? 'erofs' : 'squashfs',
    http: transport.endsWith('http'),
  };
}
