import * as api from '../../api/client';
import { Resource } from '../../api/resource.svelte';

/** The integrations, for filters and for links to what they read. */
export const sources = new Resource(async () => (await api.integrations()).items);
