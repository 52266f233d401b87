/** The cluster, or the scenario itself, refuses what a rehearsal needs: the message says what and why. */
export class RehearsalRefused extends Error {}
