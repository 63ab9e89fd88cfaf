/** What udev loads for processor and board, and no node needs: translated by QEMU it takes as long as the rest of the boot. */
const IDLE_MODULES = [
  ...['aesni_intel', 'cryptd', 'crc32c_intel', 'crc32_pclmul', 'crct10dif_pclmul', 'ghash_clmulni_intel'],
  ...[
    'polyval_clmulni',
    'sha1_ssse3',
    'sha256_ssse3',
    'sha512_ssse3',
    'kvm',
    'kvm_amd',
    'ccp',
    'powernow_k8',
  ],
  ...[
    'ahci',
    'libahci',
    'i2c_i801',
    'lpc_ich',
    'iTCO_wdt',
    'psmouse',
    'evdev',
    'pcspkr',
    'serio_raw',
    'rapl',
  ],
];

/** A word of the kernel's command line that leaves them out. */
export const WITHOUT_IDLE_MODULES = `modprobe.blacklist=${IDLE_MODULES.join(',')}`;
