/** What the window's own thread has to do for a frame: CPU time, so that other work of the computer does not count. */
import type { Page } from 'playwright'

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** CPU time of the thread, in microseconds. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

export interface FrameWork {
  /** Frames in which something was laid out. */
  readonly frames: number
  /** Milliseconds of CPU a frame: of all that the page's thread did, and of scripts, styles and layout alone. */
  readonly all: number
  readonly page: number
}

/** Traces the page while `act` runs. */
export async function frameWork(page: Page, act: () => Promise<void>): Promise<FrameWork> {
  const devtools = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  devtools.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  const includedCategories = ['toplevel', 'devtools.timeline']
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } })
  await act()
  const complete = new Promise((resolve) => devtools.once('Tracing.tracingComplete', resolve))
  await devtools.send('Tracing.end')
  await complete
  await devtools.detach()
  const isMain = ({ name, args }: TraceEvent) => name === 'thread_name' && args?.name === 'CrRendererMain'
  const mains = new Set(events.filter(isMain).map(({ pid, tid }) => `${pid}:${tid}`))
  const mine = events.filter(({ pid, tid, tdur }) => tdur !== undefined && mains.has(`${pid}:${tid}`))
  const sum = (...names: string[]) =>
    mine.filter(({ name }) => names.includes(name)).reduce((total, { tdur = 0 }) => total + tdur / 1000, 0)
  const frames = Math.max(1, mine.filter(({ name }) => name === 'Layout').length)
  return {
    frames,
    all: sum('ThreadControllerImpl::RunTask') / frames,
    page: sum('FunctionCall', 'UpdateLayoutTree', 'Layout') / frames,
  }
}
