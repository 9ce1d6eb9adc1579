import type { Method } from '#contracts'
import { InputError, type Instant, type Interval } from '#kernel'

/** From `from` on a vehicle's miles are counted by this method. Of two for one moment the one recorded later holds. */
export interface MethodChoice {
  readonly from: Instant
  readonly method: Method
}

/** Nobody who hasn't chosen otherwise gives anything but the location. */
const UNLESS_CHOSEN: Method = 'location'

/** The choices as a line of time: from each `from` to the next. They come in the order in which they were recorded. */
export function methodLine(choices: readonly MethodChoice[]): MethodChoice[] {
  const line = [...new Map(choices.map((choice) => [choice.from, choice])).values()].sort((a, b) => a.from - b.from)
  return line.filter(({ method }, i) => method !== (i === 0 ? UNLESS_CHOSEN : line[i - 1].method))
}

export const methodAt = (choices: readonly MethodChoice[], at: Instant): Method =>
  methodLine(choices).findLast(({ from }) => from <= at)?.method ?? UNLESS_CHOSEN

/** Whether roads may be read from what was sent at a moment. */
export const givesLocation = (line: readonly MethodChoice[], at: Instant): boolean =>
  (line.findLast(({ from }) => from <= at)?.method ?? UNLESS_CHOSEN) === 'location'

/**
 * The choices that a switch adds: one, or two where it ends at `until` and the method of before goes on. Throws InputError
 * METHOD_PAST for a switch in the past (what was driven is metered as chosen then), METHOD_SAME where nothing would change, and
 * METHOD_TAKEN where a switch has been chosen for later within it.
 */
export function switchMethod(
  choices: readonly MethodChoice[],
  method: Method,
  span: Interval<Instant>,
  now: Instant,
): MethodChoice[] {
  const day = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  if (span.from < now)
    throw new InputError('METHOD_PAST', `a switch takes effect from now on, not from ${day(span.from)}`)
  const line = methodLine(choices)
  const before = methodAt(line, span.from)
  if (before === method) throw new InputError('METHOD_SAME', `the method is ${method} at ${day(span.from)} already`)
  const taken = line.find(({ from }) => from > span.from && from < span.to)
  if (taken)
    throw new InputError(
      'METHOD_TAKEN',
      `${taken.method} was chosen from ${day(taken.from)} on: wait for that, or begin then`,
    )
  const ends: MethodChoice[] = Number.isFinite(span.to) ? [{ from: span.to, method: before }] : []
  return [{ from: span.from, method }, ...ends]
}
