/** A date and time as the RTC's registers hold it, in plain numbers. */
export interface CalendarTime {
  readonly second: number
  readonly minute: number
  readonly hour: number
  /** 1 is Sunday. */
  readonly weekday: number
  readonly day: number
  /** 1..12 */
  readonly month: number
  /** With the century. */
  readonly year: number
}

const SECONDS_PER_DAY = 86_400

/** Split seconds since 1970 (proleptic Gregorian). The algorithms are Hinnant's `civil_from_days` and `days_from_civil`. */
export function calendarOf(seconds: number): CalendarTime {
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  const rest = seconds - days * SECONDS_PER_DAY
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    second: rest % 60,
    minute: Math.floor(rest / 60) % 60,
    hour: Math.floor(rest / 3600),
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    month,
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
  }
}

/** Seconds since 1970. Fields out of their range (a guest may write anything) carry over into the next. */
export function secondsOf(time: CalendarTime): number {
  const months = time.year * 12 + time.month - 1
  const month = (((months % 12) + 12) % 12) + 1
  const year = Math.floor(months / 12) - (month <= 2 ? 1 : 0)
  const era = Math.floor(year / 400)
  const yearOfEra = year - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + time.day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  const days = era * 146_097 + dayOfEra - 719_468
  return days * SECONDS_PER_DAY + time.hour * 3600 + time.minute * 60 + time.second
}
