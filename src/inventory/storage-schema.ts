import { z } from 'zod';

/** ext4 holds 16 bytes. */
const diskLabel = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,16}$/, 'is no label of an ext4 (letters, digits and . _ -, at most 16)');

/** Where the writes of a node go. */
export const writableTopSchema = z.strictObject({
  kind: z
    .enum(['tmpfs', 'disk', 'image'])
    .optional()
    .describe(
      'Where writes go: tmpfs (default) is memory, empty at each boot; disk is an ext4 on a local disk, found by its label; image is an ext4 in a file of its own on the NFS server. The last two keep what is written as long as the generation stays.',
    ),
  label: diskLabel.optional().describe('Of the disk.'),
  size: z
    .string()
    .regex(/^\d+[kmg%]?$/i, 'is not a size: a number with k, m, g or %')
    .optional()
    .describe(
      'Limit of its size: a number with k, m, g or %; half of the memory by default. Of an image the size that it is made with, 4g by default and without %.',
    ),
  inodes: z
    .string()
    .regex(/^\d+[kmg]?$/i, 'is not a number with k, m or g')
    .optional()
    .describe('Limit of the number of files.'),
});

/** A local disk that is partitioned at the first boot. */
export const diskSchema = z.strictObject({
  device: z
    .string()
    .regex(
      /^([hsv]d[a-z]{1,2}|xvd[a-z]|nvme\d{1,3}n\d{1,3}|mmcblk\d{1,2})$/,
      'is not what the kernel calls a whole disk, such as sda or nvme0n1',
    )
    .describe('The whole disk as the kernel calls it: sda, nvme0n1. No other disk is ever partitioned.'),
  swap: z
    .string()
    .regex(/^\d+[kmg]$/i, 'is not a size: a number with k, m or g')
    .optional()
    .describe('Size of a swap partition, which is used from the first boot on: a number with k, m or g.'),
  scratch: diskLabel
    .optional()
    .describe('Label of an ext4 on all the rest, for writableTop (kind disk) or a line of fstab.'),
  consent: z
    .string()
    .regex(/^(if-empty|yes-wipe-[a-z0-9]+)$/, 'is neither if-empty nor yes-wipe-DEVICE')
    .optional()
    .describe(
      'Without it the node only says what it would do. if-empty: a disk that holds nothing is partitioned. yes-wipe-DEVICE, with the name of the device: so is one that holds something, ALL OF WHICH IS LOST; partitions that mkroot made stay.',
    ),
});
