import type { MetricsQuery } from '../../api/types';
import { router } from '../../app/router.svelte';
import { daysBefore } from '../../format/time';
import { windowFrom } from './windows';

/** What the address asks of the pages with numbers. */
class Asked {
  readonly #parameters = $derived(router.url.searchParams);
  readonly days = $derived(windowFrom(this.#parameters.get('days')));
  readonly project = $derived(this.#parameters.get('project'));
  readonly repository = $derived(this.#parameters.get('repository'));
  readonly metric = $derived(this.#parameters.get('metric'));
  readonly #from = $derived(daysBefore(this.days, new Date()));
  readonly query = $derived<MetricsQuery>({ from: this.#from, project: this.project, repository: this.repository });
}

export const asked = new Asked();
