// Serves the built page with invented data, a live job and the gateway's own security headers.
//   npm run build && npm run mock
// POST /__mock {"scenario":"trouble"} changes what is told: live idle fresh trouble waiting stopping,
// cut (no socket), down (503), slow, signed-out, forbidden.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

import { report } from './dora.mjs';
import * as flow from './flow.mjs';
import * as fixtures from './fixtures.mjs';
import { Mappings } from './mappings.mjs';
import * as reviews from './reviews.mjs';
import { World } from './world.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const slowMs = 4_000;
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Starts the mock on a port of 127.0.0.1; 0 takes any free one. */
export async function start(port = 0) {
  const world = new World();
  const mock = { signedIn: true, gate: null, colorMode: 'default' };
  let mappings = new Mappings(world.integrations[0].id);
  const server = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ noServer: true });

  async function answer(request, response) {
    const url = new URL(request.url, 'http://mock');
    const body = await bodyOf(request);
    if (url.pathname === '/__mock') {
      become(body.scenario);
      return json(response, 200, { scenario: body.scenario });
    }
    if (url.pathname === '/__parent') return parent(response, url);
    const route = routes[`${request.method} ${url.pathname}`] ?? matched(request.method, url.pathname);
    if (!route) return page(response, url.pathname);
    const api = url.pathname.startsWith('/api/') && url.pathname !== '/api/v1/session';
    if (api && mock.gate === 'slow') await new Promise((done) => setTimeout(done, slowMs));
    if (api && mock.gate === 'down') {
      const detail = 'The database does not answer.';
      return json(
        response,
        503,
        fixtures.problem(503, 'store_unavailable', 'Storage is away', detail, 'Try again in a minute.'),
      );
    }
    return route(response, body, url);
  }

  function become(scenario) {
    mock.gate = ['slow', 'down', 'signed-out', 'forbidden', 'cut'].includes(scenario) ? scenario : null;
    mock.signedIn = scenario !== 'signed-out';
    if (scenario !== 'down') {
      world.become(scenario);
      mappings = new Mappings(world.integrations[0]?.id ?? null, { fresh: scenario === 'fresh' });
    }
    if (scenario === 'cut') for (const socket of sockets.clients) socket.terminate();
  }

  const origins = () => [`http://127.0.0.1:${server.address().port}`];

  const routes = {
    'GET /api/v1/session': (response) => {
      if (!mock.signedIn)
        return json(response, 401, fixtures.problem(401, 'authentication_required', 'Sign in', 'No one is signed in.'));
      if (mock.gate === 'forbidden') {
        return json(
          response,
          403,
          fixtures.problem(403, 'permission_denied', 'Not allowed', 'ada.brook@example.com is no administrator.'),
        );
      }
      return json(response, 200, fixtures.session(origins()));
    },
    'POST /auth/login': (response, body) => {
      if (body.password !== 'secret')
        return json(response, 401, fixtures.problem(401, 'bad_credentials', 'Refused', 'Refused.'));
      mock.signedIn = true;
      return json(response, 200, { success: true, redirect_url: '/home' });
    },
    'POST /auth/navigate': (response, body) => {
      if (body.token !== 'good')
        return json(
          response,
          401,
          fixtures.problem(401, 'invalid_token', 'Refused', 'Pulse does not know this token.'),
        );
      mock.signedIn = true;
      return json(response, 200, { success: true, redirect_url: '/home', message: 'signed in' });
    },
    'POST /auth/logout': (response) => {
      mock.signedIn = false;
      return json(response, 200, { success: true });
    },
    'GET /healthz': (response) => json(response, 200, { status: 'healthy', checks: world.health }),
    'GET /api/v1/jobs': (response) => json(response, 200, { items: world.jobs }),
    'GET /api/v1/orchestrator': (response) => json(response, 200, world.schedule),
    'PUT /api/v1/orchestrator': (response, body) => json(response, 200, (world.schedule = body)),
    'POST /api/v1/ws-ticket': (response) => json(response, 200, { ticket: fixtures.newId() }),
    'GET /api/v1/events': (response, _, url) => {
      const items = world.events.filter((event) => event.seq > Number(url.searchParams.get('since')));
      return json(response, 200, { items, next_seq: world.seq });
    },
    'GET /api/v1/integrations': (response) => json(response, 200, { items: world.integrations }),
    'POST /api/v1/integrations': (response, body) => {
      const draft = withoutSecrets(body);
      const made = {
        ...draft,
        id: fixtures.newId(),
        active: true,
        health: 'healthy',
        health_detail: null,
        last_sync_at: null,
        created_at: new Date().toISOString(),
      };
      world.integrations.push(made);
      return json(response, 201, made);
    },
    'POST /api/v1/integrations/test': async (response, body) => {
      const stored = world.integrations.find((integration) => integration.id === body.id);
      await new Promise((done) => setTimeout(done, 700));
      return json(response, 200, fixtures.connectionTest({ ...stored, ...body }));
    },
    'GET /api/v1/metrics/dora': (response, _, url) =>
      json(response, 200, report(url.searchParams, { empty: world.scenario === 'fresh' })),
    'GET /api/v1/metrics/flow': (response, _, url) =>
      json(response, 200, flow.report(url.searchParams, { empty: world.scenario === 'fresh' })),
    'GET /api/v1/metrics/forecast': (response, _, url) => json(response, 200, flow.forecast(url.searchParams)),
    'GET /api/v1/metrics/pull-requests': (response, _, url) =>
      json(response, 200, reviews.report(url.searchParams, { empty: world.scenario === 'fresh' })),
    'GET /api/v1/metrics/data-quality': (response) =>
      json(response, 200, reviews.quality({ empty: world.scenario === 'fresh' })),
    'GET /api/v1/metrics/review-load': (response, _, url) =>
      json(response, 200, reviews.load(url.searchParams, { empty: world.scenario === 'fresh' })),
    'GET /api/v1/pull-requests': (response) => json(response, 200, { items: reviews.openPulls(), next_cursor: null }),
    'POST /api/v1/status-mappings/suggest': (response) => json(response, 200, mappings.suggest()),
    'PUT /api/v1/status-mappings': (response, body) => json(response, 200, mappings.apply(body)),
    'POST /api/v1/workflows/preview': (response, body) => json(response, 200, mappings.preview(body)),
    'GET /api/v1/issues': (response) => json(response, 200, { items: flow.issues(), next_cursor: null }),
  };

  const nouns = '(workflows|workflow-steps|status-mappings|issue-type-mappings)';

  const patterns = [
    ['GET', new RegExp(`^/api/v1/${nouns}/[\\w-]+/impact$`), (response) => json(response, 200, mappings.impact())],
    ['GET', new RegExp(`^/api/v1/${nouns}$`), (response, [noun]) => json(response, 200, mappings.all(noun))],
    [
      'POST',
      new RegExp(`^/api/v1/${nouns}$`),
      (response, [noun], _, body) => json(response, ...mappings.put(noun, null, body)),
    ],
    [
      'PUT',
      new RegExp(`^/api/v1/${nouns}/([\\w-]+)$`),
      (response, [noun, id], _, body) => json(response, ...mappings.put(noun, id, body)),
    ],
    [
      'DELETE',
      new RegExp(`^/api/v1/${nouns}/([\\w-]+)$`),
      (response, [noun, id]) => json(response, 200, mappings.remove(noun, id)),
    ],
    [
      'GET',
      /^\/api\/v1\/data-quality\/(\w+)$/,
      (response, [check], url) => json(response, 200, reviews.lacking(check, url.searchParams.get('cursor'))),
    ],
    [
      'GET',
      /^\/api\/v1\/jobs\/(\w+)\/runs$/,
      (response, [type], url) =>
        json(response, 200, {
          items: world.runs[type].slice(0, Number(url.searchParams.get('limit') ?? 50)),
          next_cursor: null,
        }),
    ],
    [
      'POST',
      /^\/api\/v1\/jobs\/(\w+)\/(\w+)$/,
      (response, [type, command]) => {
        const job = world.command(type, command);
        if (job) return json(response, 202, job);
        return json(
          response,
          409,
          fixtures.problem(409, 'transition_refused', 'Not now', `A job in this state cannot be told to ${command}.`),
        );
      },
    ],
    [
      'GET',
      /^\/api\/v1\/integrations\/([\w-]+)\/scopes$/,
      (response, [id], url) => {
        const { type } = world.integrations.find((integration) => integration.id === id);
        const search = url.searchParams.get('search').toLowerCase();
        const scopes = fixtures.scopesOf(type);
        return json(response, 200, {
          items: scopes.filter(({ key, name }) => `${key} ${name}`.toLowerCase().includes(search)),
        });
      },
    ],
    [
      'PUT',
      /^\/api\/v1\/integrations\/([\w-]+)$/,
      (response, [id], _, body) => {
        const integration = world.integrations.find((each) => each.id === id);
        return json(response, 200, Object.assign(integration, withoutSecrets(body), { active: true }));
      },
    ],
    [
      'DELETE',
      /^\/api\/v1\/integrations\/([\w-]+)$/,
      (response, [id]) => {
        world.integrations.find((each) => each.id === id).active = false;
        return json(response, 200, {});
      },
    ],
  ];

  function matched(method, path) {
    for (const [wanted, pattern, route] of patterns) {
      const match = wanted === method && pattern.exec(path);
      if (match) return (response, body, url) => route(response, match.slice(1), url, body);
    }
    return null;
  }

  server.on('upgrade', (request, socket, head) => {
    if (mock.gate === 'cut') return socket.destroy();
    const since = Number(new URL(request.url, 'http://mock').searchParams.get('since') ?? world.seq);
    sockets.handleUpgrade(request, socket, head, (client) => {
      const tell = (event) => client.send(JSON.stringify(event));
      for (const event of world.events) if (event.seq > since) tell(event);
      world.listeners.add(tell);
      client.on('close', () => world.listeners.delete(tell));
      tell({ type: 'system_health', seq: world.seq, ...world.health });
    });
  });

  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: origins()[0],
    become,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function withoutSecrets(draft) {
  const kept = { ...draft };
  delete kept.api_token;
  delete kept.token;
  return kept;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

async function page(response, path) {
  const asset = path.startsWith('/assets/') ? normalize(path) : '/index.html';
  const headers = {
    'Content-Type': types[extname(asset)],
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
  };
  try {
    const file = await readFile(join(dist, asset));
    response.writeHead(200, headers).end(file);
  } catch {
    response.writeHead(404).end();
  }
}

/** A Pulse front end of one iframe, to see the page from inside. */
function parent(response, url) {
  const inside = url.searchParams.get('src') ?? '/home?embedded=true';
  const escaped = inside.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  response.writeHead(200, { 'Content-Type': types['.html'] });
  response.end(
    `<!doctype html><title>Pulse</title><iframe title="ETL" src="${escaped}" width="1200" height="900"></iframe>`,
  );
}

function json(response, status, body) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await start(Number(process.env.PORT ?? 4173));
  console.log(`Pulse ETL with invented data: ${url}/home`);
}
