import { Drop, Liquid, type LiquidError, type Template } from 'liquidjs';
import type { Problem } from '../decode/problem.js';
import { MkrootError } from '../errors.js';
import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { Sysroot } from '../rootfs/sysroot.js';

/** Files of an overlay that end in this are templates; the suffix is not part of the name in the layer. */
export const TEMPLATE_SUFFIX = '.liquid';

/** Directory in an overlay's top with what its templates include; it is not part of the layer. */
export const PARTIALS_DIRECTORY = '.partials';

/** Values that templates may use, by name. */
export type TemplateVariables = Readonly<Record<string, unknown>>;

/** What a template came to: its text, or everything that is wrong with it. */
export type Rendered = { readonly text: string } | { readonly problems: readonly Problem[] };

/** A template must end by itself: milliseconds, bytes of templates, and objects made while rendering. */
const LIMITS = { renderLimit: 5_000, parseLimit: 8e6, memoryLimit: 5e7 };

/** Files that include each other deeper than this do so without end. */
const MAX_DEPTH = 50;

const ENDLESS = 'the files that it includes include each other without end';

/** Filters of Liquid whose result depends on when and how often they are asked. */
const CLOCK_AND_DICE = [
  'date',
  'date_to_xmlschema',
  'date_to_rfc822',
  'date_to_string',
  'date_to_long_string',
  'sample',
];

/**
 * The templates of one overlay. The language is Liquid: values, conditions, loops, filters, and nothing that runs code. An
 * unknown variable or filter is an error. `include` and `render` find files of the overlay's own .partials directory only.
 * The same values give the same text: there is no clock and no chance.
 */
export class OverlayTemplates {
  readonly #liquid: Liquid;
  readonly #parsed = new Map<BytePath, Template[] | readonly Problem[]>();
  /** Where a text came from: errors of an included file name its text only. */
  readonly #files = new Map<string, string>();

  /**
   * @param label the overlay's directory as the user knows it, for messages.
   */
  constructor(
    private readonly fs: ReadFileSystem,
    private readonly directory: BytePath,
    private readonly label: string,
  ) {
    this.#liquid = this.#engine();
  }

  /** @param see is shown every partial that is read. */
  #engine(see?: (text: string, file: string) => void): Liquid {
    const liquid = new Liquid({
      strictVariables: true,
      strictFilters: true,
      ownPropertyOnly: true,
      catchAllErrors: true,
      relativeReference: false,
      root: ['/'],
      cache: true,
      timezoneOffset: 0,
      fs: this.#partials(see),
      ...LIMITS,
    });
    for (const filter of CLOCK_AND_DICE) liquid.registerFilter(filter, refused(filter));
    liquid.registerFilter('shellquote', shellQuoted);
    return liquid;
  }

  /** @param path of the template in the overlay, such as /etc/hosts.liquid. */
  render(path: BytePath, variables: TemplateVariables): Rendered {
    const file = `${this.label}${displayPath(path)}`;
    const parsed = this.#parse(path, file);
    if (isProblems(parsed)) return { problems: this.#behindFilters(path, file, variables, parsed) };
    try {
      return { text: String(this.#liquid.renderSync(parsed, variables)) };
    } catch (error) {
      return { problems: this.#behindFilters(path, file, variables, this.#problems(error, file)) };
    }
  }

  /**
   * All problems, if some of them are unknown filters: these end the parsing of the tag and the block that they stand in, so that
   * what else is wrong shows only once there are filters of these names.
   */
  #behindFilters(
    path: BytePath,
    file: string,
    variables: TemplateVariables,
    problems: readonly Problem[],
  ): readonly Problem[] {
    if (!problems.some(isUnknownFilter)) return problems;
    const found: Problem[] = [];
    const add = (text: string, from: string) => {
      found.push(...this.#unknownFilters(liquid, text, from));
    };
    const liquid = this.#engine(add);
    try {
      const text = this.#read(`${this.directory}${path}`, file);
      add(text, file);
      liquid.parseAndRenderSync(text, variables);
    } catch (error) {
      found.push(...this.#problems(error, file));
    }
    return inOrder(found);
  }

  /** Finds the unknown filters of a text, and gives the engine filters of these names. */
  #unknownFilters(liquid: Liquid, text: string, file: string): Problem[] {
    const found: Problem[] = [];
    for (let unknown = this.#newFilters(liquid, text, file); unknown.length > 0; ) {
      found.push(...unknown);
      for (const { message } of unknown) liquid.registerFilter(message.split(' ').at(-1)!, () => ANYTHING);
      unknown = this.#newFilters(liquid, text, file);
    }
    return found;
  }

  #newFilters(liquid: Liquid, text: string, file: string): Problem[] {
    try {
      liquid.parse(text, file);
      return [];
    } catch (error) {
      return this.#problems(error, file).filter(isUnknownFilter);
    }
  }

  #parse(path: BytePath, file: string): Template[] | readonly Problem[] {
    let parsed = this.#parsed.get(path);
    if (parsed === undefined) {
      try {
        const text = this.#read(`${this.directory}${path}`, file);
        parsed = this.#liquid.parse(text, file);
      } catch (error) {
        parsed = this.#problems(error, file);
      }
      this.#parsed.set(path, parsed);
    }
    return parsed;
  }

  #read(hostPath: BytePath, file: string): string {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(this.fs.readFile(hostPath));
      this.#files.set(text, file);
      return text;
    } catch (cause) {
      if (cause instanceof MkrootError) throw cause;
      throw new MkrootError('it is not UTF-8 text', { cause });
    }
  }

  /** What `include` sees: paths are resolved as if .partials were the root directory, so nothing leads out of it. */
  #partials(see?: (text: string, file: string) => void) {
    const root = new Sysroot(this.fs, `${this.directory}/${PARTIALS_DIRECTORY}`);
    const find = (name: string) => {
      const found = root.resolve(toBytePath(name));
      return found?.stat.kind === 'file' ? found : undefined;
    };
    const textOf = (found: { hostPath: BytePath } | undefined) =>
      found === undefined ? '' : Buffer.from(this.fs.readFile(found.hostPath)).toString('utf8');
    const read = (name: string) => {
      const found = find(name);
      if (found === undefined) throw new Error(`there is no ${PARTIALS_DIRECTORY}${name}`);
      if (includesItself(name, (one) => textOf(find(one)))) throw new Error(ENDLESS);
      const file = `${this.label}/${PARTIALS_DIRECTORY}${displayPath(found.path)}`;
      const text = this.#read(found.hostPath, file);
      see?.(text, file);
      return text;
    };
    return {
      resolve: (_directory: string, name: string) => partialPath(name),
      existsSync: (name: string) => find(name) !== undefined,
      readFileSync: read,
      exists: async (name: string) => find(name) !== undefined,
      readFile: async (name: string) => read(name),
    };
  }

  /** Every error that liquid gathered; those of included files are wrapped in that of the tag that included them. */
  #problems(error: unknown, file: string, depth = 0): Problem[] {
    if (!(error instanceof Error)) throw error;
    if (depth > MAX_DEPTH)
      return [{ position: { file, line: 1, column: 1 }, message: ENDLESS, rule: 'endless-include' }];
    const gathered = (error as { errors?: readonly Error[] }).errors;
    if (gathered !== undefined) return gathered.flatMap((one) => this.#problems(one, file, depth + 1));
    const { originalError, token } = error as Partial<LiquidError>;
    if (
      originalError !== undefined &&
      !(originalError.name.startsWith('Internal') || !isLiquid(originalError))
    ) {
      return this.#problems(originalError, file, depth + 1);
    }
    const [line, column] = (token as { getPosition?(): [number, number] } | undefined)?.getPosition?.() ?? [
      1, 1,
    ];
    const input = (token as { input?: string } | undefined)?.input;
    return [
      {
        position: { file: (input === undefined ? undefined : this.#files.get(input)) ?? file, line, column },
        ...describe(originalError ?? error),
      },
    ];
  }
}

/** What an unknown filter comes to: it has whatever it is asked for, so that nothing more is wrong because of it. */
class Anything extends Drop {
  override liquidMethodMissing(): this {
    return this;
  }
  override valueOf(): this {
    return this;
  }
  override toString(): string {
    return '';
  }
  *[Symbol.iterator](): Iterator<this> {
    yield this;
  }
}

const ANYTHING = new Anything();

function isUnknownFilter({ rule }: Problem): boolean {
  return rule === 'unknown-filter';
}

/** File by file in the order of the lines, each problem once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...distinct.values()].sort(
    ({ position: a }, { position: b }) =>
      (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

function isProblems(parsed: Template[] | readonly Problem[]): parsed is readonly Problem[] {
  return parsed.length > 0 && 'position' in parsed[0]!;
}

function isLiquid(error: Error): boolean {
  return 'token' in error || 'errors' in error;
}

function describe(error: Error): Pick<Problem, 'message' | 'rule'> {
  if (error instanceof RangeError) return { message: ENDLESS, rule: 'endless-include' };
  const text = error.message.replace(/, (file:[^,]*, )?line:\d+, col:\d+$/, '');
  const missing = /^ENOENT: Failed to lookup "([^"]*)"/.exec(text)?.[1];
  if (missing !== undefined) {
    const message = `there is no file "${missing}" in ${PARTIALS_DIRECTORY}/ of the overlay`;
    return { message, rule: 'missing-partial' };
  }
  if (/limit exceeded/.test(text)) {
    return { message: `it takes too long or too much memory (${text})`, rule: 'endless-template' };
  }
  if (text === ENDLESS) return { message: text, rule: 'endless-include' };
  const unknown = /^undefined (variable|filter): /.exec(text)?.[1];
  if (unknown === undefined) return { message: text, rule: 'bad-template' };
  return { message: text.replace(/^undefined (\w+): /, 'unknown $1 '), rule: `unknown-${unknown}` };
}

function refused(filter: string): () => never {
  return () => {
    throw new Error(`the filter ${filter} is not there: the same values must give the same text`);
  };
}

/** A value as one word of a POSIX shell. */
function shellQuoted(value: unknown): string {
  return `'${String(value).replaceAll("'", "'\\''")}'`;
}

/** Whether following the names that stand in quotes leads from a file to itself. */
function includesItself(start: string, textOf: (name: string) => string): boolean {
  const seen = new Set<string>();
  const pending = [start];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const [, next = ''] of textOf(name).matchAll(
      /\{%-?\s*(?:include|render|layout)\s+["']([^"']+)["']/g,
    )) {
      const path = partialPath(next);
      if (path === start) return true;
      if (!seen.has(path)) pending.push(path);
      seen.add(path);
    }
  }
  return false;
}

function partialPath(name: string): string {
  return `/${name.replace(/^\/+/, '')}`;
}
