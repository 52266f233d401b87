/** A call that will fail again however often it is made. */
export class HopelessCall extends Error {}
