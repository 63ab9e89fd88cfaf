/** The lines of a file's bytes without their ends, as views of the same memory: no text is made of what nobody looks at. */
export function bufferLines(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const lines: Buffer[] = [];
  for (let from = 0; from < buffer.length; ) {
    const end = buffer.indexOf(0x0a, from);
    const to = end < 0 ? buffer.length : end;
    lines.push(buffer.subarray(from, to));
    from = to + 1;
  }
  return lines;
}
