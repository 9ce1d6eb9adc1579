/**
 * Where a process may be told to die: between two effects of which the one is done and the other not. `npm run test:faults`
 * visits every one of them.
 */
export const CRASH_POINTS = [
  // Everything of a group commit is written, and not committed.
  'inbox.uncommitted',
  // Batches are durable, and nobody has been told.
  'inbox.committed',
  // Their devices have been told, and no worker has.
  'inbox.answered',
  // A subscriber has sent the receipt, and not yet the PUBACK.
  'door.receipt-sent',
  // Our own broker has acknowledged, and not yet sent the receipt.
  'door.acknowledged',
  // Work is leased, and not begun.
  'match.claimed',
  'meter.claimed',
  'rate.claimed',
  'post.claimed',
  'close.claimed',
  // Everything of a stage is written, and not committed.
  'match.uncommitted',
  'meter.uncommitted',
  'rate.uncommitted',
  'post.uncommitted',
  'close.uncommitted',
  // A stage is done, and nobody has rung for the next one.
  'match.committed',
  'meter.committed',
  'rate.committed',
  'post.committed',
  'close.committed',
] as const
export type CrashPoint = (typeof CRASH_POINTS)[number]

const chosen = process.env.CRASH_AT

/** Ends this process as `kill -9` does, where CRASH_AT in its environment names this point. Else nothing. */
export function crashPoint(name: string): void {
  if (chosen !== undefined && name === chosen) process.kill(process.pid, 'SIGKILL')
}
