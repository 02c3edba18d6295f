import * as api from '../api/client';
import { Problem } from '../api/problem';
import type { Session } from '../api/types';

export type Standing =
  | { is: 'unknown' }
  | { is: 'in'; session: Session }
  | { is: 'out'; expired: boolean }
  | { is: 'forbidden'; problem: Problem }
  | { is: 'unreachable'; problem: Problem };

/** Who is signed in, as the gateway last said. */
class Visitor {
  standing = $state.raw<Standing>({ is: 'unknown' });

  get session(): Session | null {
    return this.standing.is === 'in' ? this.standing.session : null;
  }

  async ask(): Promise<void> {
    try {
      this.standing = { is: 'in', session: await api.session() };
    } catch (thrown) {
      this.standing = standingAfter(Problem.of(thrown));
    }
  }

  /** A request was answered with 401: the session ended while the page was open. */
  lost(): void {
    if (this.standing.is === 'in') this.standing = { is: 'out', expired: true };
  }

  left(): void {
    this.standing = { is: 'out', expired: false };
  }
}

function standingAfter(problem: Problem): Standing {
  if (problem.status === 401) return { is: 'out', expired: false };
  if (problem.status === 403) return { is: 'forbidden', problem };
  return { is: 'unreachable', problem };
}

export const visitor = new Visitor();
api.whenSessionIsLost(() => visitor.lost());
