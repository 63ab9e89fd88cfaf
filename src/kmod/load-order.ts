/** What an ordering needs to know of a module. */
export interface Ordered {
  readonly name: string;
  /** Modules that must be loaded before. */
  readonly hard: readonly string[];
  /** Modules that should be loaded before, and after. */
  readonly pre: readonly string[];
  readonly post: readonly string[];
}

/** Every module that one needs, direct or not. */
export function hardClosure(
  modules: ReadonlyMap<string, Pick<Ordered, 'hard'>>,
  name: string,
): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...(modules.get(name)?.hard ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    pending.push(...(modules.get(next)?.hard ?? []));
  }
  return found;
}

/**
 * Names in an order in which they can be loaded: each after what it depends on, and, where no dependency or cycle is in the
 * way, after its `pre` and before its `post` softdeps. Names that are not in the map are passed over. The order follows
 * the roots and each module's own lists, so it is the same every time.
 */
export function loadOrder(modules: ReadonlyMap<string, Ordered>, roots: readonly string[]): string[] {
  const order = new Set<string>();
  const started = new Set<string>();
  const needs = new Map<string, ReadonlySet<string>>();

  const needsOf = (name: string): ReadonlySet<string> => {
    const found = needs.get(name) ?? hardClosure(modules, name);
    needs.set(name, found);
    return found;
  };
  /** A softdep that itself needs something whose turn has come but which is not loaded yet has to wait for it. */
  const mustWait = (name: string) => [...needsOf(name)].some((need) => started.has(need) && !order.has(need));

  const visit = (name: string) => {
    const module = modules.get(name);
    if (module === undefined || started.has(name)) return;
    started.add(name);
    for (const need of module.hard) visit(need);
    const later = module.pre.filter((softdep) => {
      if (mustWait(softdep)) return true;
      visit(softdep);
      return false;
    });
    order.add(name);
    for (const softdep of [...later, ...module.post]) {
      if (mustWait(softdep)) deferred.push(softdep);
      else visit(softdep);
    }
  };
  const deferred: string[] = [];
  for (const root of roots) {
    visit(root);
    for (let next = deferred.shift(); next !== undefined; next = deferred.shift()) visit(next);
  }
  return [...order];
}
