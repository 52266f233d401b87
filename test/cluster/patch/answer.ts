/** How the answers of an API server are written down. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Recorded {
  readonly name: string;
  readonly answers: readonly Answer[];
}
