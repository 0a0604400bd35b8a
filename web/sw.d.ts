/** What sw.js uses of a service worker's scope, which TypeScript's DOM library lacks; not shipped. */
declare global {
  /** Written in front of sw.js by builder/offline.py: SHA-256 in hex of each file, by its path; in
   *  `ordinary` of those that only a start of Python without its snapshot asks for. */
  const BUILD: {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly ordinary: Readonly<Record<string, string>>;
  };
}

interface LongEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface Message extends LongEvent {
  readonly data: { readonly needed: boolean; readonly module: string; readonly takeOver?: boolean };
  readonly source: Client | null;
}

interface Client {
  readonly id: string;
  postMessage(message: object): void;
}

export interface Installing extends LongEvent {
  addRoutes?(rules: readonly object[]): Promise<void>;
}

interface Fetching extends LongEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

export interface ServiceWorkerScope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: {
      type: "window";
      includeUncontrolled: boolean;
    }): Promise<readonly Client[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: Installing) => void): void;
  addEventListener(type: "activate", listener: (event: LongEvent) => void): void;
  addEventListener(type: "message", listener: (event: Message) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}
