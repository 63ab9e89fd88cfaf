/** `\xFD7zXZ\0`, the first bytes of a stream, and `YZ`, its last. */
const HEADER_MAGIC = Buffer.from('\xfd7zXZ\0', 'latin1');
const FOOTER_MAGIC = Buffer.from('YZ', 'latin1');

/** Bytes of a stream's header, and of its footer. */
const FRAME = 12;

/**
 * How many bytes an .xz file holds once unpacked, from the index at its end ("The .xz File Format" 1.2, sections 2.1.2
 * and 4). Undefined if it is no complete .xz file, so that a truncated one is noticed, and named, before anything is run.
 */
export function xzUnpackedSize(file: Uint8Array): number | undefined {
  const data = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let total = 0;
  let end = data.length;
  if (end === 0) return undefined;
  while (end > 0) {
    while (end >= 4 && data.readUInt32LE(end - 4) === 0) end -= 4; // stream padding
    const stream = streamBefore(data, end);
    if (stream === undefined) return undefined;
    total += stream.unpacked;
    end = stream.start;
  }
  return total;
}

function streamBefore(data: Buffer, end: number): { start: number; unpacked: number } | undefined {
  if (end < 2 * FRAME || !data.subarray(end - 2, end).equals(FOOTER_MAGIC)) return undefined;
  const indexSize = (data.readUInt32LE(end - 8) + 1) * 4;
  const indexStart = end - FRAME - indexSize;
  if (indexStart < FRAME || data[indexStart] !== 0) return undefined;
  let at = indexStart + 1;
  const nextInteger = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63 && at < end - FRAME; shift += 7) {
      const byte = data[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  let packed = 0;
  let unpacked = 0;
  for (let records = nextInteger(); records > 0; records -= 1) {
    packed += Math.ceil(nextInteger() / 4) * 4;
    unpacked += nextInteger();
    if (Number.isNaN(packed + unpacked)) return undefined;
  }
  const start = indexStart - packed - FRAME;
  if (!(start >= 0) || !data.subarray(start, start + HEADER_MAGIC.length).equals(HEADER_MAGIC)) {
    return undefined;
  }
  return { start, unpacked };
}
