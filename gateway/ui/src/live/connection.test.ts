import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { EventPage, LiveEvent } from '../api/types';
import { Connection, graceMs, pollEveryMs, type LinkState, type Socket } from './connection';

class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  closed = false;

  readonly since: number | null;

  constructor(since: number | null) {
    this.since = since;
  }

  close(): void {
    this.closed = true;
  }

  opens(): void {
    this.#fire(this.onopen);
  }

  cut(): void {
    this.#fire(this.onclose);
  }

  says(data: string): void {
    (this.onmessage as ((message: { data: string }) => void) | null)?.({ data });
  }

  #fire(handler: unknown): void {
    (handler as (() => void) | null)?.();
  }
}

const health = (seq: number): LiveEvent => ({ type: 'system_health', seq, database: 'healthy' });
const news = (seq: number) => ({ type: 'progress_update', seq }) as LiveEvent;

function stage() {
  const sockets: FakeSocket[] = [];
  const links: LinkState[] = [];
  const events: number[] = [];
  const world = {
    ticket: true,
    poll: true,
    missed: { items: [], next_seq: 1000 } as EventPage,
    polledSince: [] as number[],
  };
  const resync = vi.fn(async () => world.poll);
  const connection = new Connection(
    {
      ticket: async () => {
        if (!world.ticket) throw new Error('no ticket');
        return 'ticket';
      },
      open: (_, since) => {
        const socket = new FakeSocket(since);
        sockets.push(socket);
        return socket;
      },
      events: async (since) => {
        world.polledSince.push(since);
        if (!world.poll) throw new Error('no answer');
        return world.missed;
      },
    },
    { link: (state) => links.push(state), event: (event) => events.push(event.seq), resync },
  );
  const last = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  };
  return { connection, sockets, links, events, world, resync, last };
}

describe('connection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const settle = () => vi.advanceTimersByTimeAsync(0);

  it('asks for a snapshot once the socket is open, because events before it were missed', async () => {
    const { connection, links, resync, last } = stage();
    connection.start();
    await settle();
    expect(resync).not.toHaveBeenCalled();
    last().opens();
    expect(links).toEqual(['connecting', 'live']);
    expect(resync).toHaveBeenCalledOnce();
  });

  it('polls every ten seconds while the socket is cut, and says so', async () => {
    const { connection, links, resync, last, world } = stage();
    connection.start();
    await settle();
    last().opens();
    world.ticket = false;
    last().cut();
    await vi.advanceTimersByTimeAsync(graceMs);
    expect(links.at(-1)).toBe('polling');
    const before = resync.mock.calls.length;
    await vi.advanceTimersByTimeAsync(3 * pollEveryMs);
    expect(resync.mock.calls.length - before).toBe(3);
  });

  it('resumes after the last number it has seen', async () => {
    const { connection, last, sockets, world } = stage();
    connection.start();
    await settle();
    last().opens();
    last().says(JSON.stringify(news(7)));
    last().cut();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets).toHaveLength(2);
    expect(last().since).toBe(7);
    await vi.advanceTimersByTimeAsync(graceMs);
    expect(world.polledSince).toEqual([7]);
  });

  it('applies what a poll tells and goes on from there', async () => {
    const { connection, events, last, world } = stage();
    connection.start();
    await settle();
    last().opens();
    last().says(JSON.stringify(news(7)));
    world.ticket = false;
    world.missed = { items: [news(8), news(9)], next_seq: 9 };
    last().cut();
    await vi.advanceTimersByTimeAsync(graceMs);
    expect(events).toEqual([7, 8, 9]);
    world.missed = { items: [], next_seq: 9 };
    await vi.advanceTimersByTimeAsync(pollEveryMs);
    expect(world.polledSince).toEqual([7, 9]);
  });

  it('tells when not even polling is answered', async () => {
    const { connection, links, last, world } = stage();
    connection.start();
    await settle();
    last().opens();
    world.ticket = false;
    world.poll = false;
    last().cut();
    await vi.advanceTimersByTimeAsync(graceMs);
    expect(links.at(-1)).toBe('lost');
  });

  it('never gives up on the socket', async () => {
    const { connection, sockets, links, last } = stage();
    connection.start();
    await settle();
    for (let tries = 0; tries < 40; tries += 1) {
      last().cut();
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(sockets).toHaveLength(41);
    last().opens();
    expect(links.at(-1)).toBe('live');
  });

  it('stops polling when the socket is back', async () => {
    const { connection, resync, last } = stage();
    connection.start();
    await settle();
    last().cut();
    await vi.advanceTimersByTimeAsync(graceMs);
    last().opens();
    await settle();
    const before = resync.mock.calls.length;
    await vi.advanceTimersByTimeAsync(5 * pollEveryMs);
    expect(resync.mock.calls.length).toBe(before);
  });

  it.each([['not json'], ['null'], ['{"type":"job_status"}'], ['{"seq":3}'], ['[1]']])(
    'ignores %s',
    async (nonsense) => {
      const { connection, events, last } = stage();
      connection.start();
      await settle();
      last().opens();
      last().says(nonsense);
      expect(events).toEqual([]);
    },
  );

  it('takes each number once', async () => {
    const { connection, events, last } = stage();
    connection.start();
    await settle();
    last().opens();
    for (const seq of [3, 3, 2, 4]) last().says(JSON.stringify(news(seq)));
    expect(events).toEqual([3, 4]);
  });

  it('hears of health as often as it is told, whatever its number', async () => {
    const { connection, events, last } = stage();
    connection.start();
    await settle();
    last().opens();
    for (const event of [health(3), news(4), health(4), health(4)]) last().says(JSON.stringify(event));
    expect(events).toEqual([3, 4, 4, 4]);
  });

  it('does not call a socket cut that is back at once', async () => {
    const { connection, links, last } = stage();
    connection.start();
    await settle();
    last().opens();
    last().cut();
    await vi.advanceTimersByTimeAsync(600);
    last().opens();
    await vi.advanceTimersByTimeAsync(pollEveryMs);
    expect(links).toEqual(['connecting', 'live', 'live']);
  });

  it('listens to a server whose numbers start over', async () => {
    const { connection, events, last } = stage();
    connection.start();
    await settle();
    last().opens();
    last().says(JSON.stringify(news(900)));
    last().cut();
    await vi.advanceTimersByTimeAsync(1000);
    last().opens();
    last().says(JSON.stringify(news(1)));
    expect(events).toEqual([900, 1]);
  });

  it('is silent once it is stopped', async () => {
    const { connection, sockets, last, resync } = stage();
    connection.start();
    await settle();
    last().opens();
    connection.stop();
    expect(last().closed).toBe(true);
    last().cut();
    const before = resync.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
    expect(resync.mock.calls.length).toBe(before);
  });
});
