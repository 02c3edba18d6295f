import type { EventPage, LiveEvent } from '../api/types';
import { backoffMs } from './backoff';

/** `connecting` until the first answer; `polling` when the socket is cut; `lost` when polling is not answered either. */
export type LinkState = 'connecting' | 'live' | 'polling' | 'lost';

/** As much of a WebSocket as we use. */
export type Socket = Pick<WebSocket, 'onopen' | 'onmessage' | 'onclose' | 'close'>;

/** What the connection needs from the world. */
export interface Ports {
  ticket(): Promise<string>;
  open(ticket: string, since: number | null): Socket;
  events(since: number): Promise<EventPage>;
}

/** What the connection tells. `resync` asks for a fresh snapshot: events may have been missed. */
export interface Listener {
  link(state: LinkState): void;
  event(event: LiveEvent): void;
  resync(): Promise<boolean>;
}

export const pollEveryMs = 10_000;
/** A socket that comes back so soon was never away: the server ends each one now and then, to see a fresh ticket. */
export const graceMs = 1_500;

/**
 * Keeps the page told of what happens: a socket while it holds, a poll every ten seconds while it does not, and new
 * tries for the socket for as long as the page is open.
 */
export class Connection {
  readonly #ports: Ports;
  readonly #listener: Listener;
  #socket: Socket | null = null;
  #seq: number | null = null;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  #stopped = true;

  constructor(ports: Ports, listener: Listener) {
    this.#ports = ports;
    this.#listener = listener;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#listener.link('connecting');
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#stopPolling();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Tries the socket at once, for example because the network came back. */
  hurry(): void {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#retry);
    this.#failures = 0;
    void this.#connect();
  }

  async #connect(): Promise<void> {
    let ticket: string;
    try {
      ticket = await this.#ports.ticket();
    } catch {
      this.#disconnected();
      return;
    }
    if (this.#stopped || this.#socket) return;
    const socket = this.#ports.open(ticket, this.#seq);
    this.#socket = socket;
    let seen = -1;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#failures = 0;
      this.#stopPolling();
      this.#listener.link('live');
      void this.#listener.resync();
    };
    socket.onmessage = (message) => {
      if (this.#socket !== socket) return;
      const event = parse(message.data);
      if (!event) return;
      // Health is a state and carries the number of the last event; it is never told twice in vain.
      const known = event.type !== 'system_health' && event.seq <= seen;
      if (known) return;
      // Numbers only grow within one connection; a server that was set up anew may start over between two.
      if (event.type !== 'system_health') seen = event.seq;
      this.#seq = event.seq;
      this.#listener.event(event);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#disconnected();
    };
  }

  #disconnected(): void {
    if (this.#stopped) return;
    this.#retry = setTimeout(() => void this.#connect(), backoffMs(this.#failures, Math.random()));
    this.#failures += 1;
    if (this.#grace !== undefined || this.#poll !== undefined) return;
    this.#grace = setTimeout(() => this.#startPolling(), graceMs);
  }

  #startPolling(): void {
    this.#grace = undefined;
    this.#poll = setInterval(() => void this.#ask(), pollEveryMs);
    void this.#ask();
  }

  #stopPolling(): void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  async #ask(): Promise<void> {
    const answered = await this.#catchUp();
    const polling = this.#poll !== undefined;
    if (polling) this.#listener.link(answered ? 'polling' : 'lost');
  }

  /** Events since the last one we know, then the snapshot, which tells what no event does. */
  async #catchUp(): Promise<boolean> {
    if (this.#seq !== null && !(await this.#catchUpFrom(this.#seq))) return false;
    return this.#listener.resync();
  }

  async #catchUpFrom(since: number): Promise<boolean> {
    let page: EventPage;
    try {
      page = await this.#ports.events(since);
    } catch {
      return false;
    }
    const overtaken = this.#poll === undefined;
    if (overtaken) return true;
    for (const event of page.items) this.#listener.event(event);
    this.#seq = page.items.at(-1)?.seq ?? Math.min(since, page.next_seq);
    return true;
  }
}

function parse(data: unknown): LiveEvent | null {
  if (typeof data !== 'string') return null;
  try {
    const event: unknown = JSON.parse(data);
    return isEvent(event) ? event : null;
  } catch {
    return null;
  }
}

function isEvent(candidate: unknown): candidate is LiveEvent {
  if (candidate === null || typeof candidate !== 'object') return false;
  const { type, seq } = candidate as { type?: unknown; seq?: unknown };
  return typeof type === 'string' && typeof seq === 'number';
}
