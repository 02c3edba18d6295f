import type { Component } from 'svelte';

import { t } from '../messages';

/** A page of the application. Pages arrive as their own chunk when they are first opened. */
export interface Route {
  path: string;
  title: string;
  load: () => Promise<{ default: Component }>;
}

const jobs: Omit<Route, 'path'> = { title: t.nav.jobs, load: () => import('../pages/jobs/JobsPage.svelte') };

const routes: Route[] = [
  { path: '/home', ...jobs },
  { path: '/jobs', ...jobs },
  {
    path: '/integrations',
    title: t.nav.integrations,
    load: () => import('../pages/integrations/IntegrationsPage.svelte'),
  },
  { path: '/mappings', title: t.nav.mappings, load: () => import('../pages/mappings/MappingsPage.svelte') },
  { path: '/metrics/dora', title: t.nav.dora, load: () => import('../pages/dora/DoraPage.svelte') },
  { path: '/metrics/flow', title: t.nav.flow, load: () => import('../pages/flow/FlowPage.svelte') },
  { path: '/metrics/reviews', title: t.nav.reviews, load: () => import('../pages/reviews/ReviewsPage.svelte') },
  { path: '/metrics/quality', title: t.nav.quality, load: () => import('../pages/quality/QualityPage.svelte') },
];

/** What the navigation offers, and which paths count as being there. */
export const places = [
  { path: '/home', title: t.nav.jobs, at: ['/home', '/jobs'] },
  { path: '/integrations', title: t.nav.integrations, at: ['/integrations'] },
  { path: '/mappings', title: t.nav.mappings, at: ['/mappings'] },
  { path: '/metrics/dora', title: t.nav.dora, at: ['/metrics/dora'] },
  { path: '/metrics/flow', title: t.nav.flow, at: ['/metrics/flow'] },
  { path: '/metrics/reviews', title: t.nav.reviews, at: ['/metrics/reviews'] },
  { path: '/metrics/quality', title: t.nav.quality, at: ['/metrics/quality'] },
];

/** Parameters that describe the frame around us and stay with every link. */
const frameParameters = ['embedded', 'theme', 'colorMode'];

class Router {
  url = $state.raw(new URL(location.href));
  readonly embedded = this.url.searchParams.get('embedded') === 'true';

  constructor() {
    window.addEventListener('popstate', () => (this.url = new URL(location.href)));
    document.addEventListener('click', (event) => this.#onClick(event));
  }

  get path(): string {
    return this.url.pathname.replace(/\/+$/, '') || '/';
  }

  get route(): Route | undefined {
    return this.path === '/' ? routes[0] : routes.find((route) => route.path === this.path);
  }

  /** A path of ours, as a link that stays in the frame it is in. */
  href(path: string): string {
    const target = new URL(path, location.origin);
    for (const name of frameParameters) {
      const value = this.url.searchParams.get(name);
      if (value !== null && !target.searchParams.has(name)) target.searchParams.set(name, value);
    }
    return target.pathname + target.search;
  }

  go(path: string): void {
    history.pushState(null, '', this.href(path));
    this.url = new URL(location.href);
    window.scrollTo(0, 0);
  }

  /** Puts a filter into the address, so that a link shares the view. */
  set(parameters: Record<string, string | null>): void {
    const target = new URL(this.url);
    for (const [name, value] of Object.entries(parameters)) {
      if (value === null) target.searchParams.delete(name);
      else target.searchParams.set(name, value);
    }
    history.replaceState(null, '', target);
    this.url = target;
  }

  #onClick(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    const target = new URL(link.href);
    if (target.origin !== location.origin || !routes.some((route) => route.path === target.pathname)) return;
    event.preventDefault();
    this.go(target.pathname + target.search);
  }
}

export const router = new Router();
