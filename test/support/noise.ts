/** Bytes that are nothing; the same each time. */
export const NOISE = Buffer.from(
  Array.from({ length: 3000 }, (_, index) => (index * 7919 + (index >> 3) * 31) & 0xff),
);
