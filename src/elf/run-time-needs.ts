import { posix } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Resolved, Sysroot } from '../rootfs/sysroot.js';
import type { ClosureCause } from './closure-cause.js';
import { DATA_RULES, type DataRule } from './data-rules.js';
import type { DlopenRequest, Priority } from './dlopen-notes.js';
import type { LoadedObject, ProcessImage } from './process-image.js';

/** How much of what programs open at run time is followed. */
export interface RunTimeOptions {
  /** The least important dlopen notes that are followed; default `recommended`. */
  readonly dlopen?: Priority | 'none';
  /** Default: {@link DATA_RULES}. */
  readonly dataRules?: readonly DataRule[];
}

/** A data file that a rule names. */
export interface NeededData {
  readonly file: Resolved;
  readonly cause: ClosureCause;
}

const RANK: Readonly<Record<Priority | 'none', number>> = {
  none: 0,
  required: 1,
  recommended: 2,
  suggested: 3,
};
/** Functions by which a program shows that it uses glibc's threads. */
const THREAD_FUNCTIONS = ['pthread_cancel', 'pthread_create', 'pthread_exit', 'thrd_create', 'thrd_exit'];
const LIBGCC = 'libgcc_s.so.1';

/** What a process opens while it runs, which no DT_NEEDED tells: dlopen notes, libgcc_s for threads, data rules. */
export class RunTimeNeeds {
  constructor(
    private readonly sysroot: Sysroot,
    private readonly options: RunTimeOptions,
    private readonly warn: (sentence: string) => void,
  ) {}

  /**
   * Loads the libraries into the image and returns the data files.
   * @param asked the path by which the program was asked for: rules know programs by that name too
   * @throws MkrootError if something required is missing.
   */
  follow(image: ProcessImage, asked: BytePath): NeededData[] {
    // Libraries that come in by a note or rule have notes of their own.
    let noted = 0;
    const followNotes = () => {
      for (; noted < image.objects.length; noted += 1) this.#followNotes(image, image.objects[noted]!);
    };
    followNotes();
    this.#followThreads(image);
    const data = this.#followRules(image, asked);
    followNotes();
    return data;
  }

  #followNotes(image: ProcessImage, object: LoadedObject): void {
    const limit = RANK[this.options.dlopen ?? 'recommended'];
    if (limit === 0) return;
    for (const request of object.elf.dlopenRequests()) {
      if (RANK[request.priority] > limit) continue;
      const cause = (soname: BytePath): ClosureCause => ({
        kind: 'dlopen',
        of: object.path,
        soname,
        feature: request.feature,
        priority: request.priority,
      });
      this.#openFirst(image, object, request, cause);
    }
  }

  /** Opens the first library of a preference list that exists; whether none is an error depends on the priority. */
  #openFirst(
    image: ProcessImage,
    object: LoadedObject,
    request: DlopenRequest,
    cause: (soname: BytePath) => ClosureCause,
  ): void {
    const names = request.sonames.map(displayPath).join(' or ');
    const purpose = request.feature === '' ? '' : ` (${request.feature})`;
    const missing = (what: string, error?: MkrootError): void => {
      const sentence = `Cannot load "${names}"${purpose} for "${displayPath(object.path)}": ${what}`;
      if (request.priority === 'required') {
        throw (
          error ??
          new MkrootError(sentence, {
            exitCode: ExitCode.NotFound,
            hint: 'The program opens it at run time and cannot do without; install the package that brings it into the root.',
          })
        );
      }
      this.warn(`${sentence}; it is ${request.priority}, not required`);
    };
    for (const soname of request.sonames) {
      try {
        if (image.open(soname, object, cause(soname)) !== undefined) return;
      } catch (error) {
        if (!(error instanceof MkrootError)) throw error;
        missing(error.message, error);
        return;
      }
    }
    missing('no such library in the root');
  }

  #followThreads(image: ProcessImage): void {
    if (image.loader.flavour !== 'glibc') return;
    const libc = image.loaded('libc.so.6');
    if (libc === undefined) return;
    for (const object of image.objects) {
      const symbol = object.elf.imports(THREAD_FUNCTIONS)[0];
      if (symbol === undefined) continue;
      const cause: ClosureCause = { kind: 'threads', of: object.path, symbol };
      const request: DlopenRequest = {
        feature: 'cancellation of threads',
        priority: 'recommended',
        sonames: [LIBGCC],
      };
      this.#openFirst(image, libc, request, () => cause);
      return;
    }
  }

  #followRules(image: ProcessImage, asked: BytePath): NeededData[] {
    const found: NeededData[] = [];
    for (const rule of this.options.dataRules ?? DATA_RULES) {
      const subject = ruleSubject(rule, image, asked);
      if (subject === undefined) continue;
      const causeOf = (why: string): ClosureCause => ({ kind: 'data', of: subject.path, why });
      for (const { soname, priority, why } of rule.libraries ?? [])
        this.#openFirst(image, subject, { feature: why, priority, sonames: [soname] }, () => causeOf(why));
      for (const { path, priority, package: brings, why } of rule.files ?? []) {
        const file = this.sysroot.resolve(path);
        if (file?.stat.kind === 'file') found.push({ file, cause: causeOf(why) });
        else this.#missingData(path, subject, priority, brings, why);
      }
    }
    return found;
  }

  #missingData(path: BytePath, subject: LoadedObject, priority: Priority, brings: string, why: string): void {
    const sentence = `Cannot ship "${displayPath(path)}" for "${displayPath(subject.path)}": there is no such file in the root (${why})`;
    const hint = `Install the package ${brings} into the root.`;
    if (priority === 'required') throw new MkrootError(sentence, { exitCode: ExitCode.NotFound, hint });
    if (priority === 'recommended') this.warn(`${sentence}. ${hint}`);
  }
}

function ruleSubject(rule: DataRule, image: ProcessImage, asked: BytePath): LoadedObject | undefined {
  const { main } = image;
  const isProgram = rule.of.includes(posix.basename(asked)) || rule.of.includes(posix.basename(main.path));
  const subject = isProgram
    ? main
    : rule.of.map((soname) => image.loaded(soname)).find((object) => object !== undefined);
  if (subject === undefined) return undefined;
  if (rule.lacksVersion !== undefined && subject.elf.mentions(rule.lacksVersion)) return undefined;
  const { imports } = rule;
  const applies = imports === undefined || image.objects.some(({ elf }) => elf.imports(imports).length > 0);
  return applies ? subject : undefined;
}
