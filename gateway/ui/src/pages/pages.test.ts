import { describe, expect, it } from 'vitest';

import { midnights, ticks } from '../chart/axis';
import { Problem } from '../api/problem';
import type {
  DoraMetric,
  DoraPoint,
  DoraReport,
  Integration,
  JobCommand,
  JobStatus,
  Schedule,
  Scope,
} from '../api/types';
import { seriesOf, shownOf } from './dora/metrics';
import { complaints, draftOf, emptyEntry, isAboutConnection, wireName } from './integrations/draft';
import { addable, matching, merged } from './integrations/scopes';
import { commandsFor, isAllowed } from './jobs/look';
import { linkOf } from './metrics/links';
import { windowFrom } from './metrics/windows';
import { differs, isWithin, offeredRetryIntervals, offeredTimezones } from './jobs/schedule';

describe('controls', () => {
  it.each([
    ['NOT_STARTED', ['run']],
    ['PENDING', ['stop']],
    ['RUNNING', ['pause', 'stop']],
    ['PAUSED', ['resume', 'stop']],
    ['FINISHED', ['run']],
    ['ERROR', ['run', 'retry']],
  ] as [JobStatus, JobCommand[]][])('of a job that is %s allow %j', (status, allowed) => {
    expect(commandsFor(status, null).filter((command) => isAllowed(status, command))).toEqual(allowed);
  });
});

it('a job that is about to pause shows so in the place of pause', () => {
  expect(commandsFor('PAUSED', 'pause')).toContain('pause');
  expect(commandsFor('PAUSED', null)).toContain('resume');
});

describe('the schedule', () => {
  const schedule = (): Schedule => ({
    enabled: true,
    interval_minutes: 60,
    timezone: 'UTC',
    retry: { enabled: true, interval_minutes: 15, max_attempts: 3 },
  });

  it.each([
    [null, false],
    [4, false],
    [5, true],
    [60.5, false],
    [1440, true],
    [1441, false],
  ])('interval %f is valid: %s', (value, valid) => {
    expect(isWithin(value, { from: 5, to: 1440 })).toBe(valid);
  });

  it('offers the present retry interval even if nobody else would', () => {
    expect(offeredRetryIntervals(15)).toEqual([5, 10, 15, 20, 25, 30]);
    expect(offeredRetryIntervals(60)).toContain(60);
  });

  it('offers UTC and the present zone once', () => {
    const zones = offeredTimezones('UTC');
    expect(zones.filter((zone) => zone === 'UTC')).toHaveLength(1);
    expect(offeredTimezones('Mars/Olympus')).toContain('Mars/Olympus');
  });

  it('knows whether something was changed, whatever the order of the fields', () => {
    const { retry, ...rest } = schedule();
    expect(differs(schedule(), { retry, ...rest })).toBe(false);
    expect(differs(schedule(), { ...schedule(), enabled: false })).toBe(true);
  });
});

describe('an integration', () => {
  it('names what is missing', () => {
    expect(Object.keys(complaints({ ...emptyEntry('jira'), name: ' ' }, false))).toEqual([
      'name',
      'baseUrl',
      'username',
      'secret',
    ]);
  });

  it('keeps its secret when none is entered', () => {
    const entry = { ...emptyEntry('github'), everything: false, scopes: ['acme/shop'] };
    expect(complaints(entry, true)).toEqual({});
    expect(JSON.parse(JSON.stringify(draftOf(entry)))).toEqual({
      type: 'github',
      name: 'GitHub',
      base_url: 'https://api.github.com',
      repositories: ['acme/shop'],
    });
  });

  it('is sent under the names of its kind', () => {
    const entry = {
      ...emptyEntry('jira'),
      baseUrl: ' https://acme.atlassian.net/ ',
      username: 'a@example.com',
      secret: 's',
    };
    expect(draftOf(entry)).toMatchObject({ base_url: 'https://acme.atlassian.net', api_token: 's', projects: [] });
  });

  it.each([['acme.atlassian.net'], ['ftp://acme.example.com'], ['javascript:alert(1)'], ['https://']])(
    'has no address at %s',
    (baseUrl) => {
      expect(complaints({ ...emptyEntry('github'), baseUrl, secret: 's' }, false).baseUrl).toBeTruthy();
    },
  );

  it('finds what the server says about a field', () => {
    const problem = new Problem(422, { errors: [{ field: 'base_url', detail: 'is private' }] });
    expect(problem.about(wireName('baseUrl', 'jira'))).toBe('Is private');
    const pointed = new Problem(422, { errors: [{ pointer: '#/api_token', detail: 'is empty' }] });
    expect(pointed.about(wireName('secret', 'jira'))).toBe('Is empty');
  });

  it.each([
    ['base_url', true],
    ['api_token', true],
    ['projects', false],
  ])('is asked for again when the server refuses its %s: %s', (field, again) => {
    const problem = new Problem(409, { errors: [{ field, detail: 'cannot change' }] });
    expect(isAboutConnection(problem, 'jira')).toBe(again);
  });
});

describe('scopes', () => {
  const scope = (key: string, name = key): Scope => ({ key, name, available: true, detail: null });

  it('are listed once, with what is chosen already', () => {
    expect(merged([scope('b'), scope('a')], [scope('a')], ['c', 'a']).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['github', 'acme/payments', 'acme/payments'],
    ['github', ' acme/a.b-c_d ', 'acme/a.b-c_d'],
    ['github', 'acme/*', 'acme/*'],
    ['github', 'acme/p*', null],
    ['github', 'Acme/Shop', null],
    ['github', 'acme', null],
    ['github', 'a/b/c', null],
    ['jira', 'pay', 'PAY'],
    ['jira', 'two words', null],
    ['jira', '', null],
  ] as ['github' | 'jira', string, string | null][])('of %s can be added by writing "%s": %s', (type, search, key) => {
    expect(addable(type, search, [scope('acme/shop')])).toBe(key);
  });

  it('that are everything are sent as no list at all', () => {
    expect(draftOf({ ...emptyEntry('github'), secret: 's', scopes: ['a/b'] }).repositories).toEqual([]);
  });

  it('are found by every word of a search', () => {
    const scopes = [scope('PAY', 'Payments'), scope('OPS', 'Operations'), scope('PX', 'Payments extra')];
    expect(matching(scopes, ' payments EXTRA').map(({ key }) => key)).toEqual(['PX']);
    expect(matching(scopes, '')).toHaveLength(3);
  });
});

describe('DORA', () => {
  const point: DoraPoint = {
    start: '2026-03-02',
    deployments: 3,
    deployment_days: 2,
    lead_time_seconds: null,
    change_failure_rate: 0,
    recovery_seconds: 60,
  };

  it('finds the series of a metric, and none where the report has none', () => {
    expect(seriesOf('deployment_frequency', [point])).toEqual([2]);
    expect(seriesOf('lead_time_for_changes', [point])).toEqual([null]);
    expect(seriesOf('time_to_restore', [point])).toBeNull();
    expect(seriesOf('time_to_restore', [{ ...point, restore_seconds: 5 }])).toEqual([5]);
  });

  it('knows which way is better', () => {
    const metric = { unit: 'ratio', value: 1 } as DoraMetric;
    const report = {
      series: [point],
      metrics: [
        { ...metric, name: 'change_failure_rate' },
        { ...metric, name: 'deployment_frequency' },
      ],
    } as DoraReport;
    expect(shownOf(report).map(({ name, better }) => [name, better])).toEqual([
      ['Deployment frequency', 'up'],
      ['Change failure rate', 'down'],
    ]);
  });

  it('reads its filters from an address that anyone may have typed', () => {
    expect(windowFrom('30')).toBe(30);
    expect(windowFrom('31')).toBe(90);
    expect(windowFrom(null)).toBe(90);
  });
});

describe('a row', () => {
  const integration = (type: 'jira' | 'github', base_url: string, projects: string[] = []) =>
    ({ type, base_url, projects }) as Integration;
  const jira = integration('jira', 'https://a.atlassian.net', ['PAY']);
  const desk = integration('jira', 'https://b.atlassian.net', ['DESK']);
  const github = integration('github', 'https://api.github.com');
  const enterprise = integration('github', 'https://git.example.com/api/v3');

  it.each([
    ['PAY-12', [desk, jira], 'https://a.atlassian.net/browse/PAY-12'],
    ['OPS-1', [jira], 'https://a.atlassian.net/browse/OPS-1'],
    ['OPS-1', [jira, desk], null],
    ['acme/shop#7', [jira, github], 'https://github.com/acme/shop/pull/7'],
    ['acme/shop#7', [enterprise], 'https://git.example.com/acme/shop/pull/7'],
    ['acme/shop#7', [integration('github', 'http://127.0.0.1:1/github')], null],
    ['acme/shop 889057', [github], null],
    ['javascript:alert(1)', [jira, github], null],
  ] as [string, Integration[], string | null][])('%s of %j is read at %s', (id, integrations, link) => {
    expect(linkOf(id, integrations)).toBe(link);
  });
});

describe('ticks', () => {
  it.each([
    ['seconds' as const, 3600 * 20, [0, 6, 12, 18, 24].map((hours) => hours * 3600)],
    ['seconds' as const, 0, [0, 1]],
    ['days_per_week' as const, 3, [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('for %s up to %i', (unit, most, expected) => {
    expect(ticks(most, unit)).toEqual(expected);
  });

  it.each([0, 0.002, 0.034, 0.29, 1])('for a share of %f reach it in few steps', (most) => {
    const marks = ticks(most, 'ratio');
    expect(marks.at(-1)).toBeGreaterThanOrEqual(most);
    expect(marks.length).toBeLessThan(8);
  });

  it.each([
    ['2026-03-01T00:00:00Z', '2026-03-03T12:00:00Z', 9, ['01', '02', '03']],
    ['2026-03-01T00:00:01Z', '2026-03-08T00:00:00Z', 4, ['02', '04', '06', '08']],
    ['2026-03-01T06:00:00Z', '2026-03-01T18:00:00Z', 4, []],
    ['2026-03-01T00:00:00Z', '2026-03-31T00:00:00Z', 0, ['01']],
  ] as [string, string, number, string[]][])(
    'for days from %s to %s, at most %i, are %j',
    (first, last, most, days) => {
      const marks = midnights(Date.parse(first), Date.parse(last), most);
      expect(marks.map((mark) => new Date(mark).toISOString().slice(8, 10))).toEqual(days);
    },
  );

  it.each([
    [3, [0, 1, 2, 3]],
    [0, [0, 1]],
    [17, [0, 5, 10, 15, 20]],
  ])('for %i things are whole numbers', (most, marks) => {
    expect(ticks(most, 'issues')).toEqual(marks);
  });

  it('for years of seconds stay few', () => {
    expect(ticks(900 * 86_400, 'seconds').length).toBeLessThan(7);
  });
});
