/**
 * Modules that a driver needs for its devices to become network devices, and that no modules.dep, softdep or weakdep names: the driver asks for
 * them, or makes devices of its own that they drive, when it has seen what its card is.
 */
const REQUESTS: Readonly<Record<string, readonly string[]>> = {
  // A port is Ethernet or InfiniBand (drivers/net/ethernet/mellanox/mlx4/main.c, mlx4_request_modules; an auxiliary device since Linux 6.7).
  mlx4_core: ['mlx4_en'],
  // The engine of the card and of its virtual functions (drivers/net/ethernet/hisilicon/hns3).
  hns3: ['hclge', 'hclgevf'],
};

/** Names of modules to ship with a driver, for the kernel to ask for. */
export function requestedAtRunTime(driver: string): readonly string[] {
  return Object.hasOwn(REQUESTS, driver) ? REQUESTS[driver]! : [];
}
