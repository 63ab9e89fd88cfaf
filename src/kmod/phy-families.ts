/**
 * PHY and MDIO modules that a network driver asks for at run time. The bus scan reads the PHY's id and calls
 * `request_module("mdio:…")` (drivers/net/phy/phy_device.c); which one answers depends on the board, so modules.dep cannot
 * know. Without it the generic driver takes over, and chips that need fixups lose the link. Names that a kernel does not
 * have are passed over: they are built in, or newer than the kernel.
 */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  // Broadcom
  tg3: ['broadcom', 'bcm_phy_lib'],
  b44: ['broadcom', 'bcm_phy_lib'],
  bgmac: ['broadcom', 'bcm_phy_lib'],
  genet: ['broadcom', 'bcm7xxx', 'bcm_phy_lib', 'mdio_bcm_unimac'],
  bcmsysport: ['broadcom', 'bcm7xxx', 'bcm_phy_lib', 'mdio_bcm_unimac'],
  // Realtek
  r8169: ['realtek'],
  // Intel: only the embedded ixgbe chips (X550EM_A) look for an external PHY
  ixgbe: ['marvell', 'marvell10g'],
  // AMD
  amd_xgbe: ['amd', 'marvell', 'broadcom', 'bcm_phy_lib'],
  // Agere, RDC, SMSC, Adaptec: one PHY family each
  et131x: ['et1011c'],
  r6040: ['icplus', 'davicom', 'realtek'],
  smsc9420: ['smsc'],
  smsc911x: ['smsc'],
  smsc95xx: ['smsc'],
  // Microchip
  lan743x: ['microchip', 'micrel', 'marvell', 'vitesse', 'fixed_phy'],
  lan78xx: ['microchip', 'micrel', 'fixed_phy'],
  // ASIX and other USB
  asix: ['ax88796b', 'realtek'],
  ax88179_178a: ['realtek'],
  // Synopsys: the board decides
  stmmac: ['realtek', 'marvell', 'motorcomm', 'micrel', 'at803x', 'broadcom'],
  dwmac_intel: ['marvell', 'marvell10g', 'realtek'],
  dwmac_rk: ['realtek', 'motorcomm', 'rockchip'],
  dwmac_sun8i: ['realtek', 'mdio_mux', 'motorcomm', 'icplus'],
  dwmac_meson8b: ['realtek', 'meson_gxl', 'mdio_mux_meson_g12a', 'mdio_mux_meson_gxl'],
  dwmac_qcom_ethqos: ['micrel', 'marvell', 'realtek'],
  // Freescale and NXP
  fec: ['at803x', 'micrel', 'realtek', 'smsc', 'adin', 'dp83867'],
  fsl_enetc: ['at803x', 'realtek', 'vitesse', 'mscc'],
  fsl_dpaa2_eth: ['aquantia', 'at803x', 'realtek', 'vitesse', 'xgmac_mdio', 'marvell10g'],
  // Marvell
  mvneta: ['marvell', 'mvmdio'],
  mvpp2: ['marvell', 'marvell10g', 'mvmdio'],
  // ARM servers
  xgene_enet: ['realtek', 'mdio_xgene', 'marvell'],
  hns_enet_drv: ['marvell', 'hns_mdio', 'realtek'],
  hisi_femac: ['mdio_hisi_femac', 'realtek'],
  thunder_bgx: ['mdio_thunder', 'marvell', 'broadcom', 'cortina'],
  qcom_emac: ['at803x'],
  netsec: ['realtek', 'micrel'],
  // Cadence (Raspberry Pi 5's RP1, Zynq, SiFive)
  macb: ['broadcom', 'bcm_phy_lib', 'mscc', 'micrel', 'marvell', 'dp83867'],
  // MediaTek and Texas Instruments
  mtk_eth: ['mediatek_ge', 'mtk_ge', 'mtk_ge_soc', 'realtek', 'airoha'],
  mtk_star_emac: ['realtek', 'smsc'],
  ti_am65_cpsw_nuss: ['dp83867', 'dp83869', 'micrel', 'davinci_mdio'],
  icssg_prueth: ['dp83867', 'dp83869', 'micrel'],
};

/** What boards carry most often; for a driver that uses the PHY library and is not in the table. */
const COMMON = ['realtek', 'marvell', 'broadcom', 'micrel', 'smsc', 'at803x'];

/** The libraries that make a driver one that asks for PHY modules. */
const LIBRARIES = ['libphy', 'phylink'];

/** Drivers under these directories are network cards; PHY drivers and the like are not. */
const NETWORK_CARD = /(^|\/)drivers\/net\/(ethernet|usb|dsa)\//;

/**
 * PHY and MDIO modules to ship with a driver.
 * @param relative path of the driver below the modules directory
 * @param dependencies every module that it needs, direct or not
 */
export function phyFamilyOf(
  name: string,
  relative: string,
  dependencies: ReadonlySet<string>,
): readonly string[] {
  if (Object.hasOwn(FAMILIES, name)) return FAMILIES[name]!;
  if (!NETWORK_CARD.test(relative)) return [];
  // A driver that sits on another one of the table (dwmac-* on stmmac, nicvf on thunder_bgx) gets that one's family.
  const below = [...dependencies].find((dependency) => Object.hasOwn(FAMILIES, dependency));
  if (below !== undefined) return FAMILIES[below]!;
  return LIBRARIES.some((library) => dependencies.has(library)) ? COMMON : [];
}
