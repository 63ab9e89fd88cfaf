import type { BytePath } from './byte-path.js';

/** A request as an HTTP server gets it. */
export interface HttpRequest {
  readonly method: string;
  /** As it stands in the request line: percent-encoded, perhaps with a query. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Address of the client. */
  readonly client: string;
  /** Empty unless the listener takes bodies. */
  readonly body: Uint8Array;
}

/** What is sent back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A short text, or bytes of a file from `start` to `end`, both included. */
  readonly content?: string | { readonly path: BytePath; readonly start: number; readonly end: number };
}

/** Where and how an HTTP server listens. */
export interface HttpListenerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bytes of a request's body; a longer one is refused. Default 0. */
  readonly bodyLimit?: number;
  /** Decides about each request; what it throws becomes status 500. */
  readonly answer: (request: HttpRequest) => HttpAnswer;
  /** When an answer has gone out, whole or not. */
  readonly onSent?: (request: HttpRequest, answer: HttpAnswer, whole: boolean) => void;
}

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Ends every connection; resolves when the port is free. */
  close(): Promise<void>;
}

/** How a broadcast is sent, and what comes back. */
export interface BroadcastOptions {
  /** Our address on the interface; it decides through which one the broadcast goes out. */
  readonly address: string;
  /** Our port. Others may listen on it too. */
  readonly localPort: number;
  readonly remotePort: number;
  readonly onMessage: (message: Uint8Array, from: string) => void;
}

/** A socket for broadcasts. */
export interface Broadcasting {
  send(message: Uint8Array): void;
  close(): void;
}

/** Everything that mkroot itself does on the network; programs that it starts do it on their own. */
export interface Network {
  /** @throws MkrootError Io if the port is taken or the address is not this machine's. */
  listenHttp(options: HttpListenerOptions): Promise<Listening>;
  /** Whether a TCP port can be listened on at all addresses. */
  isTcpPortFree(port: number): Promise<boolean>;
  /** @throws MkrootError Io if the socket cannot be had. */
  broadcast(options: BroadcastOptions): Promise<Broadcasting>;
}
