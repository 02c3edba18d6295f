import type { FieldError } from './types';

interface ProblemDocument {
  title?: string;
  status?: number;
  code?: string;
  detail?: string | null;
  hint?: string | null;
  trace_id?: string | null;
  errors?: FieldError[] | null;
}

/** A refusal or failure of the gateway, in words a person can act on (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly traceId: string | null;
  readonly errors: FieldError[];

  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? document.title ?? `status ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.code = document.code ?? 'unknown';
    this.detail = document.detail ?? null;
    this.hint = document.hint ?? null;
    this.traceId = document.trace_id ?? null;
    this.errors = document.errors ?? [];
  }

  /** The gateway could not be asked at all. */
  static unreachable(): Problem {
    return new Problem(0, { code: 'unreachable' });
  }

  /** What an answer with an error status says; bodies that are no problem document become one. */
  static async from(response: Response): Promise<Problem> {
    const body: unknown = await response.json().catch(() => null);
    const document = body !== null && typeof body === 'object' ? (body as ProblemDocument) : {};
    return new Problem(response.status, document);
  }

  /** Anything thrown while asking, as a problem. */
  static of(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    if (thrown instanceof DOMException || thrown instanceof TypeError) return Problem.unreachable();
    throw thrown;
  }

  /** The complaint about one field of what was sent. */
  about(field: string): string | null {
    const error = this.errors.find((candidate) => fieldName(candidate) === field);
    const words = error?.detail ?? error?.message;
    return words ? words.charAt(0).toUpperCase() + words.slice(1) : null;
  }
}

function fieldName(error: FieldError): string {
  return error.field ?? error.pointer?.replace(/^#?\//, '') ?? '';
}
